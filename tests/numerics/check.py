#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of docs/numerics.md, held against `medulla run` byte by byte.

usage: check.py [--medulla COMMAND] [--seed N] [--largest BYTES] [MODEL | FOLDER]...

A MODEL is a .mdl file, or one that `medulla convert` takes; a FOLDER stands for those in it that may
hold integers. Without any: those of the tree, the folder that MEDULLA_SHARED names, or ../shared
beside the tree, and those that MEDULLA_MODELS names, separated by colons.

Every node that reads or makes integers with a scale is computed by rules.py from the file's constants,
one after the other from the model's inputs on; only what float32 nodes make is taken from the run
(`run --dump`). Stored multipliers, the sums P and N and the proof of no overflow are formed anew. The
worked examples of the page are computed too. Ends with 1 where a byte differs, and with 77 where there
is no numpy or no model.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not there")
    sys.exit(77)

from rules import RULES, Node

QUANTIZED = ("int8", "uint8", "int16", "uint16")
TREE = pathlib.Path(__file__).resolve().parents[2]


class Model:
    def __init__(self, command, path):
        self.command, self.path = command, str(path)
        report = json.loads(self.medulla("inspect", "--json", self.path))
        self.tensors = {t["name"]: t for t in report["tensors"]}
        self.nodes = [Node(self, row) for row in report["nodes"]]
        self.inputs = [t["name"] for t in report["inputs"]]
        self.outputs = [t["name"] for t in report["outputs"]]
        file, self.values = np.fromfile(path, np.uint8), {}
        for t in report["tensors"]:
            if t["constant"] and t["dtype"] not in ("int4", "uint4", "bfloat16"):
                data = file[t["offset"] : t["offset"] + t["bytes"]]
                self.values[t["name"]] = data.view(t["dtype"]).reshape(t["shape"])

    def medulla(self, *arguments):
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, folder, inputs, names, option):
        files = [folder / f"{option}{i}.npy" for i in range(len(names))]
        arguments = [f"{n}={f}" for n, f in zip(names, files)]
        feeds = [f"--input={name}={file}" for name, file in inputs.items()]
        self.medulla("run", self.path, *feeds, *(f"--{option}={a}" for a in arguments))
        return {name: np.load(file) for name, file in zip(names, files)}

    def is_integer(self, node):
        names = [t for t in node.inputs[:1] + node.outputs[:1] if t]
        return any(
            self.tensors[t]["dtype"] in QUANTIZED and "scales" in self.tensors[t] for t in names
        )

    def check(self, seed, folder):
        """Returns the number of integer nodes, of float nodes, and what is wrong."""
        random, inputs = np.random.default_rng(seed), {}
        for i, name in enumerate(self.inputs):
            info = self.tensors[name]
            if info["dtype"] == "float32":
                x = random.standard_normal(info["shape"]).astype(np.float32)
            else:
                limits = np.iinfo(info["dtype"])
                x = random.integers(limits.min, limits.max + 1, info["shape"]).astype(info["dtype"])
            inputs[name] = folder / f"input{i}.npy"
            np.save(inputs[name], x)
            self.values[name] = x
        made = list(dict.fromkeys(t for n in self.nodes for t in n.outputs if t))
        dumped = self.run(folder, inputs, made, "dump")
        integers = 0
        for n in self.nodes:
            made = [t for t in n.outputs if t]
            if not self.is_integer(n):
                self.values.update({t: dumped[t] for t in made})
                continue
            integers += 1
            assert n.op in RULES, f"node '{n.name}': no rule for {n.op} here"
            try:
                y = RULES[n.op](n)
            except AssertionError as error:
                raise AssertionError(f"node '{n.name}' ({n.op}): {error}") from error
            for name, value in zip(n.outputs, y if isinstance(y, list) else [y]):
                value = np.ascontiguousarray(value).astype(
                    self.tensors[name]["dtype"], casting="same_kind"
                )
                assert (
                    value.shape == dumped[name].shape
                ), f"'{name}' is {dumped[name].shape}, not {value.shape}"
                if value.tobytes() != dumped[name].tobytes():
                    at = tuple(np.argwhere(value != dumped[name])[0])
                    raise AssertionError(
                        f"node '{n.name}' ({n.op}): '{name}' is {dumped[name][at]} at {at}, "
                        f"the page gives {value[at]}"
                    )
                self.values[name] = value
        # Once more without --dump, so that nodes are fused as a device has them.
        for name, value in self.run(folder, inputs, self.outputs, "output").items():
            assert (
                value.tobytes() == self.values[name].tobytes()
            ), f"output '{name}' differs where nothing is kept"
        return integers, len(self.nodes) - integers


