#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails when the static library calls what needs.txt (regular expressions) does not have: the C++
# library, malloc, abort, exit or output, above all. A C program links it without libstdc++.
# usage: needs.sh NM LIBRARY
set -euo pipefail
here=$(dirname "$0")
symbols=$("$1" -P "$2")
defined=$(awk '$2 ~ /^[A-TV-Z]$/ { print $1 }' <<<"$symbols" | LC_ALL=C sort -u)
needed=$(awk '$2 ~ /^[Uw]$/ { print $1 }' <<<"$symbols" | LC_ALL=C sort -u)
strange=$(LC_ALL=C comm -13 <(echo "$defined") <(echo "$needed") |
  grep -vxEf "$here/needs.txt" || true)
if [ -n "$strange" ]; then
  echo "$strange" | c++filt >&2
  echo "symbols: the library calls the above, which tests/symbols/needs.txt does not allow" >&2
  exit 1
fi
echo "symbols: the library calls nothing but what is listed"
