#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does what README.md says, as it says it: takes its boxes of C and C++ as the files out/answer.c and
# out/answer.cc, and runs its boxes of shell in their order, in a folder that looks like the checkout;
# then what the smallest examples say of themselves.
# usage: readme.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source=$1 build=$2
work=$build/tests/install/readme
rm -rf "$work"
mkdir -p "$work/build" "$work/out"
cd "$work"
ln -s "$build" build/release
ln -s "$source/examples" examples

# box LANGUAGE: what stands in its boxes.
box() {
  awk -v open="\`\`\`$1" '$0 == open { on = 1; next } /^```/ { on = 0 } on' "$source/README.md"
}
box c >out/answer.c
box cpp >out/answer.cc
box sh >commands.sh
sed -n 's|^//   ||p' examples/minimal.c examples/minimal_cpp.cc >>commands.sh
for file in out/answer.c out/answer.cc commands.sh; do
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
grep -qx 'the first output has 16 bytes' answers.txt
grep -q '^exit_logits: ' answers.txt
for scores in out/*.csv; do
  [ "$(sort -rg "$scores" | head -n 1)" = "$(head -n 1 "$scores")" ] && continue
  echo "readme: $scores does not say that the beat is a normal one" >&2
  exit 1
done

# Both say how much they want to read.
for program in "out/answer out/ecg_cnn.mdl logits NSVQ" "out/answer_cc out/ecg_cnn.mdl logits NSVQ"; do
  said=$($program <<<'1 2' 2>&1 || echo "status $?")
  [ "$said" = "a beat is 260 numbers; 2 were read"$'\n'"status 2" ] && continue
  echo "readme: of two numbers $program says: $said" >&2
  exit 1
done

# Nothing lies about beside out/.
[ "$(ls)" = "$(printf '%s\n' answers.txt build commands.sh examples medulla out)" ] || {
  echo "readme: files beside out/: $(ls)" >&2
  exit 1
}
rm -rf medulla
