# SPDX-License-Identifier: Apache-2.0
"""What README.md says of Python, run as it stands there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def test_the_snippet_answers(monkeypatch):
    boxes = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(boxes) == 1
    monkeypatch.chdir(ROOT)
    names = {}
    exec(boxes[0], names)
    assert names["logits"].shape == (1, 4)
    assert names["logits"].argmax() == 0  # a normal beat
