#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds examples/bare_metal.c as a static, stripped program with what one model's plan names alone,
# operators and backends, says how many bytes of code and data come from libmedulla.a, and runs it.
# usage: scripts/size.sh [--most BYTES] MODEL.mdl [KERNEL_ISAS]
#   --most       fail if there are more
#   KERNEL_ISAS  as MEDULLA_KERNEL_ISAS, default all
set -euo pipefail
most=
[ "${1:-}" != --most ] || { most=${2:-0} && shift 2; }
[ $# -ge 1 ] || { sed -n '/^# usage/,/^set/s/^# //p' "$0" >&2; exit 2; }
model=$(realpath "$1") isas=${2:-all}
cd "$(dirname "$0")/.."
build=$PWD/build/size

[ -x build/release/bin/medulla ] || {
  echo "size: build the command first: cmake --preset release && cmake --build --preset release" >&2
  exit 1
}
medulla=$PWD/build/release/bin/medulla
export MEDULLA_ISA=$isas
ops=$("$medulla" inspect --ops "$model")
report=$("$medulla" inspect --json "$model")

# first LIST: the first "name" in "LIST"; elements LIST: the product of that one's shape.
first() {
  sed -n "/^  \"$1\": \[/,/^  \]/s/^ *\"name\": \"\(.*\)\",\$/\1/p" <<<"$report" | head -n 1
}
elements() {
  sed -n "/^  \"$1\": \[/,/^  \]/p" <<<"$report" |
    awk '/"shape": \[/ { on = n = 1 } on && $1 + 0 > 0 { n *= $1 } on && /\]/ { print n; exit }'
}
bytes_of() { sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" <<<"$report" | head -n 1; }
# Steps that run graphs are the core's own.
backends=$(sed -n 's/^ *"backend": "\(.*\)",$/\1/p' <<<"$report" | sort -u | sed '/^core$/d' | paste -sd ';')
backends=${backends:-reference}

# Nothing in the library throws, so a program needs no tables to unwind it.
echo "size: building the library with: ${ops//;/ }, on ${backends//;/ }"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel -DMEDULLA_OPS="$ops" \
  -DMEDULLA_KERNEL_ISAS="$isas" -DMEDULLA_BACKENDS="$backends" -DMEDULLA_THREADS=OFF \
  -DMEDULLA_CPUINFO=OFF -DCMAKE_CXX_FLAGS=-fno-asynchronous-unwind-tables >/dev/null
cmake --build "$build"

program=$build/bare_metal
cc -Os -std=gnu99 -Iinclude -DMODEL_FILE="\"$model\"" -DMODEL_BYTES="$(bytes_of model_bytes)" \
  -DPROGRAM_BYTES="$(bytes_of program_bytes)" -DSESSION_BYTES="$(bytes_of session_bytes)" \
  -DSAMPLES="$(elements inputs)" -DCLASSES="$(elements outputs)" \
  -DOUTPUT="\"$(first outputs)\"" -ffunction-sections -fdata-sections \
  -c examples/bare_metal.c -o "$program.o"
c++ -static -s -Wl,--gc-sections -Wl,-Map="$program.map" "$program.o" \
  "$(find "$build" -name libmedulla.a)" -lm -o "$program"

# The map names each section's size and the file it came from; a long name stands on its own line.
declare -A bytes=()
while read -r kind size; do
  bytes[$kind]=$((${bytes[$kind]:-0} + size))
done < <(awk '
  /^Linker script and memory map/ { on = 1 }
  !on { next }
  NF == 1 && /^ \./ { section = $1; next }
  NF >= 4 && /^ \./ { section = $1; size = $3; file = $4 }
  NF == 3 && /^ +0x/ { size = $2; file = $3 }
  size != "" {
    if (section ~ /^\.(text|rodata|data|bss|init_array|eh_frame)/ &&
        file ~ /libmedulla\.a/) {
      split(section, part, ".")
      print part[2], size
    }
    section = size = file = ""
  }' "$program.map")

total=0
for kind in "${!bytes[@]}"; do
  printf '%-12s %8d\n' "$kind" "${bytes[$kind]}"
  [ "$kind" = bss ] || total=$((total + bytes[$kind]))
done
printf '%-12s %8d bytes of code and data\n' Medulla "$total"
[ -z "$most" ] || [ "$total" -le "$most" ] || { echo "size: more than $most bytes" >&2; exit 1; }
echo "whole program    $(stat -c %s "$program") bytes, with operators: ${ops//;/ }"
echo "its answer to a made-up first input, of the first output '$(first outputs)':"
"$program" || { echo "size: the program does not run the model" >&2; exit 1; }
