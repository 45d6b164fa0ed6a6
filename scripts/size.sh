#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds examples/bare_metal.c as a static, stripped program with the operators of one model alone,
# and says how many bytes of code and data are Medulla's, that is beyond libc, libm, libstdc++ and
# libgcc.
# usage: scripts/size.sh MODEL.mdl [KERNEL_ISAS]
#   KERNEL_ISAS  as MEDULLA_KERNEL_ISAS, default all
set -euo pipefail
[ $# -ge 1 ] || { sed -n '/^# usage/,/^#   /s/^# //p' "$0" >&2; exit 2; }
model=$(realpath "$1") isas=${2:-all}
cd "$(dirname "$0")/.."
build=$PWD/build/size

ops=$(build/release/bin/medulla inspect --ops "$model" | paste -sd ';')
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel -DMEDULLA_OPS="$ops" \
  -DMEDULLA_KERNEL_ISAS="$isas" -DMEDULLA_BACKENDS=cpu -DMEDULLA_THREADS=OFF \
  -DMEDULLA_CPUINFO=OFF >/dev/null
cmake --build "$build" >/dev/null

program=$build/bare_metal
cc -Os -std=c99 -Iinclude -ffunction-sections -fdata-sections -c examples/bare_metal.c -o "$program.o"
c++ -static -s -Wl,--gc-sections -Wl,-Map="$program.map" "$program.o" \
  "$(find "$build" -name libmedulla.a)" -lm -o "$program"

# The map names each section's size and the archive it came from.
awk '
  /^Linker script and memory map/ { on = 1 }
  !on { next }
  # A long section name stands alone; address, size and file follow on the next line.
  NF == 1 && /^ \./ { section = $1; next }
  NF >= 3 && /^ \./ { section = $1; size = $3; file = $4 }
  NF >= 3 && /^ +0x/ && section != "" { size = $2; file = $3 }
  size != "" {
    if (section ~ /^\.(text|rodata|data|bss|init_array|eh_frame|gcc_except_table)/ &&
        (file ~ /libmedulla\.a/ || file ~ /bare_metal\.o/)) {
      kind = section
      sub(/^\./, "", kind)
      sub(/\..*/, "", kind)
      bytes[kind] += strtonum(size)
    }
    section = size = file = ""
  }
  END {
    for (kind in bytes) {
      printf "%-16s %8d\n", kind, bytes[kind]
      if (kind != "bss") total += bytes[kind]
    }
    printf "%-16s %8d bytes of code and data\n", "Medulla", total
  }' "$program.map"
echo "whole program    $(stat -c %s "$program") bytes, with operators: ${ops//;/ }"
