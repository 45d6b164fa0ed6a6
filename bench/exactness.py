#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What exactness is worth: how far runtimes are from the exact answer of a quantized model.

    exactness.py MODEL.onnx... --medulla build/release/bin/medulla [--runs 3]

The exact answer is that of Medulla's backend `reference`, which computes by docs/numerics.md and
nothing else (tests/numerics computes it a second time, in numpy). Beside it: Medulla's kernels on each
instruction set of this CPU, and ONNX Runtime and OpenVINO where they are installed (PyPI: onnxruntime,
openvino). A model NAME_int8.onnx is fed NAME.x.npy from its folder, or else standard normal numbers
by a fixed seed. Prints a table for docs/performance.md: largest difference, in units of the output and
in standard deviations of the exact output.
"""
import argparse
import multiprocessing
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

ISAS = ("portable", "avx2", "all")
PATIENCE = 120  # seconds: some peers hang on some models


def medulla_runs(binary, model, x, folder):
    """{row: output} of the model's first output, the exact one first."""
    converted = folder / "model.mdl"
    given, made = folder / "x.npy", folder / "y.npy"
    np.save(given, x)
    subprocess.run([binary, "convert", model, "-o", converted], check=True, capture_output=True)
    outputs = {}
    for row, flags in [("exact", ["--backends", "reference"])] + [
        (f"Medulla, {isa}", [] if isa == "all" else ["--isa", isa]) for isa in ISAS
    ]:
        command = [binary, "run", converted, "--input", given, "--output", made, *flags]
        subprocess.run(command, check=True, capture_output=True)
        outputs[row] = np.load(made)
    return outputs


def onnx_runtime(model, x, runs):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return onnxruntime.__version__, [session.run(None, {name: x})[0] for _ in range(runs)]


def openvino(model, x, runs):
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return openvino.__version__.split("-")[0], [compiled([x])[0].copy() for _ in range(runs)]


PEERS = {"ONNX Runtime": onnx_runtime, "OpenVINO": openvino}


def answer(pipe, run, *args):
    try:
        pipe.send(run(*args))
    except ImportError:
        pipe.send("not installed")
    except Exception as why:  # whatever a peer raises is its answer
        pipe.send("failed: " + str(why).strip().splitlines()[0][:60].replace("|", "/"))


def in_child(run, *args):
    """What `run` returns, or in words why it does not; a peer that crashes takes only itself down."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    child = spawn.Process(target=answer, args=(theirs, run, *args))
    child.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(PATIENCE) else f"no answer after {PATIENCE} s"
    except EOFError:
        child.join()
        return f"crashed, signal {-child.exitcode}"
    finally:
        child.kill()
        child.join()


def input_of(model):
    sample = model.with_name(re.sub(r"_(int8|u8)$", "", model.stem) + ".x.npy")
    if sample.exists():
        return np.load(sample)
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    constants = {constant.name for constant in graph.initializer}
    value = next(value for value in graph.input if value.name not in constants)
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def difference(exact, outputs):
    largest = max(float(np.abs(y.astype(np.float64) - exact).max()) for y in outputs)
    text = f"{largest:.3g} ({largest / float(exact.std()):.2g})" if largest else "0"
    changes = any(not np.array_equal(y, outputs[0]) for y in outputs)
    return text + (", changes from run to run" if changes else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--medulla", required=True, help="the command")
    parser.add_argument("--runs", type=int, default=3, help="runs of each peer")
    args = parser.parse_args()
    rows = [f"Medulla, {isa}" for isa in ISAS] + list(PEERS)
    print(f"| model | {' | '.join(rows)} |\n|{'---|' * (len(rows) + 1)}")
    versions = {}
    for model in args.models:
        x = input_of(model)
        with tempfile.TemporaryDirectory() as folder:
            outputs = medulla_runs(args.medulla, model, x, pathlib.Path(folder))
        exact = outputs.pop("exact").astype(np.float64)
        cells = [difference(exact, [y]) for y in outputs.values()]
        for name, run in PEERS.items():
            found = in_child(run, str(model), x, args.runs)
            if isinstance(found, str):
                cells.append(found)
            else:
                versions[name] = found[0]
                cells.append(difference(exact, found[1]))
        print(f"| {model.stem} | {' | '.join(cells)} |", flush=True)
    print("\n" + ", ".join(f"{name} {version}" for name, version in versions.items()),
          file=sys.stderr)


if __name__ == "__main__":
    main()
