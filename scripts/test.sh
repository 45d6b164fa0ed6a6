#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything (preset release) and runs the quick tests, or all.
# usage: scripts/test.sh [--all]
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(-LE slow)
for option in "$@"; do
  case $option in
    --all) tests=() ;;
    *) echo "test: unknown argument $option; usage: scripts/test.sh [--all]" >&2; exit 2 ;;
  esac
done

scripts/setup.sh
cmake --preset release
cmake --build --preset release
ctest --preset release "${tests[@]}" -j"$(nproc)" --output-junit junit.xml
echo "test: all tests passed"
