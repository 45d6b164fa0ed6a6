# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/numerics.md for integers, in numpy: a function for each operator, in RULES."""

import itertools

import numpy as np

f32, f64 = np.float32, np.float64


def fl(x):
    """One rounding to binary32; subnormal values count as zero."""
    y = np.asarray(x).astype(f32)
    return np.where(np.abs(y) < f32(2.0**-126), f32(0), y)


def multiplier(x):
    """A quotient of scales in binary64, rounded once; it has to be normal."""
    m = f32(x)
    assert np.isfinite(m) and m >= f32(2.0**-126), f"multiplier {x} is not normal"
    return m


class Node:
    def __init__(self, model, row):
        self.model, self.op, self.name, self.attributes = (
            model,
            row["op"],
            row["name"],
            row["attributes"],
        )
        self.inputs, self.outputs = row["inputs"], row["outputs"]

    def get(self, name, otherwise=None):
        return self.attributes.get(name, otherwise)

    def x(self, i):
        return (
            self.model.values[self.inputs[i]] if i < len(self.inputs) and self.inputs[i] else None
        )

    def info(self, name):
        return self.model.tensors[name]

    def scale(self, name):
        return f64(f32(self.info(name)["scales"][0]))

    def zero(self, name):
        return self.info(name)["zero_points"][0]

    def d(self, i):
        """x - z_x, exact."""
        return self.x(i).astype(np.int64) - self.zero(self.inputs[i])

    @property
    def y(self):
        return self.info(self.outputs[0])

    def Q(self, t, z=None, real=f32):
        """rne(clamp(t)) + z in binary32, or in `real`, the clamp first; NaN gives qmin."""
        z = self.zero(self.outputs[0]) if z is None else z
        limits = np.iinfo(self.y["dtype"])
        low, high = self.get("qmin", limits.min) - z, self.get("qmax", limits.max) - z
        t = np.asarray(t, real)
        t = np.where(t > real(low), t, real(low))
        t = np.where(t < real(high), t, real(high))
        return (np.rint(t).astype(np.int64) + z).astype(self.y["dtype"])

    def same(self, stored, formed, what):
        assert np.array_equal(np.asarray(stored, f64), np.asarray(formed, f64)), f"{what} differs"
        return np.asarray(formed, f32)


def per_axis(info, values):
    """Scales or zero points, shaped to be broadcast over the tensor."""
    shape = [1] * len(info["shape"])
    if len(values) > 1:
        shape[info["axis"]] = len(values)
    return np.asarray(values).reshape(shape)


def taps(n, x, kernel, padding, hang=None):
    """For each tap, in order, the input's pixels of all outputs: [N, outputs..., C]. Pads have the
    value `padding`, what windows hang over them in ceil mode has `hang`."""
    spatial = len(kernel)
    strides, dilations = n.get("strides") or [1] * spatial, n.get("dilations") or [1] * spatial
    pads = n.get("pads") or [0] * (2 * spatial)
    outs = n.y["shape"][1:-1]
    around = [(0, 0), *zip(pads[:spatial], pads[spatial:]), (0, 0)]
    x = np.pad(x, around, constant_values=padding)
    spans = [(o - 1) * s + 1 for o, s in zip(outs, strides)]
    reach = [span + (k - 1) * d for span, k, d in zip(spans, kernel, dilations)]
    beyond = [(0, 0), *((0, max(0, r - i)) for r, i in zip(reach, x.shape[1:])), (0, 0)]
    x = np.pad(x, beyond, constant_values=padding if hang is None else hang)
    for tap in itertools.product(*map(range, kernel)):
        starts = [t * d for t, d in zip(tap, dilations)]
        pixels = [slice(f, f + span, s) for f, span, s in zip(starts, spans, strides)]
        yield x[(slice(None), *pixels)]


