# SPDX-License-Identifier: Apache-2.0
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import medulla


def model_of(nodes, inputs, outputs, constants=(), opset=13):
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


@pytest.fixture
def double():
    """y = x + x, of up to four rows."""
    return model_of(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [("x", TensorProto.FLOAT, ["N", 3])],
        [("y", TensorProto.FLOAT, ["N", 3])],
    )


def test_a_model_is_converted_and_run(double):
    session = medulla.Session(medulla.convert(double))
    x = np.array([[1, 2, 3]], np.float32)
    np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x)


def test_a_dimension_varies_up_to_its_maximum(double):
    model = medulla.convert(double, max={"N": 4})
    assert model.inputs[0].shape == (4, 3)
    session = medulla.Session(model)
    for rows in (1, 4, 2):
        x = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
        np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x)
    with pytest.raises(medulla.Error, match="should be 1 to 4") as caught:
        session.run({"x": np.zeros((5, 3), np.float32)})
    assert caught.value.status == "MDL_ERROR_SHAPE"


def test_a_dimension_is_fixed(double):
    session = medulla.Session(medulla.convert(double, fix_dim={"N": 4}))
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x)


def test_any_memory_layout_gives_the_same(double):
    session = medulla.Session(medulla.convert(double, max={"N": 4}))
    block = np.arange(64, dtype=np.float32)
    for x in (block[1:13].reshape(4, 3), block[:12].reshape(3, 4).T, block[::2][:12].reshape(4, 3)):
        np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x)


def test_in_place_run_copies_nothing(double):
    session = medulla.Session(medulla.convert(double))
    session.input("x")[...] = 3
    session.run_in_place()
    y = session.output("y")
    assert (y == 6).all()
    session.input("x")[...] = 4
    session.run_in_place()
    assert (y == 8).all()


def test_views_keep_their_session(double):
    y = medulla.Session(medulla.convert(double)).output("y")
    assert y.shape == (1, 3)


def test_what_is_not_right_is_named(double):
    session = medulla.Session(medulla.convert(double))
    with pytest.raises(ValueError, match="not known: \\['z'\\]"):
        session.run({"z": np.zeros((1, 3), np.float32)})
    with pytest.raises(TypeError, match="'x' has dtype float64, should be float32"):
        session.run({"x": np.zeros((1, 3))})
    with pytest.raises(ValueError, match="shape \\(3,\\)"):
        session.run({"x": np.zeros(3, np.float32)})
    with pytest.raises(TypeError, match="a dict of arrays by name, of \\['x'\\]"):
        session.run(np.zeros((1, 3), np.float32))
    with pytest.raises(ValueError, match="numerics"):
        medulla.Session(session.model, numerics="quick")
    with pytest.raises(medulla.Error, match="absent.mdl"):
        medulla.Model("absent.mdl")
    with pytest.raises(medulla.Error):
        medulla.Model(b"no model")


def test_every_reason_of_a_refusal_is_told():
    nodes = [helper.make_node("RandomNormal", [], [f"y{i}"], name=f"n{i}", shape=[1]) for i in (0, 1)]
    model = model_of(nodes, [], [(f"y{i}", TensorProto.FLOAT, [1]) for i in (0, 1)])
    with pytest.raises(medulla.ConvertError) as caught:
        medulla.convert(model)
    assert len(caught.value.reasons) == 2
    assert all(f"n{i}" in str(caught.value) for i in (0, 1))


def test_an_input_is_fixed():
    model = model_of(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])],
        [("x", TensorProto.FLOAT, [2, 3]), ("shape", TensorProto.INT64, [1])],
        [("y", TensorProto.FLOAT, [6])],
    )
    with pytest.raises(medulla.ConvertError) as caught:
        medulla.convert(model)
    assert caught.value.fixable == ("shape",)
    converted = medulla.convert(model, fix={"shape": np.array([6])})
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(medulla.Session(converted).run({"x": x})["y"], x.ravel())


def test_states_carry_over_and_are_saved():
    model = model_of(
        [helper.make_node("Add", ["x", "sum"], ["new"])],
        [("x", TensorProto.FLOAT, [1]), ("sum", TensorProto.FLOAT, [1])],
        [("new", TensorProto.FLOAT, [1])],
    )
    model.graph.node.append(helper.make_node("Identity", ["new"], ["y"]))
    model.graph.output.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1]))
    session = medulla.Session(medulla.convert(model, state={"sum": "new"}))
    one = np.ones(1, np.float32)
    assert session.run({"x": one})["y"] == 1
    saved = session.save()
    assert session.run({"x": one})["y"] == 2
    session.restore(saved)
    assert session.run({"x": one})["y"] == 2
    session.reset()
    assert session.run({"x": one})["y"] == 1


def test_states_begin_with_what_is_given():
    model = model_of(
        [helper.make_node("Add", ["x", "h"], ["h2"]), helper.make_node("Neg", ["h2"], ["y"])],
        [("x", TensorProto.FLOAT, [2]), ("h", TensorProto.FLOAT, [2])],
        [("h2", TensorProto.FLOAT, [2]), ("y", TensorProto.FLOAT, [2])],
    )
    initial = {"h": np.array([5, 7], np.float32)}
    session = medulla.Session(medulla.convert(model, state={"h": "h2"}, initial=initial))
    x = np.ones(2, np.float32)
    np.testing.assert_array_equal(session.run({"x": x})["y"], [-6, -8])
    np.testing.assert_array_equal(session.run({"x": x})["y"], [-7, -9])
    session.reset()
    np.testing.assert_array_equal(session.run({"x": x})["y"], [-6, -8])
    with pytest.raises(medulla.ConvertError, match="h"):
        medulla.convert(model, state={"h": "h2"}, initial={"h": np.zeros(3, np.float32)})


