// SPDX-License-Identifier: Apache-2.0
// The worked examples of docs/numerics.md are what the library computes.
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "src/model/model.h"
#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/model_builder.h"
#include "tests/paths.h"
#include "tools/passes/pass.h"

namespace medulla::test {
namespace {

using nlohmann::json;

struct Example {
  size_t line;
  json graph;
};

// The blocks marked as JSON.
std::vector<Example> read_examples() {
  std::ifstream page(std::string(kSourceDir) + "/docs/numerics.md");
  std::vector<Example> examples;
  std::string line, block;
  size_t number = 0, begin = 0;
  while (std::getline(page, line)) {
    ++number;
    if (begin == 0 && line == "```json") {
      begin = number;
      block.clear();
    } else if (begin > 0 && line == "```") {
      INFO("docs/numerics.md:" << begin);
      json graph = json::parse(block, nullptr, false);
      REQUIRE(graph.is_object());
      examples.push_back({begin, graph});
      begin = 0;
    } else if (begin > 0) {
      block += line + "\n";
    }
  }
  return examples;
}

template <class T>
void flatten(const json& values, tools::Bytes* bytes) {
  if (values.is_array()) {
    for (const json& v : values) flatten<T>(v, bytes);
    return;
  }
  const T value = values.get<T>();
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes->insert(bytes->end(), first, first + sizeof value);
}

template <class T>
std::vector<T> list(const json& value) {
  return value.is_array() ? value.get<std::vector<T>>() : std::vector<T>{value.get<T>()};
}

// {"int8": nested lists of values, "scale": .., "zero_point": ..}
tools::Tensor read_tensor(const std::string& name, const json& from) {
  tools::Tensor tensor;
  tools::Bytes bytes;
  json values;
  if (from.contains("int8")) {
    tensor.dtype = MDL_INT8;
    flatten<int8_t>(values = from["int8"], &bytes);
  } else if (from.contains("int16")) {
    tensor.dtype = MDL_INT16;
    flatten<int16_t>(values = from["int16"], &bytes);
  } else if (from.contains("int64")) {
    tensor.dtype = MDL_INT64;
    flatten<int64_t>(values = from["int64"], &bytes);
  } else if (from.contains("float64")) {
    tensor.dtype = MDL_FLOAT64;
    flatten<double>(values = from["float64"], &bytes);
  } else if (from.contains("int32")) {
    tensor.dtype = MDL_INT32;
    flatten<int32_t>(values = from["int32"], &bytes);
  } else {
    tensor.dtype = MDL_FLOAT32;
    flatten<float>(values = from.at("float32"), &bytes);
  }
  for (json level = values; level.is_array(); level = json(level[0])) {
    tensor.dims.push_back(static_cast<int64_t>(level.size()));
  }
  tensor.name = name;
  tensor.data = std::make_shared<const tools::Bytes>(std::move(bytes));
  if (from.contains("scale")) {
    tensor.quantization = tools::Quantization{
        list<float>(from["scale"]), list<int32_t>(from["zero_point"]), from.value("axis", 0)};
  }
  return tensor;
}

// Numbers with a point are floats, as the file has them: doubles that a float32 holds.
tools::Attribute read_attribute(const json& value) {
  const auto to_double = [](const json& v) { return static_cast<double>(v.get<float>()); };
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return to_double(value);
  if (value[0].is_number_integer()) return value.get<std::vector<int64_t>>();
  std::vector<double> floats;
  for (const json& v : value) floats.push_back(to_double(v));
  return floats;
}

// The graph, the inputs' values and what the outputs should be.
struct Worked {
  tools::Model model;
  std::vector<tools::Bytes> inputs;
  std::vector<tools::Tensor> outputs;
};

Worked read_graph(const json& from) {
  Worked worked;
  worked.model.graphs.resize(1);
  tools::Graph& graph = worked.model.main();
  std::map<std::string, int32_t> ids;
  const auto add = [&](const std::string& name, const json& tensor, bool constant) {
    tools::Tensor made = read_tensor(name, tensor);
    const tools::Tensor whole = made;
    if (!constant) made.data = nullptr;
    ids[name] = graph.add_tensor(std::move(made));
    return whole;
  };
  for (const auto& [name, tensor] : from.at("inputs").items()) {
    worked.inputs.push_back(*add(name, tensor, false).data);
    graph.inputs.push_back(ids[name]);
  }
  const json constants = from.value("constants", json::object());
  for (const auto& [name, tensor] : constants.items()) {
    add(name, tensor, true);
  }
  for (const auto& [name, tensor] : from.at("outputs").items()) {
    worked.outputs.push_back(add(name, tensor, false));
    graph.outputs.push_back(ids[name]);
  }
  for (const json& node : from.at("nodes")) {
    tools::Node made;
    made.name = made.op = node.at("op");
    made.version = node.value("version", 1u);
    for (const std::string name : node.at("inputs")) made.inputs.push_back(ids.at(name));
    for (const std::string name : node.at("outputs")) {
      // A tensor on the way, which is float32.
      if (ids.count(name) == 0) {
        ids[name] = graph.add_tensor({name, MDL_FLOAT32, {}, {}, {}, nullptr, true});
      }
      made.outputs.push_back(ids[name]);
    }
    for (const auto& [key, value] : node.items()) {
      if (key == "op" || key == "version" || key == "inputs" || key == "outputs") continue;
      made.attributes[key] = read_attribute(value);
    }
    graph.nodes.push_back(std::move(made));
    tools::infer_node(graph, graph.nodes.back());
  }
  return worked;
}

std::vector<std::string> ops_of(const tools::Graph& graph) {
  std::vector<std::string> ops;
  for (const tools::Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

// The output's values, as the page would write them.
std::string values_text(const tools::Tensor& like, const std::byte* bytes) {
  std::ostringstream text;
  for (size_t i = 0; i < like.elements(); ++i) {
    float real = 0;
    if (like.dtype == MDL_FLOAT32) std::memcpy(&real, bytes + i * sizeof real, sizeof real);
    if (like.dtype == MDL_INT8) real = static_cast<float>(static_cast<int8_t>(bytes[i]));
    text << (i > 0 ? ", " : "") << real;
  }
  return text.str();
}

void check(const Worked& worked, const char* backend) {
  CAPTURE(backend);
  const AlignedBytes file(tools::model_bytes(worked.model));
  mdl_model* opened = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  const mdl_status status =
      mdl_model_open_memory(file.data(), file.size(), nullptr, &opened, &error);
  INFO(error.text);
  REQUIRE(status == MDL_OK);
  const std::unique_ptr<mdl_model, void (*)(mdl_model*)> model(opened, mdl_model_close);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = backend;
  const ProgramHandle program = make_program(model_graph(*model), &options);
  const SessionHandle session = make_session(program.get());
  for (size_t i = 0; i < worked.inputs.size(); ++i) {
    void* data = nullptr;
    size_t bytes = 0;
    REQUIRE(mdl_session_input(session.get(), i, &data, &bytes, nullptr) == MDL_OK);
    REQUIRE(bytes == worked.inputs[i].size());
    std::memcpy(data, worked.inputs[i].data(), bytes);
  }
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  for (size_t o = 0; o < worked.outputs.size(); ++o) {
    const tools::Tensor& expected = worked.outputs[o];
    const void* data = nullptr;
    size_t bytes = 0;
    REQUIRE(mdl_session_output(session.get(), o, &data, &bytes, nullptr) == MDL_OK);
    REQUIRE(bytes == expected.data->size());
    INFO("the page says " << values_text(expected, expected.data->data()));
    INFO("it is " << values_text(expected, static_cast<const std::byte*>(data)));
    CHECK(std::memcmp(data, expected.data->data(), bytes) == 0);
  }
}

}  // namespace

TEST_CASE("the worked examples of the numbers' page are true") {
  std::set<std::string> shown;
  for (const Example& example : read_examples()) {
    INFO("docs/numerics.md:" << example.line);
    Worked worked = read_graph(example.graph);
    const std::vector<int64_t> dims = worked.outputs[0].dims;
    if (example.graph.contains("becomes")) {
      tools::PassContext context;
      tools::run_passes(worked.model, {}, context);
      CHECK(ops_of(worked.model.main()) == example.graph["becomes"]);
      CHECK(json(context.notes) == example.graph.value("notes", json::array()));
    }
    const tools::Graph& graph = worked.model.main();
    CHECK(graph.tensors[static_cast<size_t>(graph.outputs[0])].dims == dims);
    for (const std::string& op : ops_of(graph)) shown.insert(op);
    for (const char* backend : {"reference", "cpu,reference"}) check(worked, backend);
  }
  // Each integer operator has one: CONTRIBUTING.md asks for it.
  for (const Op* op : all_ops()) {
    INFO(op->name << " has no worked example in docs/numerics.md");
    if (op->name[0] == 'Q' || op->name == std::string("DequantizeLinear")) {
      CHECK(shown.count(op->name) == 1);
    }
  }
}

}  // namespace medulla::test
