#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does what README.md says, as it says it: takes its boxes of C and C++ as the files answer.c and
# answer.cc, and runs its boxes of shell in their order, in a folder that looks like the checkout.
# usage: readme.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source=$1 build=$2
work=$build/tests/install/readme
rm -rf "$work"
mkdir -p "$work/build"
cd "$work"
ln -s "$build" build/release
ln -s "$source/examples" examples

# box LANGUAGE: what stands in its boxes.
box() {
  awk -v open="\`\`\`$1" '$0 == open { on = 1; next } /^```/ { on = 0 } on' "$source/README.md"
}
box c >answer.c
box cpp >answer.cc
box sh >commands.sh
for file in answer.c answer.cc commands.sh; do
  [ -s $file ] || { echo "readme: README.md has no box for $file" >&2; exit 1; }
done

HOME=$work bash -euxo pipefail commands.sh | tee answers.txt

# Both programs give one answer for each of two models, and the command says the same: a normal beat.
answers=$(grep -c '^N ' answers.txt)
different=$(grep '^N ' answers.txt | sort -u | wc -l)
if [ "$answers" -ne 4 ] || [ "$different" -ne 2 ]; then
  echo "readme: $answers answers, $different different, expected two of each model" >&2
  exit 1
fi
for scores in ./*.csv; do
  [ "$(sort -rg "$scores" | head -n 1)" = "$(head -n 1 "$scores")" ] && continue
  echo "readme: $scores does not say that the beat is a normal one" >&2
  exit 1
done
rm -rf medulla
