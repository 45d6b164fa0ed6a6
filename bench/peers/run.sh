#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tables of docs/performance.md, from an empty folder: installs the engines of PyPI in a virtual
# environment, makes the networks, measures at 1 and at 2 threads, and how far from exact each is.
# usage: bench/peers/run.sh FOLDER [PEERS_OPTION...]
set -euo pipefail
cd "$(dirname "$0")"
folder=$1
shift
medulla=../../build/release/bin/medulla
env=$folder/env/bin

if [ ! -e "$folder/env/complete" ]; then
  python3 -m venv "$folder/env"
  "$env/pip" install --quiet numpy scipy onnx onnxruntime openvino ncnn MNN ai-edge-litert
  # Converters for ncnn and LiteRT; they name PyTorch and TensorFlow and do not need them.
  "$env/pip" install --quiet --no-deps --ignore-requires-python \
    pnnx onnx2tf==2.6.9 sng4onnx sne4onnx ai-edge-quantizer immutabledict absl-py
  touch "$folder/env/complete"
fi
if [ ! -e "$folder/networks/complete" ]; then
  "$env/python" networks.py "$folder/networks"
  mapfile -t fp32 < <(printf '%s\n' "$folder"/networks/*.onnx | grep -vE '_(int8|u8)\.onnx$')
  "$env/python" tflite.py "${fp32[@]}"
  touch "$folder/networks/complete"
fi
# eegnet and gru_vitals run fastest in float in some peers.
networks=("$folder"/networks/*_{int8,u8}.onnx "$folder"/networks/{eegnet,gru_vitals}.onnx)
for threads in 1 2; do
  "$env/python" peers.py "${networks[@]}" --medulla "$medulla" --threads "$threads" \
    --json "$folder/peers_$threads.json" "$@" | tee "$folder/peers_$threads.md"
done
"$env/python" ../exactness.py "$folder"/networks/*_int8.onnx --medulla "$medulla" |
  tee "$folder/exactness.md"
