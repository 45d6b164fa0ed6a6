#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the networks that peers.py measures: FP32 ONNX and INT8 ONNX with Q and DQ nodes.

    networks.py FOLDER [--only NAME,NAME]

For each network NAME it writes
    NAME.onnx        FP32, opset 17, batch 1, static shapes
    NAME_int8.onnx   int8 weights per output channel, int8 activations (asymmetric)
    NAME_u8.onnx     the same with uint8 activations, which some engines run faster
    NAME.x.npy       one input, float32
    NAME.y.npy       ONNX Runtime's FP32 output for it

The topologies are the published ones, the weights are random from a fixed seed. The graph is run
node by node while it is built, and every convolution is rescaled to the mean and variance of a
channel that a folded BatchNorm would give it; so activations stay in the range of a trained net.
"""
import argparse
import logging
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from net import Net
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

# Inputs ---------------------------------------------------------------------------------------


def image(rng, channels, size):
    """Smooth structures at several scales and a little noise, about zero mean and unit variance."""
    x = 0.15 * rng.standard_normal((channels, size, size))
    for cells in (4, 8, 16, 32):
        grid = rng.standard_normal((channels, cells + 1, cells + 1))
        at = np.linspace(0, cells - 1e-6, size)
        i, f = at.astype(int), at % 1
        rows = grid[:, i] * (1 - f)[None, :, None] + grid[:, i + 1] * f[None, :, None]
        x += (rows[:, :, i] * (1 - f) + rows[:, :, i + 1] * f) * (2 / cells) ** 0.5
    return (x / x.std())[None].astype(np.float32)


def signal(rng, shape, rate):
    """Band-limited waves and noise, one row a lead; shape ends in [leads, samples]."""
    leads, n = shape[-2:]
    t = np.arange(n) / rate
    x = 0.1 * rng.standard_normal((leads, n))
    for f in (0.3, 1.2, 5, 10, 22):
        size, phase = rng.uniform(0.2, 1, (leads, 1)), rng.uniform(size=(leads, 1))
        x += size * np.sin(2 * np.pi * (f * t + phase))
    return (x / x.std()).reshape(shape).astype(np.float32)


# Networks -------------------------------------------------------------------------------------

def mobilenet_v2_224(n):
    x = n.relu6(n.conv("x", 32, 3, 2))
    for expand, cout, repeats, stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(repeats):
            cin, s = n.shape(x)[1], stride if i == 0 else 1
            y = n.relu6(n.conv(x, cin * expand, 1)) if expand > 1 else x
            y = n.relu6(n.conv(y, cin * expand, 3, s, [1, 1, 1, 1], group=cin * expand))
            y = n.conv(y, cout, 1)
            x = n.op("Add", x, y) if s == 1 and cin == cout else y
    return n.dense(n.global_pool(n.relu6(n.conv(x, 1280, 1))), 1000)


def resnet(n, repeats, bottleneck):
    x = n.relu(n.conv("x", 64, 7, 2, [3, 3, 3, 3]))
    x = n.pool("MaxPool", x, 3, 2, [1, 1, 1, 1])
    for stage, count in enumerate(repeats):
        width = 64 << stage
        for i in range(count):
            s, p = (2 if stage and i == 0 else 1), [1, 1, 1, 1]
            if bottleneck:
                y = n.relu(n.conv(x, width, 1))
                y = n.conv(n.relu(n.conv(y, width, 3, s, p)), 4 * width, 1)
            else:
                y = n.conv(n.relu(n.conv(x, width, 3, s, p)), width, 3)
            if n.shape(x) != n.shape(y):
                x = n.conv(x, n.shape(y)[1], 1, s)
            x = n.relu(n.op("Add", x, y))
    return n.dense(n.global_pool(x), 1000)


def resnet18_224(n):
    return resnet(n, (2, 2, 2, 2), False)


def resnet50_224(n):
    return resnet(n, (3, 4, 6, 3), True)


def densenet121_224(n):
    x = n.relu(n.conv("x", 64, 7, 2, [3, 3, 3, 3]))
    x = n.pool("MaxPool", x, 3, 2, [1, 1, 1, 1])
    for stage, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            y = n.relu(n.conv(n.relu(n.batch_norm(x)), 128, 1))
            x = n.op("Concat", x, n.conv(y, 32, 3), axis=1)
        x = n.relu(n.batch_norm(x))
        if stage < 3:
            x = n.pool("AveragePool", n.conv(x, n.shape(x)[1] // 2, 1), 2)
    return n.dense(n.global_pool(x), 1000)


def unet_256(n):
    def double(x, c):
        return n.relu(n.conv(n.relu(n.conv(x, c, 3)), c, 3))
    x, skips = "x", []
    for c in (32, 64, 128, 256):
        skips.append(double(x, c))
        x = n.pool("MaxPool", skips[-1], 2)
    x = double(x, 512)
    for skip in reversed(skips):
        c = n.shape(skip)[1]
        x = double(n.op("Concat", n.upconv(x, c), skip, axis=1), c)
    return n.op("Sigmoid", n.conv(x, 1, 1))


def liteai_512(n):
    x = n.swish(n.conv("x", 32, 3, 2, [1, 1, 1, 1]))
    for block in range(4):
        start = x
        for _ in range(4):
            x = n.op("Concat", x, n.swish(n.conv(x, 16, 3)), axis=1)
        x = n.op("Add", n.conv(x, n.shape(start)[1], 1), start)
        x = n.swish(n.conv(x, n.shape(x)[1] + 32, 1))
        x = n.pool("AveragePool", x, 2) if block < 3 else x
    return n.op("Sigmoid", n.dense(n.global_pool(x), 14))


def autoencoder_256(n):
    x = "x"
    for c in (16, 32, 64, 128):
        x = n.relu(n.conv(x, c, 3, 2, [1, 1, 1, 1]))
    for c in (64, 32, 16, 16):
        up = n.op("Resize", x, "", n.f32([1, 1, 2, 2]), mode="nearest",
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        x = n.relu(n.conv(up, c, 3))
    return n.conv(x, 1, 3)


def cnn_lstm_ecg(n):
    x = "x"
    for c, k in ((32, 7), (64, 5), (128, 3)):
        x = n.pool("MaxPool", n.relu(n.conv(x, c, k)), 2)
    _, last = n.recurrent("LSTM", n.op("Transpose", x, perm=[2, 0, 1]), 64)
    return n.dense(last, 9)


def eegnet(n):
    x = n.conv("x", 8, (1, 64))
    x = n.op("Elu", n.conv(x, 16, (22, 1), pad=[0] * 4, group=8))
    x = n.pool("AveragePool", x, (1, 4))
    x = n.op("Elu", n.conv(n.conv(x, 16, (1, 16), group=16), 16, 1))
    return n.dense(n.op("Flatten", n.pool("AveragePool", x, (1, 8)), axis=1), 4)


def gru_vitals(n):
    x = n.op("Transpose", "x", perm=[1, 0, 2])
    x, _ = n.recurrent("GRU", x, 64)
    _, last = n.recurrent("GRU", x, 64)
    return n.dense(last, 4)


def mlp_autoencoder(n):
    x = "x"
    for width in (128,) * 4 + (8,) + (128,) * 4:
        x = n.relu(n.dense(x, width))
    return n.dense(x, 640)


def vit_tiny_224(n):
    dim, heads, tokens = 192, 3, 197
    x = n.conv("x", dim, 16, 16, [0] * 4)
    x = n.op("Transpose", n.reshape(x, 1, dim, 196), perm=[0, 2, 1])
    x = n.op("Concat", n.f32(n.rng.normal(0, 0.5, (1, 1, dim))), x, axis=1)
    x = n.op("Add", x, n.f32(n.rng.normal(0, 0.5, (1, tokens, dim))))
    for _ in range(12):
        qkv = n.reshape(n.linear(n.layer_norm(x), 3 * dim), 1, tokens, 3, heads, dim // heads)
        parts = n.op("Split", n.op("Transpose", qkv, perm=[2, 0, 3, 1, 4]), outputs=3, axis=0)
        q, k, v = (n.op("Squeeze", p, n.i64(0)) for p in parts)
        q = n.op("Mul", q, n.f32((dim // heads) ** -0.5))
        a = n.op("Softmax", n.op("MatMul", q, n.op("Transpose", k, perm=[0, 1, 3, 2])), axis=-1)
        a = n.op("Transpose", n.op("MatMul", a, v), perm=[0, 2, 1, 3])
        x = n.op("Add", x, n.linear(n.reshape(a, 1, tokens, dim), dim))
        x = n.op("Add", x, n.linear(n.gelu(n.linear(n.layer_norm(x), 4 * dim)), dim))
    cls = n.op("Gather", n.layer_norm(x), n.init(np.asarray(0, np.int64)), axis=1)
    return n.dense(cls, 1000)


def call_overhead(n):
    """One Relu on eight values: what a call costs when there is nothing to compute."""
    return n.relu("x")


NETWORKS = {
    mobilenet_v2_224: lambda r: image(r, 3, 224),
    resnet18_224: lambda r: image(r, 3, 224),
    resnet50_224: lambda r: image(r, 3, 224),
    densenet121_224: lambda r: image(r, 3, 224),
    unet_256: lambda r: image(r, 1, 256),
    liteai_512: lambda r: image(r, 1, 512),
    autoencoder_256: lambda r: image(r, 1, 256),
    vit_tiny_224: lambda r: image(r, 3, 224),
    cnn_lstm_ecg: lambda r: signal(r, (1, 12, 1000), 250),
    eegnet: lambda r: signal(r, (1, 1, 22, 1000), 250),
    gru_vitals: lambda r: signal(r, (1, 8, 60), 1).transpose(0, 2, 1).copy(),
    mlp_autoencoder: lambda r: signal(r, (1, 1, 640), 100).reshape(1, 640),
    call_overhead: lambda r: r.standard_normal((1, 8)).astype(np.float32),
}


# Quantising and writing -------------------------------------------------------------------------

def quantize(source, target, draw, kind):
    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rng, self.left = np.random.default_rng(99), 8

        def get_next(self):
            self.left -= 1
            return {"x": draw(self.rng)} if self.left >= 0 else None

    quantize_static(source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    weight_type=QuantType.QInt8, activation_type=kind)


def write(out, build, draw):
    name, path = build.__name__, out / build.__name__
    net = Net(name, draw(np.random.default_rng(7)))
    onnx.save(net.finish(build(net)), f"{path}.onnx")
    np.save(f"{path}.x.npy", net.sample)
    session = ort.InferenceSession(f"{path}.onnx", providers=["CPUExecutionProvider"])
    np.save(f"{path}.y.npy", session.run(None, {"x": net.sample})[0])
    for kind, dtype in ("int8", QuantType.QInt8), ("u8", QuantType.QUInt8):
        quantize(f"{path}.onnx", f"{path}_{kind}.onnx", draw, dtype)
    print(f"{path}.onnx", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", help="comma-separated names")
    args = parser.parse_args()
    known = {build.__name__: build for build in NETWORKS}
    names = args.only.split(",") if args.only else list(known)
    if unknown := set(names) - set(known):
        parser.error(f"no network named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    logging.disable(logging.WARNING)  # the quantiser's advice to fold BatchNorm: it is folded
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write(args.folder, known[name], NETWORKS[known[name]])


if __name__ == "__main__":
    main()
