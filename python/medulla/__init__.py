# SPDX-License-Identifier: Apache-2.0
"""Medulla from Python: convert a model, run it, look at it.

    import medulla
    model = medulla.convert("ecg_cnn.onnx")
    session = medulla.Session(model)
    logits = session.run({"x": beat})["logits"]

A device runs the same file through the C API (medulla.h) and gets the same bytes.
"""

from ._convert import ConvertError, convert, quantize
from ._medulla import Error, build_info
from ._runtime import Model, Session, TensorInfo

__all__ = [
    "ConvertError",
    "Error",
    "Model",
    "Session",
    "TensorInfo",
    "build_info",
    "convert",
    "quantize",
]
