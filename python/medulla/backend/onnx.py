# SPDX-License-Identifier: Apache-2.0
"""Medulla as a backend of ONNX: what ``onnx.backend.test`` drives.

    python -m medulla.backend.onnx          # runs the whole suite of the installed onnx
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import unittest

import numpy as np
import onnx
import onnx.backend.base
import onnx.backend.test

from .. import ConvertError, Session, convert


class MedullaRep(onnx.backend.base.BackendRep):
    """A model that is converted when its first inputs are there.

    Values that ONNX feeds at run time and Medulla needs for its plan are fixed to those inputs.
    """

    def __init__(self, model: onnx.ModelProto):
        self._model = model
        constants = {t.name for t in model.graph.initializer}
        self._inputs = [i for i in model.graph.input if i.name not in constants]

    def run(self, inputs, **kwargs):
        if any(not i.type.HasField("tensor_type") for i in self._inputs):
            convert(self._model)  # which says why it cannot
        if isinstance(inputs, dict):
            values = dict(inputs)
        else:
            values = dict(zip((i.name for i in self._inputs), inputs))
        values = {name: np.asarray(value) for name, value in values.items()}
        model, fixed = self._convert(values)
        fed = {name: value for name, value in values.items() if name not in fixed}
        outputs = Session(model).run(fed)
        return tuple(outputs[o.name] for o in self._model.graph.output)

    def _convert(self, values):
        maxima = {}
        for info in self._inputs:
            for d, dim in enumerate(info.type.tensor_type.shape.dim):
                if not dim.HasField("dim_value") or dim.dim_value <= 0:
                    symbol = dim.dim_param or f"{info.name}.{d}"
                    maxima[symbol] = values[info.name].shape[d]
        fixed = {}
        while True:
            try:
                return convert(self._model, max=maxima, fix=fixed), fixed
            except ConvertError as why:
                more = {n: values[n] for n in why.fixable if n in values and n not in fixed}
                if not more:
                    raise
                fixed.update(more)


class MedullaBackend(onnx.backend.base.Backend):
    """ONNX's interface; see ``onnx.backend.base.Backend``."""

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        return MedullaRep(model)

    @classmethod
    def run_model(cls, model, inputs, device="CPU", **kwargs):
        return cls.prepare(model, device).run(inputs)

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        raise NotImplementedError("make a model of the node: onnx.helper.make_model")

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


prepare = MedullaBackend.prepare
run_model = MedullaBackend.run_model
supports_device = MedullaBackend.supports_device


# Where the answer is 0, as Medulla's is, numpy's transform of about 50 leaves 1.9e-7, and the suite
# allows 1e-7 beside what numpy gave. The attention written out in half precision is rounded to it
# at every step by the suite, and once by Medulla: 2 of 192 values differ by two units.
_BELOW_ROUNDING = {  # by name, and how far off at most
    "test_dft_inverse_cpu": 2e-7,
    "test_dft_inverse_opset19_cpu": 2e-7,
    "test_attention_4d_causal_fp16_expanded_cpu": 1e-3,
}


def _outcome(name: str, text: str) -> str:
    if not text:
        return "passed"
    if "ConvertError" in text:
        return "refused"
    off = re.search(r"Max absolute difference.*: (\S+)", text)
    below = off and float(off[1]) <= _BELOW_ROUNDING.get(name, 0)
    return "below rounding" if below else "wrong"


def run_suite(include: str = "") -> collections.Counter:
    """Runs the installed suite's node, simple and pytorch cases; counts passed, refused, wrong."""
    runner = onnx.backend.test.BackendTest(MedullaBackend, __name__)
    if include:
        runner.include(include)
    runner.exclude("_cuda$|^test_(bvlc|densenet|inception|resnet50|shufflenet|squeezenet|vgg19|zfnet)")
    counts = collections.Counter()
    for case in runner.test_suite:
        for test in case if isinstance(case, unittest.TestSuite) else [case]:
            result = unittest.TestResult()
            test.run(result)
            if result.skipped:
                continue
            text = "".join(t for _, t in result.errors + result.failures)
            name = test.id().split(".")[-1]
            outcome = _outcome(name, text)
            counts[outcome] += 1
            if text:
                print(f"{outcome} {name}: {text.strip().splitlines()[-1]}")
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the suite of the installed onnx.")
    parser.add_argument("include", nargs="?", default="", help="only cases whose name matches this")
    parser.add_argument("--expect", metavar="FILE", help="what this printed for a version of onnx")
    args = parser.parse_args()
    found = run_suite(args.include)
    line = (
        f"onnx {onnx.__version__}: {found['passed']} passed, {found['refused']} refused with a reason, "
        f"{found['below rounding']} off by less than a rounding of their inputs, {found['wrong']} wrong, "
        f"of {sum(found.values())}"
    )
    print(line)
    if args.expect:
        with open(args.expect) as file:
            expected = file.read().strip()
        if expected.split(":")[0] != line.split(":")[0]:
            print(f"{args.expect} tells of another version: {expected}")
        elif expected != line:
            print(f"{args.expect} should say this; it says: {expected}")
            return 1
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
