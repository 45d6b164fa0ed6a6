# SPDX-License-Identifier: Apache-2.0
"""The engines that peers.py compares with Medulla: one class each, used in a child process only.

A constructor imports the library. convert(source, stem, inputs) returns the file that load takes,
or raises Unavailable with the reason. load(path, threads, inputs) makes it ready to run on these
arrays, run() is what is timed, outputs() returns the arrays of the last run.
"""
import importlib.metadata
import importlib.util
import json
import pathlib
import subprocess

import numpy as np


class Unavailable(Exception):
    """The engine cannot take this network; the text is shown in its row."""


def is_quantized(path):
    return path.stem.endswith(("_int8", "_u8"))


class Engine:
    note = ""

    def reset(self):
        """Back to the start of a stream, where the engine keeps state between runs."""


class OnnxRuntime(Engine):
    name = "ONNX Runtime"

    def __init__(self):
        import onnxruntime

        self.lib, self.version = onnxruntime, onnxruntime.__version__

    def convert(self, source, stem, inputs):
        return source

    def load(self, path, threads, inputs):
        options = self.lib.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = self.lib.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for info, array in zip(self.session.get_inputs(), inputs, strict=True):
            self.binding.bind_cpu_input(info.name, array)
        for info in self.session.get_outputs():
            self.binding.bind_output(info.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return self.binding.copy_outputs_to_cpu()


class OpenVino(Engine):
    name = "OpenVINO"

    def __init__(self):
        import openvino

        self.lib, self.version = openvino, openvino.__version__.split("-")[0]

    def convert(self, source, stem, inputs):
        return source

    def load(self, path, threads, inputs):
        core = self.lib.Core()
        options = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": False,
                   "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(path), "CPU", options)
        self.request = compiled.create_infer_request()
        self.arrays = [np.ascontiguousarray(array) for array in inputs]
        for i, array in enumerate(self.arrays):
            self.request.set_input_tensor(i, self.lib.Tensor(array, shared_memory=True))

    def run(self):
        self.request.infer(share_outputs=True)

    def outputs(self):
        return [tensor.data.copy() for tensor in self.request.output_tensors]


class Ncnn(Engine):
    name = "ncnn"

    def __init__(self):
        import ncnn

        self.lib, self.version = ncnn, ncnn.__version__

    def convert(self, source, stem, inputs):
        if is_quantized(source):
            raise Unavailable("pnnx leaves Q and DQ as float operators, and ncnn's own quantisation "
                              "tools are not in the PyPI package")
        package = importlib.util.find_spec("pnnx")  # importing it would ask for PyTorch
        if not package:
            raise Unavailable("no pnnx, which converts from ONNX")
        copy = stem.with_suffix(".onnx")  # pnnx writes its results beside its input
        copy.write_bytes(source.read_bytes())
        shapes = ",".join(str(list(x.shape)).replace(" ", "") for x in inputs)
        command = [pathlib.Path(package.origin).parent / "pnnx", copy, f"inputshape={shapes}",
                   "fp16=0"]
        done = subprocess.run(command, capture_output=True, text=True)
        param = stem.with_suffix(".ncnn.param")
        if done.returncode or not param.exists():
            raise Unavailable(f"pnnx: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        kinds = {line.split()[0] for line in param.read_text().splitlines()[2:]}
        if alien := sorted(kind for kind in kinds if "." in kind):
            raise Unavailable(f"pnnx left operators that ncnn lacks: {', '.join(alien)}")
        return param

    def load(self, path, threads, inputs):
        self.net = self.lib.Net()
        options = self.net.opt
        options.use_vulkan_compute = False
        options.num_threads = threads
        options.openmp_blocktime = 0
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = False
        if self.net.load_param(path) or self.net.load_model(path.removesuffix("param") + "bin"):
            raise Unavailable("ncnn does not load what pnnx wrote")
        self.mats = [self.lib.Mat(np.ascontiguousarray(x[0])).clone() for x in inputs]

    def run(self):
        extractor = self.net.create_extractor()
        for name, mat in zip(self.net.input_names(), self.mats, strict=True):
            extractor.input(name, mat)
        self.results = [extractor.extract(name) for name in self.net.output_names()]
        if any(status for status, _ in self.results):
            raise Unavailable("ncnn's extract failed")

    def outputs(self):
        return [np.array(mat) for _, mat in self.results]


class Mnn(Engine):
    name = "MNN"

    def __init__(self):
        import MNN
        import MNN.expr
        import MNN.nn

        self.lib, self.version = MNN, importlib.metadata.version("MNN")

    def convert(self, source, stem, inputs):
        """Calls the converter's library: its command installs a logging package by pip."""
        if source.stem.endswith("_u8"):
            raise Unavailable("quantises on its own; see the INT8 row")
        import _tools

        fp32 = source.with_name(source.stem.removesuffix("_int8") + ".onnx")
        target = stem.with_suffix(".mnn")
        _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", str(fp32), "--MNNModel",
                           str(target), "--bizCode", "peers"])
        if not is_quantized(source):
            return target
        folder = stem.with_suffix(".calibration")
        (folder / "0").mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / "0" / "x.txt", inputs[0].ravel(), fmt="%.6g")
        import onnx

        graph = onnx.load(fp32, load_external_data=False).graph
        (folder / "0" / "input.json").write_text(json.dumps({
            "inputs": [{"name": "x", "shape": list(inputs[0].shape)}],
            "outputs": [output.name for output in graph.output]}))
        config, quantized = stem.with_suffix(".json"), stem.with_suffix(".q.mnn")
        config.write_text(json.dumps({
            "input_type": "sequence", "path": f"{folder}/", "used_sample_num": 1,
            "feature_quantize_method": "KL", "weight_quantize_method": "MAX_ABS",
            "quant_bits": 8, "batch_size": 1, "format": "RGB", "mean": [0.0], "normal": [1.0],
            "width": 1, "height": 1, "model": "peers"}))
        _tools.mnnquant(["mnnquant", str(target), str(quantized), str(config)])
        if not quantized.exists():
            raise Unavailable("mnnquant wrote no model")
        return quantized

    def load(self, path, threads, inputs):
        if path.endswith(".q.mnn"):
            self.note = "MNN's own quantisation, calibrated on the one input"
        runtime = self.lib.nn.create_runtime_manager(
            ({"backend": "CPU", "numThread": threads, "precision": "high"},))
        self.net = self.lib.nn.load_module_from_file(path, [], [], runtime_manager=runtime)
        self.variables = []
        for array in inputs:
            variable = self.lib.expr.placeholder(list(array.shape), self.lib.expr.NCHW)
            variable.write(np.ascontiguousarray(array))
            self.variables.append(variable)

    def run(self):
        self.results = [result.read() for result in self.net.forward(self.variables)]

    def outputs(self):
        return [np.array(result) for result in self.results]


