# SPDX-License-Identifier: Apache-2.0
"""What the two README.md say of Python, run as it stands there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def snippets(readme):
    return re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)


@pytest.fixture(autouse=True)
def beside_the_examples(monkeypatch, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)


def test_the_package_answers(tmp_path):
    (box,) = snippets("python/README.md")
    names = {}
    exec(box, names)
    assert names["answer"]["logits"].shape == (1, 4)
    assert (tmp_path / "out/ecg_cnn.mdl").stat().st_size > 0


def test_the_snippets_answer():
    boxes = snippets("README.md")
    assert len(boxes) == 2
    names = {}
    exec(boxes[0], names)
    assert names["logits"].shape == (1, 4)
    assert names["logits"].argmax() == 0  # a normal beat
    exec(boxes[1], names)
    assert names["scores"].shape == (1, 5)
    assert names["scores"].argmax() == 0
