#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The options that hold lists take semicolons and commas alike, and say what is wrong with others.
# usage: options.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source=$1 work=$2/tests/install/options
rm -rf "$work"

configure() {
  cmake -S "$source" -B "$work" -G Ninja -DMEDULLA_THREADS=OFF -DMEDULLA_CPUINFO=OFF \
    -DMEDULLA_OPS=Relu -DMEDULLA_BACKENDS=all -DMEDULLA_KERNEL_ISAS=portable "$@" 2>&1
}
# refused TEXT OPTION: configuring ends with an error that says TEXT.
refused() {
  local out
  if out=$(configure "$2"); then
    echo "options: $2 is taken" >&2
    exit 1
  fi
  grep -q "$1" <<<"$out" || { echo "options: $2 should say '$1', says:" "$out" >&2; exit 1; }
}
for list in "reference;cpu" "reference, cpu"; do
  configure -DMEDULLA_BACKENDS="$list" -DMEDULLA_OPS="Conv, Relu" \
    -DMEDULLA_KERNEL_ISAS="portable,avx2" >/dev/null
  diff "$work/generated/medulla_backends.inc" - <<<$'MDL_BACKEND(cpu)\nMDL_BACKEND(reference)'
  [ "$(wc -l <"$work/generated/medulla_ops.inc")" = 2 ]
done
for option in MEDULLA_BACKENDS MEDULLA_OPS MEDULLA_KERNEL_ISAS; do
  refused "$option is empty" "-D$option="
done
refused "'npu'" -DMEDULLA_BACKENDS=cpu,npu
refused "Convolve; near it: .*Conv" "-DMEDULLA_OPS=Relu;Convolve"
refused "Bogus; nothing there is near it" "-DMEDULLA_OPS=Conv;Bogus"
rm -rf "$work"
echo "options: lists are taken and refused"
