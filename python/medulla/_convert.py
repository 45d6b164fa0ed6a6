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
    options = _conversion_options(
        max, fix_dim, state, stream, preprocess, metadata, labels, name, layout, no_pass
    )

    def run():
        return *_medulla.convert(options, _arrays(fix), _arrays(initial)), None

    return _open_result(model, options, run)


def quantize(
    model,
    calib: np.ndarray | str | os.PathLike | Mapping[str, np.ndarray | str | os.PathLike] | None = None,
    *,
    eval: np.ndarray | str | os.PathLike | Mapping[str, np.ndarray | str | os.PathLike] | None = None,
    labels: np.ndarray | str | os.PathLike | None = None,
    labels_of: str = "",
    method: Literal["search", "min-max", "percentile", "mse", "entropy"] = "search",
    equalize: bool = True,
    bias_correction: bool = True,
    budget: float | None = None,
    sqnr: float | None = None,
    keep: Sequence[str] = (),
    weights: Literal["float32", "fp16", "int8"] | None = None,
    class_names: str | os.PathLike = "",
    **conversion,
) -> Model:
    """Converts a float32 model to one whose layers compute in INT8, and opens the result.

    ``calib`` are the samples that ranges come from, a sample a row: an array or the path of what
    ``medulla quantize --calib`` takes, or a dict of these by input. ``eval`` and ``labels``, of the
    output ``labels_of``, measure accuracy on other samples. ``budget`` (points of top-1) and
    ``sqnr`` (dB) bound what may be lost; layers in ``keep``, and as few others as the bound needs,
    stay in float32. ``weights`` is how their weights are stored; without ``calib`` all layers are
    such. The other arguments are those of ``convert``; its ``labels`` are ``class_names``. The
    result's ``quantization`` is a dict of figures. Raises ConvertError, and ValueError.
    """
    if "labels" in conversion:
        raise TypeError("labels are numbers here; names of classes are class_names")
    methods = {m.name: m for m in _medulla.RangeMethod}
    forms = {f.name: f for f in _medulla.WeightForm}
    for given, known, what in ((method, methods, "method"), (weights or "fp16", forms, "weights")):
        if given not in known:
            raise ValueError(f"{what} is {given!r}, should be one of {', '.join(known)}")
    if calib is None and weights not in ("fp16", "int8"):
        raise ValueError("calib is needed, or weights='int8' or 'fp16' for layers in float32")
    if budget is not None and labels is None:
        raise ValueError("budget is in points of top-1, which needs labels; sqnr does not")
    fix, initial = conversion.pop("fix", None), conversion.pop("initial", None)
    options = _medulla.QuantizeOptions()
    convert_options = _conversion_options(labels=class_names, **conversion)
    options.method = methods[method]
    options.equalize = equalize
    options.correct_bias = bias_correction
    options.budget = budget
    options.sqnr = sqnr
    options.float_layers = list(keep)
    options.weights_alone = calib is None
    options.weights = forms[weights or "fp16"]
    with tempfile.TemporaryDirectory(prefix="medulla_") as folder:
        options.calibration = _samples(folder, "calib", calib)
        options.evaluation = _samples(folder, "eval", eval)
        if labels is not None:
            path = _sample_path(folder, "labels", labels)
            options.labels = f"{labels_of}={path}" if labels_of else path

        def run():
            options.convert = convert_options
            notes, refusals, error, figures = _medulla.quantize(
                options, _arrays(fix), _arrays(initial)
            )
            if error:
                raise ValueError(error)
            return notes, refusals, figures

        return _open_result(model, convert_options, run)


def _samples(folder, kind, given):
    if given is None:
        return []
    if not isinstance(given, Mapping):
        return [_sample_path(folder, kind, given)]
    return [
        f"{name}={_sample_path(folder, f'{kind}{i}', samples)}"
        for i, (name, samples) in enumerate(given.items())
    ]


def _sample_path(folder, stem, samples):
    if isinstance(samples, (str, os.PathLike)):
        return os.fspath(samples)
    path = os.path.join(folder, stem + ".npy")
    np.save(path, np.ascontiguousarray(samples))
    return path


def _conversion_options(
    max=None,
    fix_dim=None,
    state=None,
    stream="",
    preprocess=None,
    metadata=None,
    labels="",
    name="",
    layout="keep",
    no_pass=(),
):
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
    return options


def _open_result(model, options, run):
    """Gives ``run`` files to read and write; it returns notes, refusals and figures."""
    with tempfile.TemporaryDirectory(prefix="medulla_") as folder:
        if hasattr(model, "SerializeToString"):
            options.input = os.path.join(folder, "model.onnx")
            with open(options.input, "wb") as file:
                file.write(model.SerializeToString())
        else:
            options.input = os.fspath(model)
        options.output = os.path.join(folder, "model.mdl")
        notes, refusals, figures = run()
        if refusals:
            reasons = [text for text, _ in refusals]
            raise ConvertError(reasons, sorted({name for _, names in refusals for name in names}))
        with open(options.output, "rb") as file:
            converted = Model(file.read())
    converted.notes = tuple(notes)
    converted.quantization = figures
    return converted


def _arrays(given):
    """Each as (contiguous array, whether its elements are the bits of bfloat16)."""
    arrays = {}
    for name, value in (given or {}).items():
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        bfloat16 = array.dtype.name == "bfloat16"
        arrays[name] = (_bits(array) if bfloat16 else array, bfloat16)
    return arrays
