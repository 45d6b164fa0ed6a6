#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares what a shared library exports with symbols.txt.
# usage: check.sh NM LIBRARY
set -euo pipefail
list=$(dirname "$0")/symbols.txt
found=$("$1" -D --defined-only "$2" | awk '{print $3}' | LC_ALL=C sort)
if ! diff -u --label symbols.txt --label exported "$list" - <<<"$found"; then
  echo "symbols: the exported symbols differ from tests/symbols/symbols.txt; a symbol that" \
       "was once released never goes away" >&2
  exit 1
fi
echo "symbols: $(wc -l <"$list") symbols, as listed"