def layer(n, sums_of):
    """QConv and QGemm: sums_of(w - z_w) in binary64, where sums within +-2^53 are exact."""
    w, w_info, count = n.x(1), n.info(n.inputs[1]), len(n.x(1))
    w = w.astype(np.int64) - per_axis(w_info, w_info["zero_points"])
    rows = w.reshape(count, -1)
    P, N = np.maximum(rows, 0).sum(1), np.maximum(-rows, 0).sum(1)
    bias, steps = n.x(2), n.get("output_scale")
    is_float = n.y["dtype"] == "float32" and steps is None
    wide, x_range = n.x(0).dtype == np.int16, np.iinfo(n.x(0).dtype)
    low, high = x_range.min - n.zero(n.inputs[0]), x_range.max - n.zero(n.inputs[0])
    b = 0 if bias is None or is_float else bias.astype(np.int64)
    low, high = b + P * low - N * high, b + P * high - N * low
    least, most = (-(2**53), 2**53) if wide else (-(2**31), 2**31 - 1)
    assert np.all(high <= most) and np.all(low >= least), "overflow"
    n.same(n.get("sum_range"), [min(low.min(), 0), max(high.max(), 0)], "sum_range")
    s_y = 1 if is_float else n.scale(n.outputs[0]) if steps is None else f64(steps)
    s_w = np.broadcast_to(np.asarray(w_info["scales"], f32), count)
    if wide:
        assert n.y["dtype"] == "int16"
        formed = [n.scale(n.inputs[0]) * f64(s) / s_y for s in s_w]
        assert np.array_equal(n.x(3), np.asarray(formed, f64)), "multiplier differs"
        return n.Q((sums_of(w.astype(f64)) + b) * n.x(3), real=f64)
    formed = [multiplier(n.scale(n.inputs[0]) * f64(s) / s_y) for s in s_w]
    m = n.same(n.x(3), formed, "multiplier")
    sums = sums_of(w.astype(f64))
    if steps is not None:
        return fl(fl(sums + b) * m)
    if not is_float:
        return n.Q(fl(fl(sums + b) * m))
    return fl(fl(sums) * m) if bias is None else fl(fl(fl(sums) * m) + bias)


def q_conv(n):
    def sums(w):
        group = n.get("group", 1)
        kernel, width = w.shape[1:-1], w.shape[-1]
        w = w.reshape(group, -1, int(np.prod(kernel)), width)
        total = 0
        for t, x in enumerate(taps(n, n.d(0).astype(f64), kernel, 0)):
            x = np.moveaxis(x.reshape(-1, group, width), 1, 0)
            total = total + np.matmul(x, np.moveaxis(w[:, :, t], 1, 2))
        return np.moveaxis(total, 0, 1).reshape(n.y["shape"])

    return layer(n, sums)


def q_gemm(n):
    return layer(n, lambda w: n.d(0).astype(f64) @ w.T)


def product_multiplier(n):
    s_y = 1 if n.y["dtype"] == "float32" else n.scale(n.outputs[0])
    m = multiplier(n.scale(n.inputs[0]) * n.scale(n.inputs[1]) / s_y)
    return n.same(n.get("multiplier"), m, "multiplier")


def ratio(n, i=0, count=1):
    return multiplier(n.scale(n.inputs[i]) / (n.scale(n.outputs[0]) * f64(count)))


def q_add_float(n):
    k = n.same(n.get("multiplier"), ratio(n, 1), "multiplier")
    return n.Q(fl(n.x(0) + fl(fl(n.d(1)) * k)))


def q_matmul(n):
    t = fl(fl(n.d(0).astype(f64) @ n.d(1).astype(f64)) * product_multiplier(n))
    return t if n.y["dtype"] == "float32" else n.Q(t)


def q_sum(n):
    k = n.same(n.get("multipliers"), [ratio(n, 0), ratio(n, 1)], "multipliers")
    a, b = fl(fl(n.d(0)) * k[0]), fl(fl(n.d(1)) * k[1])
    return n.Q(fl(a + b) if n.op == "QAdd" else fl(a - b))


def q_mul(n):
    return n.Q(fl(fl(n.d(0) * n.d(1)) * product_multiplier(n)))


def q_batch_normalization(n):
    return n.Q(fl(fl(fl(n.d(0)) * n.x(1)) + n.x(2)))


