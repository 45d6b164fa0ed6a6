#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration: builds Medulla, converts three small networks from ONNX, watches two minutes of a
# real ECG with them as a bedside monitor would, and says where the page with the result is.
# usage: scripts/demo.sh
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
  echo "demo: unknown argument $1; usage: scripts/demo.sh" >&2
  exit 2
fi

scripts/setup.sh
cmake --preset release
cmake --build --preset release --target medulla_command ecg_monitor

build=$PWD/build/release
demo=examples/ecg_monitor
out=$PWD/out/ecg_monitor
mkdir -p "$out"
"$build/bin/medulla" convert $demo/models/ecg_stream_gru.onnx -o "$out/ecg_stream_gru.mdl" \
  --state h=h_out
"$build/bin/medulla" convert $demo/models/ecg_cnn_int8.onnx -o "$out/ecg_cnn_int8.mdl"
"$build/bin/medulla" convert $demo/models/ecg_cnn_fp32.onnx -o "$out/ecg_cnn_fp32.mdl"
"$build/examples/ecg_monitor" "$out/ecg_stream_gru.mdl" "$out/ecg_cnn_int8.mdl" \
  "$out/ecg_cnn_fp32.mdl" $demo/data/mitbih_208_mlii.npy "$out/ecg.html"
echo "demo: done; open $out/ecg.html in a browser"
