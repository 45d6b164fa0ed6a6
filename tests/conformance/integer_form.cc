// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/integer_form.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "tools/import/convert.h"

namespace medulla::conformance {
namespace {

using tools::Array;

constexpr float kScale = 0.05f;
constexpr int kZeroPoint = 3;

// Of the case's inputs past the first, those in float32: what they become.
enum class Others { constants, activations };

bool is_float(const onnx::ValueInfoProto& value) {
  return value.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT;
}

class Wrapper {
 public:
  Wrapper(const onnx::ModelProto& model, const Values& inputs, Others others) : model_(model) {
    onnx::GraphProto& graph = *model_.mutable_graph();
    const onnx::NodeProto node = graph.node(0);
    graph.clear_node();
    for (auto& opset : *model_.mutable_opset_import()) {
      opset.set_version(std::max<int64_t>(opset.version(), 13));  // of QuantizeLinear per axis
    }
    parameters("", kScale, kZeroPoint);
    bool first = true;
    for (const auto& input : model.graph().input()) {
      if (!is_float(input)) continue;
      if (first || others == Others::activations) {
        quantize(input.name(), input.name() + "/q");
        dequantize(input.name() + "/q", input.name() + "/dq", "");
      } else {
        add_constant(input.name(), inputs);
      }
      first = false;
    }
    onnx::NodeProto& inner = *graph.add_node();
    inner = node;
    for (std::string& name : *inner.mutable_input()) {
      for (const auto& input : model.graph().input()) {
        if (input.name() == name && is_float(input)) name += "/dq";
      }
    }
    for (auto& output : *graph.mutable_output()) {
      if (!is_float(output)) continue;
      for (std::string& name : *inner.mutable_output()) {
        if (name == output.name()) name += "/x";
      }
      quantize(output.name() + "/x", output.name() + "/q");
      dequantize(output.name() + "/q", output.name(), "");
    }
  }

  const onnx::ModelProto& model() const { return model_; }

 private:
  // Adds initializers `<of>/scale` and `<of>/zero`.
  void parameters(const std::string& of, float scale, int zero_point) {
    onnx::TensorProto& s = *model_.mutable_graph()->add_initializer();
    s.set_name(of + "/scale");
    s.set_data_type(onnx::TensorProto::FLOAT);
    s.add_float_data(scale);
    onnx::TensorProto& z = *model_.mutable_graph()->add_initializer();
    z.set_name(of + "/zero");
    z.set_data_type(onnx::TensorProto::INT8);
    z.add_int32_data(zero_point);
  }

  void add_node(const char* op, const std::string& x, const std::string& of, const std::string& y) {
    onnx::NodeProto& node = *model_.mutable_graph()->add_node();
    node.set_op_type(op);
    node.set_name(y + "/node");
    for (const std::string& name : {x, of + "/scale", of + "/zero"}) node.add_input(name);
    node.add_output(y);
  }
  void quantize(const std::string& x, const std::string& y) {
    add_node("QuantizeLinear", x, "", y);
  }
  void dequantize(const std::string& x, const std::string& y, const std::string& of) {
    add_node("DequantizeLinear", x, of, y);
  }

  // The graph input becomes a quantized initializer.
  void add_constant(const std::string& name, const Values& inputs) {
    const auto value =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto& v) { return v.first == name; });
    if (value == inputs.end()) throw std::runtime_error("no data for input " + name);
    const std::vector<float> floats = tools::to_floats(value->second);
    float largest = 1e-3f;
    for (const float v : floats) largest = std::max(largest, std::abs(v));
    const float scale = largest / 127;
    parameters(name, scale, 0);
    onnx::GraphProto& graph = *model_.mutable_graph();
    onnx::TensorProto& t = *graph.add_initializer();
    t.set_name(name + "/q");
    t.set_data_type(onnx::TensorProto::INT8);
    for (const int64_t d : value->second.shape) t.add_dims(d);
    for (const float v : floats) t.add_int32_data(static_cast<int>(std::lround(v / scale)));
    dequantize(name + "/q", name + "/dq", name);
    auto& list = *graph.mutable_input();
    list.erase(std::find_if(list.begin(), list.end(),
                            [&](const auto& input) { return input.name() == name; }));
  }

  onnx::ModelProto model_;
};

// No node computes with floats; QuantizeLinear reads what the model is fed, DequantizeLinear makes
// what it gives.
bool is_integer(const tools::Graph& graph) {
  const auto is_float32 = [&](int32_t id) {
    if (id < 0 || graph.is_constant(id)) return false;
    return graph.tensors[static_cast<size_t>(id)].dtype == MDL_FLOAT32;
  };
  const auto is_input = [&](int32_t id) {
    return std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end();
  };
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const tools::Node& node) {
    if (node.op == "QuantizeLinear") return is_input(node.inputs[0]);
    if (node.op == "DequantizeLinear") return graph.is_output(node.outputs[0]);
    return std::none_of(node.inputs.begin(), node.inputs.end(), is_float32) &&
           std::none_of(node.outputs.begin(), node.outputs.end(), is_float32);
  });
}

bool is_integer(const onnx::ModelProto& model, const Values& inputs, Others others) {
  tools::ConvertOptions options;
  const TemporaryFile file(".onnx");
  options.input = file.path;
  std::ofstream(options.input, std::ios::binary)
      << Wrapper(model, inputs, others).model().SerializeAsString();
  for (const auto& input : model.graph().input()) {
    if (is_float(input)) continue;
    for (const auto& [name, value] : inputs) {
      if (name == input.name()) options.fixed.emplace(name, value);
    }
  }
  tools::ConvertReport report;
  const tools::Model converted = tools::import_and_optimize(options, report);
  return report.refusals.empty() && is_integer(converted.main());
}

}  // namespace

bool has_integer_form(const Case& c, const onnx::ModelProto& model) {
  const auto& graph = model.graph();
  const auto has_float = [](const auto& list) {
    return std::any_of(list.begin(), list.end(), is_float);
  };
  if (c.suite != "node" || graph.node_size() != 1 || !has_float(graph.input()) ||
      !has_float(graph.output())) {
    return false;
  }
  const Values inputs = read_inputs(c, model, 0);
  return is_integer(model, inputs, Others::constants) ||
         is_integer(model, inputs, Others::activations);
}

}  // namespace medulla::conformance