def test_chunks_of_a_stream_give_the_same_as_all_at_once():
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 3], [1, 2, 4])
    model = model_of(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[2, 0])],
        [("x", TensorProto.FLOAT, [1, 1, "T"])],
        [("y", TensorProto.FLOAT, [1, 1, "T"])],
        [weights],
    )
    x = np.arange(12, dtype=np.float32).reshape(1, 1, 12)
    whole = medulla.Session(medulla.convert(model, max={"T": 12})).run({"x": x})["y"]
    session = medulla.Session(medulla.convert(model, max={"T": 5}, stream="T"))
    chunks = [session.run({"x": x[..., a:b]})["y"] for a, b in ((0, 5), (5, 6), (6, 10), (10, 12))]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=-1), whole)


def test_preprocessing_is_checked(double):
    medulla.convert(double, max={"N": 4}, preprocess={"x": ("", [0.5], [1])})
    with pytest.raises(medulla.ConvertError, match="no input is called 'image'"):
        medulla.convert(double, max={"N": 4}, preprocess={"image": ("NCHW", [1], [0])})


def test_a_file_comes_back(double, tmp_path):
    model = medulla.convert(double)
    model.save(tmp_path / "double.mdl")
    again = medulla.Model(tmp_path / "double.mdl")
    assert again.to_bytes() == model.to_bytes()
    assert again.inputs == model.inputs
    assert "Add" in medulla.Session(again).plan()


def test_sessions_run_in_threads(double):
    model = medulla.convert(double)
    wrong = []

    def work(value):
        session = medulla.Session(model)
        x = np.full((1, 3), value, np.float32)
        wrong.extend(1 for _ in range(200) if (session.run({"x": x})["y"] != 2 * value).any())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_share_a_session(double):
    session = medulla.Session(medulla.convert(double))
    wrong = []

    def work(value):
        x = np.full((1, 3), value, np.float32)
        for _ in range(2000):
            if (session.run({"x": x})["y"] != 2 * value).any():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_onnx_drives_medulla(double):
    from medulla.backend import onnx as backend

    x = np.array([[1, 2, 3]], np.float32)
    np.testing.assert_array_equal(backend.run_model(double, [x])[0], 2 * x)
    onnx.checker.check_model(double)
    counts = backend.run_suite("^test_(add|relu|reshape_negative_dim)_cpu$")
    assert counts == {"passed": 3}


@pytest.fixture
def dense():
    """y = relu(x w), 64 numbers to 32."""
    w = np.random.default_rng(1).normal(0, 0.2, (64, 32)).astype(np.float32)
    return model_of(
        [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 64])],
        [("y", TensorProto.FLOAT, [1, 32])],
        [numpy_helper.from_array(w, "w")],
    )


def samples(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)


def test_a_model_is_quantized(dense):
    wide = medulla.Session(medulla.convert(dense))
    x = samples(20, 2)
    y = np.stack([wide.run({"x": row[None]})["y"][0] for row in x])
    model = medulla.quantize(dense, samples(32, 3), eval={"x": x}, labels=y.argmax(1), method="mse")
    assert model.quantization["sqnr"] > 25
    assert model.quantization["top_1_float32"] == 100
    assert model.quantization["top_1"] > 80
    assert model.quantization["bytes"] < model.quantization["bytes_float32"]
    assert model.quantization["float32_layers"] == {}
    session = medulla.Session(model)
    quantized = np.stack([session.run({"x": row[None]})["y"][0] for row in x])
    assert np.abs(quantized - y).max() < 0.1 * y.max()
    assert not np.array_equal(quantized, y)


def test_weights_alone_are_stored_in_fewer_bytes(dense):
    x = samples(8, 4)
    half = medulla.quantize(dense, weights="fp16", eval=x)
    byte = medulla.quantize(dense, weights="int8", eval=x)
    assert half.quantization["sqnr"] > 60 > byte.quantization["sqnr"] > 30
    assert byte.quantization["bytes"] < half.quantization["bytes"]
    assert half.quantization["bytes"] < half.quantization["bytes_float32"]


def test_what_cannot_be_quantized_is_named(dense):
    with pytest.raises(ValueError, match="calib is needed"):
        medulla.quantize(dense)
    with pytest.raises(ValueError, match=r"\[63\].*\[1,64\]"):
        medulla.quantize(dense, samples(4, 5)[:, :63])
    with pytest.raises(ValueError, match="needs labels"):
        medulla.quantize(dense, samples(4, 5), budget=1)
    with pytest.raises(ValueError, match="method is 'mean'"):
        medulla.quantize(dense, samples(4, 5), method="mean")
    with pytest.raises(ValueError, match="no node has this name"):
        medulla.quantize(dense, samples(4, 5), keep=["nobody"])
