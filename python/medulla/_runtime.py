# SPDX-License-Identifier: Apache-2.0
"""Models and sessions."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np

from . import _medulla

try:
    from ml_dtypes import bfloat16 as _bfloat16
except ImportError:
    _bfloat16 = np.uint16


@dataclass(frozen=True)
class TensorInfo:
    """An input, output or state of a model.

    ``shape`` holds the declared maximum of a dimension that may vary. A quantised tensor has
    ``scales`` and ``zero_points``: one of each, or one for each index along ``axis``;
    real = scale * (q - zero_point).
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0

    @property
    def numpy_dtype(self) -> np.dtype:
        """The dtype of the arrays that hold it; without ml_dtypes, bfloat16 is its bits, uint16."""
        return np.dtype(_bfloat16 if self.dtype == "bfloat16" else self.dtype)


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(np.uint16) if array.dtype == _bfloat16 else array


def _infos(rows) -> tuple[TensorInfo, ...]:
    return tuple(
        TensorInfo(name, dtype, tuple(dims), tuple(scales), tuple(zeros), axis)
        for name, dtype, dims, scales, zeros, axis in rows
    )


class Model:
    """A model file (.mdl), by path or as bytes; checked whole when it is opened.

    Raises ``medulla.Error`` with the library's text: what, where, and what would be right.
    """

    def __init__(self, source: str | os.PathLike | bytes):
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._data = bytes(source)
            self._native = _medulla.Model(self._data)
        else:
            self._data = None
            self._path = os.fspath(source)
            self._native = _medulla.Model(self._path)
        self.inputs = _infos(self._native.inputs())
        self.outputs = _infos(self._native.outputs())
        self.states = _infos(self._native.states())
        self.metadata: dict[str, str] = self._native.metadata()

    def labels(self, output: int = 0) -> list[str]:
        """The class names of an output; empty when the file has none."""
        return self._native.labels(output)

    def to_bytes(self) -> bytes:
        """The model file."""
        if self._data is not None:
            return self._data
        with open(self._path, "rb") as file:
            return file.read()

    def save(self, path: str | os.PathLike) -> None:
        """Writes the model file."""
        with open(path, "wb") as file:
            file.write(self.to_bytes())


class Session:
    """A planned model with its memory: what one caller runs.

    ``model`` is a Model, a path, or the bytes of a model file. ``isa``, ``backends`` and ``keep``
    are as in the C API's ``mdl_program_options``; ``numerics`` is "auto", "exact" or "fast".
    ``run`` lets other Python threads go on. Threads may call methods of one session: one waits for
    the other, and ``run`` answers each by its own inputs. To run at once, give each its session.
    """

    def __init__(
        self,
        model: Model | str | os.PathLike | bytes,
        *,
        threads: int = 1,
        backends: Sequence[str] = (),
        isa: Sequence[str] = (),
        numerics: str = "auto",
        keep: Sequence[str] = (),
    ):
        if numerics not in ("auto", "exact", "fast"):
            raise ValueError(f"numerics is {numerics!r}, should be 'auto', 'exact' or 'fast'")
        self.model = model if isinstance(model, Model) else Model(model)
        self._native = _medulla.Session(
            self.model._native, ",".join(isa), ",".join(backends), numerics, ",".join(keep), threads
        )
        self._lock = threading.Lock()  # not taken by cancel
        self._input_index = {t.name: i for i, t in enumerate(self.model.inputs)}
        self._output_index = {t.name: i for i, t in enumerate(self.model.outputs)}

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the model once on arrays by name; returns new arrays by name.

        An array has the input's dtype and a shape within its declared maxima. It is read in place
        when it is contiguous and aligned to 64 bytes, and copied otherwise. States go on from
        where the last run left them; after an error they are as before.
        """
        arrays = self._check(inputs)
        with self._lock:
            return self._run(arrays)

    def _run(self, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
        shapes = [list(a.shape) for a in arrays]
        if shapes != [self._native.input_shape(i) for i in range(len(arrays))]:
            self._native.resize(shapes)
        bound = []
        try:
            for i, array in enumerate(arrays):
                if array.nbytes > 0 and self._native.bind_input(i, _bits(array)):
                    bound.append(i)
                else:
                    self._native.input(i)[...] = _bits(array)
            self._native.run()
        finally:
            for i in bound:
                self._native.bind_input(i, None)
        return {name: self.output(name).copy() for name in self._output_index}

    def _check(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        if not isinstance(inputs, Mapping):
            raise TypeError(f"inputs are a dict of arrays by name, of {sorted(self._input_index)}")
        unknown = sorted(set(inputs) - set(self._input_index))
        missing = sorted(set(self._input_index) - set(inputs))
        if unknown or missing:
            raise ValueError(
                f"inputs are {sorted(self._input_index)}; not given: {missing}, not known: {unknown}"
            )
        arrays = []
        for info in self.model.inputs:
            array = np.ascontiguousarray(inputs[info.name]).reshape(np.shape(inputs[info.name]))
            if array.dtype != info.numpy_dtype:
                raise TypeError(
                    f"input {info.name!r} has dtype {array.dtype}, should be {info.numpy_dtype}"
                )
            if array.ndim != len(info.shape):
                raise ValueError(
                    f"input {info.name!r} has shape {array.shape}, should have "
                    f"{len(info.shape)} dimensions, as {info.shape}"
                )
            arrays.append(array)
        return arrays

    def input(self, name: str) -> np.ndarray:
        """The session's own memory of an input, to be written before ``run_in_place``."""
        i = self._input_index[name]
        return self._native.input(i).view(self.model.inputs[i].numpy_dtype)

    def output(self, name: str) -> np.ndarray:
        """The session's own memory of an output; the next run overwrites it."""
        i = self._output_index[name]
        return self._native.output(i).view(self.model.outputs[i].numpy_dtype)

    def run_in_place(self) -> None:
        """Runs the model on what ``input(name)`` holds; nothing is copied or allocated."""
        with self._lock:
            self._native.run()

    def cancel(self) -> None:
        """Stops a run that is in progress in another thread; its states stay as before it."""
        self._native.cancel()

    def reset(self) -> None:
        """Sets every state to its initial value."""
        with self._lock:
            self._native.reset()

    def save(self) -> bytes:
        """All states, for ``restore`` on any CPU."""
        with self._lock:
            return self._native.save()

    def restore(self, data: bytes) -> None:
        """Takes back what ``save`` returned, from a session of the same model."""
        with self._lock:
            self._native.restore(data)

    def plan(self, json: bool = False) -> str:
        """The steps with their backends, kernels, costs and memory, as text or JSON."""
        return self._native.plan(json)
