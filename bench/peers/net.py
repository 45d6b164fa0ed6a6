# SPDX-License-Identifier: Apache-2.0
"""Builds an ONNX graph layer by layer, with random weights that keep activations in range."""
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Net:
    """Builds an ONNX graph and evaluates each node on a sample input at the same time."""

    def __init__(self, name, sample):
        self.name = name
        self.rng = np.random.default_rng(sum(map(ord, name)))
        self.sample = sample
        self.nodes, self.inits, self.value = [], [], {"x": sample}

    def init(self, array, name=None):
        name = name or f"w{len(self.inits)}"
        self.inits.append(numpy_helper.from_array(np.array(array, order="C"), name))
        self.value[name] = array
        return name

    def f32(self, array):
        return self.init(np.asarray(array, np.float32))

    def i64(self, *ints):
        return self.init(np.asarray(ints, np.int64))

    def shape(self, x):
        return self.value[x].shape

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{kind.lower()}{len(self.nodes)}" + (f"_{i}" if i else "")
                 for i in range(outputs)]
        node = helper.make_node(kind, list(inputs), names, name=names[0], **attributes)
        self.nodes.append(node)
        self.value.update(zip(names, self._run(node)))
        return names[0] if outputs == 1 else names

    def _run(self, node):
        feeds = {i: self.value[i] for i in node.input if i}
        graph = helper.make_graph([node], "one", [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in feeds.items()],
            [helper.make_empty_tensor_value_info(n) for n in node.output])
        model = _model(graph)
        return ort.InferenceSession(model.SerializeToString(),
                                    providers=["CPUExecutionProvider"]).run(None, feeds)

    def _he(self, *shape, fan_in):
        return (self.rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    def _conv(self, kind, x, weight, axis, **attributes):
        """Convolution with a folded BatchNorm: statistics of the sample, random gamma and beta."""
        cout = weight.shape[axis] * (attributes["group"] if kind == "ConvTranspose" else 1)
        w, b = self.init(weight), self.init(np.zeros(cout, np.float32))
        y = self.op(kind, x, w, b, **attributes)
        v = self.value[y]
        axes = tuple(i for i in range(v.ndim) if i != 1)
        mean, std = v.mean(axes), v.std(axes)
        std = np.maximum(std, 0.2 * std.mean() + 1e-6)
        gamma = self.rng.uniform(0.7, 1.3, cout).astype(np.float32)
        beta = self.rng.normal(0, 0.3, cout).astype(np.float32)
        scale = gamma / std
        wide = [1] * weight.ndim
        wide[axis] = -1
        weight *= scale.reshape(wide)
        bias = beta - scale * mean
        self.inits[-2:] = [numpy_helper.from_array(weight, w), numpy_helper.from_array(bias, b)]
        channels = [1, -1] + [1] * (v.ndim - 2)
        self.value[y] = v * scale.reshape(channels) + bias.reshape(channels)
        return y

    def conv(self, x, cout, k, stride=1, pad=None, group=1):
        """k, stride: int or tuple. pad: None keeps the size at stride 1; or the ONNX list."""
        spatial = len(self.shape(x)) - 2
        k = (k,) * spatial if isinstance(k, int) else k
        stride = (stride,) * spatial if isinstance(stride, int) else stride
        if pad is None:
            pad = [(n - 1) // 2 for n in k] + [n // 2 for n in k]
        cin = self.shape(x)[1] // group
        w = self._he(cout, cin, *k, fan_in=cin * np.prod(k))
        return self._conv("Conv", x, w, 0, kernel_shape=k, strides=stride, pads=pad, group=group)

    def upconv(self, x, cout):
        cin = self.shape(x)[1]
        w = self._he(cin, cout, 2, 2, fan_in=cin)
        return self._conv("ConvTranspose", x, w, 1, kernel_shape=[2, 2], strides=[2, 2], group=1)

    def relu(self, x):
        return self.op("Relu", x)

    def relu6(self, x):
        return self.op("Clip", x, self.f32(0), self.f32(6))

    def swish(self, x):
        return self.op("Mul", x, self.op("Sigmoid", x))

    def batch_norm(self, x):
        c = self.shape(x)[1]
        v = self.value[x]
        axes = tuple(i for i in range(v.ndim) if i != 1)
        return self.op("BatchNormalization", x, self.f32(self.rng.uniform(0.7, 1.3, c)),
                       self.f32(self.rng.normal(0, 0.3, c)), self.f32(v.mean(axes)),
                       self.f32(v.var(axes) + 1e-3), epsilon=1e-5)

    def pool(self, kind, x, k, stride=None, pad=None):
        spatial = len(self.shape(x)) - 2
        k = (k,) * spatial if isinstance(k, int) else k
        stride = stride or k
        stride = (stride,) * spatial if isinstance(stride, int) else stride
        return self.op(kind, x, kernel_shape=k, strides=stride, pads=pad or [0] * 2 * spatial)

    def global_pool(self, x):
        return self.op("Flatten", self.op("GlobalAveragePool", x), axis=1)

    def dense(self, x, cout):
        """Gemm on [1, n]."""
        cin = self.shape(x)[1]
        return self.op("Gemm", x, self.init(self._he(cout, cin, fan_in=cin)),
                       self.f32(self.rng.normal(0, 0.1, cout)), transB=1)

    def linear(self, x, cout):
        """MatMul and Add on [1, t, n]."""
        cin = self.shape(x)[2]
        w = self._he(cin, cout, fan_in=2 * cin)
        return self.op("Add", self.op("MatMul", x, self.init(w)),
                       self.f32(self.rng.normal(0, 0.05, cout)))

    def layer_norm(self, x):
        c = self.shape(x)[-1]
        return self.op("LayerNormalization", x, self.f32(self.rng.uniform(0.7, 1.3, c)),
                       self.f32(self.rng.normal(0, 0.1, c)), axis=-1, epsilon=1e-6)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.f32(np.sqrt(2))))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.f32(1))), self.f32(0.5))

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.i64(*shape))

    def recurrent(self, kind, x, hidden):
        """x: [time, 1, features]. Returns all hidden states [time, 1, hidden] and the last."""
        gates = {"LSTM": 4, "GRU": 3}[kind]
        n = self.shape(x)[2]
        bound = 1 / np.sqrt(hidden)
        draw = lambda *s: self.f32(self.rng.uniform(-bound, bound, s) * 1.5)
        extra = {"linear_before_reset": 1} if kind == "GRU" else {}
        y = self.op(kind, x, draw(1, gates * hidden, n), draw(1, gates * hidden, hidden),
                    draw(1, 2 * gates * hidden), outputs=3 if kind == "LSTM" else 2,
                    hidden_size=hidden, **extra)
        return self.op("Squeeze", y[0], self.i64(1)), self.op("Squeeze", y[1], self.i64(0))

    def finish(self, y):
        used = {i for n in self.nodes for i in n.input}
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.sample.shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, self.shape(y))],
            [i for i in self.inits if i.name in used])
        model = onnx.shape_inference.infer_shapes(_model(graph), strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
        return model


def _model(graph):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)],
                              producer_name="medulla-networks")
    model.ir_version = IR_VERSION
    return model