class Example:
    """A block of docs/numerics.md; one that converts a source is not for here."""

    def __init__(self, graph):
        self.tensors, self.values = {}, {}
        for name, tensor in [
            t for key in ("inputs", "constants", "outputs") for t in graph.get(key, {}).items()
        ]:
            dtypes = ("int8", "int16", "int32", "int64", "float32", "float64")
            dtype = next(key for key in dtypes if key in tensor)
            self.values[name] = np.asarray(tensor[dtype], dtype)
            self.tensors[name] = {"dtype": dtype, "shape": list(self.values[name].shape)}
            if "scale" in tensor:
                numbers = {"scales": tensor["scale"], "zero_points": tensor["zero_point"]}
                self.tensors[name].update(
                    {k: v if isinstance(v, list) else [v] for k, v in numbers.items()}
                )
                self.tensors[name]["axis"] = tensor.get("axis", 0)
        self.nodes, self.expected = graph["nodes"], graph["outputs"]

    def check(self):
        for row in self.nodes:
            node = Node(self, {"name": row["op"], "attributes": row, **row})
            y, expected = RULES[node.op](node), self.values[node.outputs[0]]
            assert (
                y.tobytes() == expected.tobytes()
            ), f"{node.op}: {y.tolist()}, not {expected.tolist()}"


def check_examples():
    page = TREE / "docs" / "numerics.md"
    blocks = re.findall(r"^```json\n(.*?)^```", page.read_text(), re.S | re.M)
    graphs = [json.loads(block) for block in blocks]
    graphs = [
        g for g in graphs if all(node["op"] in RULES for node in g["nodes"]) and "becomes" not in g
    ]
    assert graphs, f"{page} has no examples"
    for graph in graphs:
        Example(graph).check()
    print(f"{page}: {len(graphs)} of {len(blocks)} examples computed, equal bytes")


def models_in(folder, largest):
    """Files that may hold integers, without those compiled for one device."""
    for path in sorted(folder.rglob("*")):
        integers = path.suffix == ".tflite" and not path.stem.endswith("_edgetpu")
        integers |= path.suffix == ".onnx" and "int8" in path.stem
        if integers and path.stat().st_size <= largest:
            yield path


def models_beside_the_tree():
    shared = TREE / ".." / "shared"
    more = filter(None, os.environ.get("MEDULLA_MODELS", "").split(":"))
    folders = [os.environ.get("MEDULLA_SHARED", shared), *more]
    return [TREE / "examples", *map(pathlib.Path, folders)]


def check(path, command, seed):
    """Returns what there is to say of a model, and whether all is well."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, file = pathlib.Path(temporary), path
        if path.suffix != ".mdl":
            file = folder / "model.mdl"
            convert = [*command, "convert", path, "-o", file]
            done = subprocess.run(convert, capture_output=True, text=True)
            if done.returncode != 0:
                return done.stderr, False
        try:
            integers, floats = Model(command, file).check(seed, folder)
        except AssertionError as error:
            return str(error), False
    if integers == 0:
        return "no integer nodes", True
    return f"equal bytes, {integers} integer nodes, {floats} others taken from the run", True


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].removeprefix("usage: "))
    parser.add_argument("--medulla", default="medulla")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--largest", type=int, default=1 << 40)
    parser.add_argument("places", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    places = options.places or models_beside_the_tree()
    models = []
    for place in places:
        if not place.exists():
            print(f"skipped: {place} is not there")
        models += models_in(place, options.largest) if place.is_dir() else [place] * place.exists()
    check_examples()
    good = True
    for path in models:
        says, well = check(path, shlex.split(options.medulla), options.seed)
        print(f"{path}: {says}", flush=True)
        good &= well
    return (0 if good else 1) if models else 77


if __name__ == "__main__":
    sys.exit(main())