class LiteRt(Engine):
    name = "LiteRT"

    def __init__(self):
        import ai_edge_litert.interpreter as interpreter

        self.lib, self.version = interpreter, importlib.metadata.version("ai-edge-litert")

    def convert(self, source, stem, inputs):
        target = source.with_suffix(".tflite")
        if not target.exists():
            raise Unavailable(f"no {target.name} beside the network; tflite.py makes it")
        return target

    def load(self, path, threads, inputs):
        self.net = self.lib.Interpreter(model_path=path, num_threads=threads)
        self.net.allocate_tensors()
        self.is_quantized = False
        for info, array in zip(self.net.get_input_details(), inputs, strict=True):
            shape = tuple(info["shape"])
            if array.shape != shape:  # channels last
                array = np.moveaxis(array, 1, -1).reshape(shape)
            if array.dtype != info["dtype"]:
                self.note = "LiteRT's own quantisation, integer input and output"
                self.is_quantized = True
                scale, zero = info["quantization"]
                limits = np.iinfo(info["dtype"])
                array = np.clip(np.round(array / scale) + zero, limits.min, limits.max)
            self.net.set_tensor(info["index"], array.astype(info["dtype"]))

    def reset(self):
        self.net.reset_all_variables()

    def run(self):
        self.net.invoke()

    def outputs(self):
        """Real values, of integers too."""
        result = []
        for info in self.net.get_output_details():
            value = self.net.get_tensor(info["index"])
            scale, zero = info["quantization"]
            if scale and self.is_quantized:
                value = (value.astype(np.float32) - zero) * np.float32(scale)
            result.append(value)
        return result


ENGINES = {"ort": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn, "mnn": Mnn, "litert": LiteRt}