def q_concat(n):
    k = n.same(n.get("multipliers"), [ratio(n, i) for i in range(len(n.inputs))], "multipliers")
    to, parts = n.y, []
    for i, name in enumerate(n.inputs):
        alike = all(n.info(name)[key] == to[key] for key in ("scales", "zero_points"))
        parts.append(n.x(i) if alike else n.Q(fl(fl(n.d(i)) * k[i])))
    return np.concatenate(parts, n.get("axis"))


def q_lookup(n):
    return n.x(1)[n.x(0).astype(np.int64) + 128]


def q_average_pool(n):
    kernel = n.get("kernel_shape")
    m = [ratio(n, 0, i + 1) for i in range(int(np.prod(kernel)))]
    m = n.same(n.get("multipliers"), m, "multipliers")
    d, with_pads = n.d(0), int(n.get("count_include_pad", 0) != 0)
    counts = sum(taps(n, np.ones_like(d), kernel, with_pads, 0))
    return n.Q(fl(fl(sum(taps(n, d, kernel, 0))) * m[counts - 1]))


def q_global_average_pool(n):
    d = n.d(0)
    spatial = tuple(range(1, d.ndim - 1))
    m = ratio(n, 0, int(np.prod(d.shape[1:-1])))
    return n.Q(fl(fl(d.sum(spatial, keepdims=True)) * n.same(n.get("multiplier"), m, "multiplier")))


def coordinates(n, axis, size, out):
    """Where each output index lies in the input, in binary64; None when the dimension stays."""
    scales, mode = n.get("scales"), n.get("coordinate_transformation_mode", "half_pixel")
    scale = f64(scales[axis]) if scales else f64(out) / f64(size)
    i = np.arange(out, dtype=f64)
    if out == size and scale == 1:
        return None
    if mode == "align_corners":
        extent = f64(size) * scale if scales else f64(out)
        return i * f64(size - 1) / (extent - 1) if out > 1 else i * 0
    if mode == "pytorch_half_pixel" and out <= 1:
        return i * 0
    if mode in ("half_pixel", "pytorch_half_pixel"):
        return (i + 0.5) / scale - 0.5
    assert mode == "asymmetric", f"coordinates {mode}"
    return i / scale


def q_resize(n):
    assert not n.get("antialias", 0)
    v = fl(n.d(0))
    for axis in reversed(range(v.ndim)):
        size = v.shape[axis]
        at = coordinates(n, axis, size, n.y["shape"][axis])
        if at is None:
            continue
        at = np.clip(at, 0, size - 1)
        low = np.floor(at).astype(np.int64)
        shape = [-1 if a == axis else 1 for a in range(v.ndim)]
        w0, w1 = (f32(w).reshape(shape) for w in (1 - (at - low), at - low))
        a, b = np.take(v, low, axis), np.take(v, np.minimum(low + 1, size - 1), axis)
        v = fl(fl(a * w0) + fl(b * w1))
    return n.Q(fl(v * n.same(n.get("multiplier"), ratio(n), "multiplier")))


def resize(n):
    assert n.get("mode", "nearest") == "nearest", "mode of integers"
    rounded = {
        "round_prefer_floor": lambda v: np.ceil(v - 0.5),
        "round_prefer_ceil": lambda v: np.floor(v + 0.5),
        "floor": np.floor,
        "ceil": np.ceil,
    }[n.get("nearest_mode", "round_prefer_floor")]
    x = n.x(0)
    for axis in range(x.ndim):
        at = coordinates(n, axis, x.shape[axis], n.y["shape"][axis])
        if at is not None:
            x = np.take(x, np.clip(rounded(at), 0, x.shape[axis] - 1).astype(np.int64), axis)
    return x


def q_layer_normalization(n):
    d = n.d(0)
    axes = tuple(range(n.get("axis", -1) % d.ndim, d.ndim))
    count = int(np.prod([d.shape[a] for a in axes]))
    S1, S2 = d.sum(axes, keepdims=True), (d * d).sum(axes, keepdims=True)
    s = n.scale(n.inputs[0])
    epsilon = f64(f32(n.get("epsilon", 1e-5))) / (s * s)
    r = 1 / np.sqrt((count * S2 - S1 * S1).astype(f64) / (f64(count) * f64(count)) + epsilon)
    A, B = fl(r), fl(-r * S1.astype(f64) / f64(count))
    t = fl(fl(fl(fl(d) * A) + B) * n.x(1))
    return n.Q(t if n.x(2) is None else fl(t + n.x(2)))


