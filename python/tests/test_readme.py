# SPDX-License-Identifier: Apache-2.0
"""What README.md says of Python, run as it stands there."""

import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SHARED = pathlib.Path(os.environ.get("MEDULLA_SHARED", ROOT / "../shared"))


def test_the_snippets_answer(monkeypatch, tmp_path):
    boxes = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(boxes) == 2
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(boxes[0], names)
    assert names["logits"].shape == (1, 4)
    assert names["logits"].argmax() == 0  # a normal beat
    fetched = SHARED / "data/ecg/classify_heartbeats_cnn_quantized.tflite"
    if not fetched.exists():
        pytest.skip(f"{fetched} is not there")
    (tmp_path / fetched.name).symlink_to(fetched)
    exec(boxes[1], names)
    assert names["scores"].shape == (1, 5)
    assert names["scores"].argmax() == 0
