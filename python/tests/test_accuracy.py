# SPDX-License-Identifier: Apache-2.0
"""The published figures of our own models, from their held-out samples, FP32 and INT8.

The models lie beside the source tree, or where MEDULLA_SHARED says; without them this skips.
"""

import os
import pathlib

import numpy as np
import pytest

import medulla

SHARED = pathlib.Path(
    os.environ.get("MEDULLA_SHARED", pathlib.Path(__file__).parents[2] / ".." / "shared")
)
MODELS = SHARED / "models"
HALF_A_POINT = 0.005

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"{MODELS} is not there")


def load(folder, name):
    return np.load(MODELS / folder / name)


def outputs(folder, file, samples):
    """The last output of each sample; pictures are fed as (u8 - 128) / 128."""
    session = medulla.Session(medulla.convert(MODELS / folder / f"{file}.onnx"))
    (info,) = session.model.inputs
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    name = session.model.outputs[-1].name
    return np.stack([session.run({info.name: x.reshape(info.shape)})[name] for x in samples])


def area_under_curve(scores, positive):
    order = np.concatenate([scores[positive], scores[~positive]])
    ranks = np.array([(order < s).sum() + ((order == s).sum() + 1) / 2 for s in scores[positive]])
    n, m = positive.sum(), (~positive).sum()
    return (ranks.sum() - n * (n + 1) / 2) / (n * m)


@pytest.mark.parametrize(
    "folder, file, auc, sensitivity, specificity",
    [
        ("xray_pneumonia", "model_fp32", 0.982, 0.803, 0.987),
        ("xray_pneumonia", "model_int8", 0.982, 0.811, 0.987),
        ("xray_mobilenet", "model_fp32", 0.981, 0.819, 0.987),
        ("xray_mobilenet", "model_int8", 0.981, 0.819, 0.987),
        ("xray_mobilenet", "model_int8_qat", 0.980, 0.795, 1.000),
    ],
)
def test_chest_xray(folder, file, auc, sensitivity, specificity):
    logits = outputs(folder, file, load("xray_pneumonia", "x.npy")).ravel()
    ill = load("xray_pneumonia", "y.npy") == 1
    assert area_under_curve(logits, ill) == pytest.approx(auc, abs=HALF_A_POINT)
    assert (logits[ill] > 0).mean() == pytest.approx(sensitivity, abs=HALF_A_POINT)
    assert (logits[~ill] <= 0).mean() == pytest.approx(specificity, abs=HALF_A_POINT)


# The published table is of 202 pictures, 64 of which are there. These are the figures of the 64 with
# ONNX Runtime 1.31, graph optimisations off.
@pytest.mark.parametrize("file, auc", [("model_fp32", 0.784), ("model_int8", 0.783)])
def test_anomaly(file, auc):
    x = load("xray_autoencoder", "x.npy")
    pictures = (x.astype(np.float32) - 128) / 128
    error = (outputs("xray_autoencoder", file, x).reshape(pictures.shape) - pictures) ** 2
    blocks = error.reshape(len(x), 8, 16, 8, 16).mean(axis=(2, 4))
    score = blocks.max(axis=(1, 2)) / error.mean(axis=(1, 2, 3))
    ill = load("xray_autoencoder", "y.npy") == 1
    assert area_under_curve(score, ill) == pytest.approx(auc, abs=HALF_A_POINT)


@pytest.mark.parametrize(
    "file, nerve, vessel", [("model_fp32", 0.578, 0.752), ("model_int8", 0.564, 0.743)]
)
def test_nerves_and_vessels(file, nerve, vessel):
    found = outputs("us_nerve_unet", file, load("us_nerve_unet", "x.npy"))[:, 0].argmax(axis=1)
    with np.load(MODELS / "us_nerve_unet" / "y.npz") as masks:
        truth = masks["y"]
    for label, dice in ((1, nerve), (2, vessel)):
        a, b = found == label, truth == label
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) == pytest.approx(dice, abs=HALF_A_POINT)


@pytest.mark.parametrize("folder", ["ecg_cnn", "ecg_cnn_lstm"])
@pytest.mark.parametrize("kind", ["fp32", "int8"])
def test_beats_have_the_golden_classes(folder, kind):
    found = outputs(folder, f"model_{kind}", load(folder, "x.npy"))[:, 0].argmax(axis=1)
    golden = load(folder, f"y_{kind}.npy").argmax(axis=1)
    assert (found == golden).mean() >= 0.99