def q_softmax(n):
    x, axis = n.x(0).astype(np.int64), n.get("axis", -1)
    table = np.rint(f64(2**23) * np.exp(-n.scale(n.inputs[0]) * np.arange(256, dtype=f64)))
    assert np.array_equal(n.x(1), table.astype(np.int64)), "table differs"
    T = table.astype(np.int64)[x.max(axis, keepdims=True) - x]
    r = fl(fl(f32(1) / f32(n.scale(n.outputs[0]))) / fl(T.sum(axis, keepdims=True)))
    return n.Q(fl(fl(T) * r))


def quantize_linear(n):
    s, z = (per_axis(n.y, n.y[key]) for key in ("scales", "zero_points"))
    return n.Q(fl(fl(n.x(0)) / s.astype(f32)), z)


def dequantize_linear(n):
    x = n.info(n.inputs[0])
    s, z = (per_axis(x, x[key]) for key in ("scales", "zero_points"))
    return fl(fl(n.x(0).astype(np.int64) - z) * s.astype(f32))


def max_pool(n):
    least = np.iinfo(n.x(0).dtype).min
    return np.maximum.reduce(list(taps(n, n.x(0), n.get("kernel_shape"), least)))


def arg_max(n):
    axis, x = n.get("axis", 0), n.x(0)
    if n.get("select_last_index", 0):
        at = x.shape[axis] - 1 - np.argmax(np.flip(x, axis), axis)
    else:
        at = np.argmax(x, axis)
    return np.expand_dims(at, axis) if n.get("keepdims", 1) else at


def slice_(n):
    span = [slice(None)] * n.x(0).ndim
    starts, ends = n.get("starts"), n.get("ends")
    axes, steps = n.get("axes") or range(len(starts)), n.get("steps") or [1] * len(starts)
    for axis, start, end, step in zip(axes, starts, ends, steps):
        span[axis] = slice(start, end, step)
    return n.x(0)[tuple(span)]


def gather_nd(n):
    assert n.get("batch_dims", 0) == 0, "batch_dims"
    return n.x(0)[tuple(np.moveaxis(n.x(1), -1, 0))]


def pad(n):
    rank, pads = n.x(0).ndim, n.get("pads")
    around = list(zip(pads[:rank], pads[rank:]))
    assert min(pads) >= 0
    mode = n.get("mode", "constant")
    given = {"constant_values": int(n.get("value", 0))} if mode == "constant" else {}
    return np.pad(n.x(0), around, mode=mode, **given)


def split(n):
    return np.split(n.x(0), np.cumsum(n.get("sizes"))[:-1], n.get("axis"))


def reshape(n):
    return n.x(0).reshape(n.y["shape"])


RULES = {
    "QConv": q_conv,
    "QGemm": q_gemm,
    "QMatMul": q_matmul,
    "QAdd": q_sum,
    "QAddFloat": q_add_float,
    "QSub": q_sum,
    "QMul": q_mul,
    "QBatchNormalization": q_batch_normalization,
    "QConcat": q_concat,
    "QLookup": q_lookup,
    "QAveragePool": q_average_pool,
    "QGlobalAveragePool": q_global_average_pool,
    "QResize": q_resize,
    "QLayerNormalization": q_layer_normalization,
    "QSoftmax": q_softmax,
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "MaxPool": max_pool,
    "ArgMax": arg_max,
    "Slice": slice_,
    "Pad": pad,
    "Split": split,
    "Resize": resize,
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Identity": reshape,
    "Transpose": lambda n: np.transpose(n.x(0), n.get("perm")),
    "Concat": lambda n: np.concatenate([n.x(i) for i in range(len(n.inputs))], n.get("axis")),
    "GatherND": gather_nd,
    "Gather": lambda n: np.take(n.x(0), n.x(1), n.get("axis", 0)),
    "Expand": lambda n: np.broadcast_to(n.x(0), n.y["shape"]),
}
