# SPDX-License-Identifier: Apache-2.0
"""Conversion of ONNX and TFLite models."""

from __future__ import annotations

import os
import tempfile
from typing import Literal, Mapping, Sequence

import numpy as np

from . import _medulla
from ._runtime import Model, _bits


class ConvertError(ValueError):
    """A model that is not converted.

    ``reasons`` lists everything that stands in the way; ``fixable`` names the inputs for which a
    value given with ``fix`` would help.
    """

    def __init__(self, reasons: Sequence[str], fixable: Sequence[str]):
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)
        self.fixable = tuple(fixable)


def convert(
    model,
    *,
    max: Mapping[str, int] | None = None,
    fix_dim: Mapping[str, int] | None = None,
    fix: Mapping[str, np.ndarray] | None = None,
    state: Mapping[str, str] | None = None,
    initial: Mapping[str, np.ndarray] | None = None,
    stream: str = "",
    preprocess: Mapping[str, tuple[str, Sequence[float], Sequence[float]]] | None = None,
    metadata: Mapping[str, str] | None = None,
    labels: str | os.PathLike = "",
    name: str = "",
    layout: Literal["keep", "nhwc"] = "keep",
    no_pass: Sequence[str] = (),
) -> Model:
    """Converts a model and opens the result.

    ``model`` is the path of a file, whose ending says what it is, or an ``onnx.ModelProto``.
    ``max`` gives the maximum of each dynamic dimension, ``fix_dim`` the extent of those that become
    static, ``fix`` the values of inputs that become constants, ``state`` pairs of input and output that carry over from run to run and ``initial``
    what such inputs hold before the first one (else zeros). ``stream`` names the dynamic dimension
    along which chunks are fed. ``preprocess`` tells, for an input, the layout, the scales and the
    offsets that make its values of raw ones: ``{"image": ("NCHW", [0.0078125], [128])}``; they are
    kept in the file. ``labels`` is a file with a class name a line. Image inputs and outputs keep the source's ``layout``, or are
    channels-last. Raises ConvertError.
    """
    if layout not in ("keep", "nhwc"):
        raise ValueError(f"layout is {layout!r}, should be 'keep' or 'nhwc'")
    options = _medulla.ConvertOptions()
    options.nhwc = layout == "nhwc"
    options.name = name
    options.maxima = dict(max or {})
    options.fixed_dims = dict(fix_dim or {})
    options.metadata = dict(metadata or {})
    options.states = list((state or {}).items())
    options.labels = os.fspath(labels)
    options.no_passes = set(no_pass)
    options.stream = stream
    options.preprocessing = [
        (name, _medulla.Preprocessing(layout, list(scales), list(offsets)))
        for name, (layout, scales, offsets) in (preprocess or {}).items()
    ]
    with tempfile.TemporaryDirectory(prefix="medulla_") as folder:
        if hasattr(model, "SerializeToString"):
            options.input = os.path.join(folder, "model.onnx")
            with open(options.input, "wb") as file:
                file.write(model.SerializeToString())
        else:
            options.input = os.fspath(model)
        options.output = os.path.join(folder, "model.mdl")
        notes, refusals = _medulla.convert(options, _arrays(fix), _arrays(initial))
        if refusals:
            reasons = [text for text, _ in refusals]
            raise ConvertError(reasons, sorted({name for _, names in refusals for name in names}))
        with open(options.output, "rb") as file:
            converted = Model(file.read())
    converted.notes = tuple(notes)
    return converted


def _arrays(given):
    """Each as (contiguous array, whether its elements are the bits of bfloat16)."""
    arrays = {}
    for name, value in (given or {}).items():
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        bfloat16 = array.dtype.name == "bfloat16"
        arrays[name] = (_bits(array) if bfloat16 else array, bfloat16)
    return arrays
