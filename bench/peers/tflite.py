#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes NAME.tflite and NAME_int8.tflite beside each NAME.onnx, so that LiteRT can take part.

    tflite.py MODEL.onnx...

onnx2tf writes the FP32 file, ai-edge-quantizer the INT8 one (int8 weights per channel, int8
activations, calibrated on NAME.x.npy). The INT8 numbers are therefore LiteRT's own, not those of
the QDQ model.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np


def to_fp32(source, target):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(sys.executable).parent / "onnx2tf"
        copy = shutil.copy(source, folder)  # onnx2tf rewrites the file that it is given
        done = subprocess.run([program, "-i", copy, "-o", folder, "-n"], capture_output=True,
                              text=True)
        written = pathlib.Path(folder) / f"{source.stem}_float32.tflite"
        if not written.exists():
            raise RuntimeError("onnx2tf: " + (done.stderr or done.stdout).strip()[-300:])
        shutil.copy(written, target)


def to_int8(source, target, sample):
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe
    net = Interpreter(str(source))
    key, signature = next(iter(net.get_signature_list().items()))
    shape = tuple(net.get_input_details()[0]["shape"])
    if sample.shape != shape:
        sample = np.moveaxis(sample, 1, -1).reshape(shape)
    # The padding before a max pool stays in float: the quantiser fails on its constant, -inf.
    float_padding = {"regex": ".*", "operation": "PADV2", "algorithm_key": "no_quantize"}
    work = quantizer.Quantizer(str(source), [*recipe.static_wi8_ai8(), float_padding])
    ranges = work.calibrate({key: [{signature["inputs"][0]: sample}]})
    work.quantize(ranges).export_model(str(target), overwrite=True)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        source = pathlib.Path(name)
        fp32, int8 = source.with_suffix(".tflite"), source.with_name(source.stem + "_int8.tflite")
        try:
            to_fp32(source, fp32)
            with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
                to_int8(fp32, int8, np.load(source.with_suffix(".x.npy")))
            print(f"{source.stem}: {fp32.stat().st_size} and {int8.stat().st_size} bytes")
        except Exception as error:  # one model that does not convert must not stop the rest
            print(f"{source.stem}: {error}".replace("\n", " ")[:400], file=sys.stderr)


if __name__ == "__main__":
    main()
