# SPDX-License-Identifier: Apache-2.0
"""Makes the recording and the golden answers of the demonstration anew.

    pip install numpy onnxruntime
    apt-get install python3-scipy          # 1.10: carries the recording
    python make_data.py [ecg.dat]

Writes data/mitbih_208_mlii.npy, the first two minutes, data/golden_beats.csv: the place of each
beat and the logits that ONNX Runtime gives for it, by an implementation of the whole way of its own,
and data/beat.csv, the first beat as the classifiers are fed.
"""
import pathlib
import sys

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
RATE, SECONDS = 360, 120
BEFORE, AFTER = 90, 170


def network(name):
    options = onnxruntime.SessionOptions()
    # Every node by itself, as the INT8 model is defined: integer kernels of some CPUs saturate.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(HERE / "models" / f"{name}.onnx"), options)


def normalised(signal):
    baseline, mean, variance, out = signal[0], 0.0, 0.0, []
    for x in signal:
        baseline += (1.0 / 57) * (x - baseline)  # 1 Hz
        x -= baseline
        mean += (x - mean) / RATE
        d = x - mean
        variance += (d * d - variance) / RATE
        out.append(min(max(d / np.sqrt(variance + 1e-6), -8.0), 8.0))
    return np.array(out, np.float32)


def peaks(z):
    gru, h, p = network("ecg_stream_gru"), np.zeros((1, 1, 32), np.float32), []
    for at in range(0, len(z) - 3, 4):
        answer, h = gru.run(None, {"x": z[at:at + 4].reshape(1, 1, 4), "h": h})
        p.append(answer.item())
    begin, found = None, []
    for call, value in enumerate(p):
        if value >= 0.5:
            begin = call if begin is None else begin
        elif begin is not None:
            guess = (begin + call - 1) * 4 // 2 + 2 - 30
            begin = None
            low = max(guess - 18, 0)
            window = np.abs(z[low:min(guess + 19, 4 * call + 4)])
            peak = low + int(window.argmax())
            if not found or peak - found[-1] > 72:
                found.append(peak)
    return found


def main():
    raw = np.load(sys.argv[1] if len(sys.argv) > 1
                  else "/usr/lib/python3/dist-packages/scipy/misc/ecg.dat")["ecg"]
    raw = raw[:RATE * SECONDS].astype(np.int16)
    np.save(HERE / "data" / "mitbih_208_mlii.npy", raw)
    signal = ((raw - 1024).astype(np.float32) / np.float32(200)).astype(np.float64)
    nets = [network("ecg_cnn_int8"), network("ecg_cnn_fp32")]
    with open(HERE / "data" / "golden_beats.csv", "w", encoding="ascii") as out:
        out.write("peak,int8_n,int8_s,int8_v,int8_q,fp32_n,fp32_s,fp32_v,fp32_q\n")
        for peak in peaks(normalised(signal)):
            beat = signal[peak - BEFORE:peak + AFTER]
            if peak < BEFORE or len(beat) < BEFORE + AFTER:
                continue
            x = ((beat - beat.mean()) / beat.std()).astype(np.float32).reshape(1, 1, -1)
            if out.tell() < 100:  # only the heading stands there
                np.savetxt(HERE / "data" / "beat.csv", x.ravel(), "%.4f")
            logits = np.concatenate([n.run(["logits"], {"x": x})[0].ravel() for n in nets])
            out.write(f"{peak}," + ",".join(f"{v:.9g}" for v in logits) + "\n")


main()
