// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan. Medulla's Loop is all of the latter two: it counts, asks a condition, carries
// values, slices inputs and joins outputs, each along the first dimension.
#include <algorithm>
#include <optional>

#include "tools/import/control.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

const onnx::GraphProto& graph_of(const OnnxNode& node, const char* name) {
  const auto* attribute = node.attribute(name);
  if (attribute == nullptr || !attribute->has_g()) refuse("has no graph", "", name);
  return attribute->g();
}

// Whether a tensor of the body is always true, if its input 1 is.
bool is_always_true(const Graph& body, int32_t tensor) {
  for (;;) {
    const Tensor& t = body.tensors[static_cast<size_t>(tensor)];
    if (t.data) return is_true(t);
    if (tensor == body.inputs[1]) return true;
    const int32_t producer = body.producer(tensor);
    if (producer < 0 || body.nodes[static_cast<size_t>(producer)].op != "Identity") return false;
    tensor = body.nodes[static_cast<size_t>(producer)].inputs[0];
  }
}

// One element, as the body's input i declares it.
Tensor head_input(const char* name, mdl_dtype dtype, const onnx::GraphProto& body, int i) {
  Tensor tensor = one_element(name, dtype);
  tensor.dims = dims_of_one(body.input(i));
  return tensor;
}

void require_tensors(const onnx::GraphProto& body) {
  for (const auto& input : body.input()) {
    if (input.type().value_case() != onnx::TypeProto::VALUE_NOT_SET &&
        !input.type().has_tensor_type()) {
      refuse("'" + input.name() + "' of its body is a sequence or an optional, which has no bound",
             "carry a tensor of the greatest extent instead");
    }
  }
}

// Axis 0 and `axis` of a tensor of that rank in each other's place, those between moved on.
Dims front_perm(int64_t axis, int64_t rank) {
  Dims perm = {axis};
  for (int64_t d = 0; d < rank; ++d) {
    if (d != axis) perm.push_back(d);
  }
  return perm;
}

int64_t list_at(const Dims& values, size_t i) { return i < values.size() ? values[i] : 0; }

}  // namespace

std::vector<int32_t> convert_if(OnnxNode& node) {
  const auto& then_graph = graph_of(node, "then_branch");
  const auto& else_graph = graph_of(node, "else_branch");
  const Tensor& condition = node.build.tensor(node.input(0));
  if (condition.data) {
    return node.scope->import_inline(is_true(condition) ? then_graph : else_graph);
  }
  const std::string name = node.build.name();
  const auto branch = [&](const onnx::GraphProto& graph, const char* which) {
    std::optional<ImportedBody> body;
    try {
      body = node.scope->import_body(graph, name + which, {});
    } catch (const BodyRefused&) {
      // The other one is looked at too.
    }
    return body;
  };
  const auto then_body = branch(then_graph, ".then");
  const auto else_body = branch(else_graph, ".else");
  if (!then_body || !else_body) throw BodyRefused{};
  node.build.set_name(name);
  return add_if(node.build, node.input(0), *then_body, *else_body);
}

namespace {

// How often a Loop runs, as far as that is known.
struct Trips {
  int64_t count = int64_t{1} << 31;  // exporters write the greatest integer for no bound
  bool known = false;
  int32_t condition = -1;  // computed at run time
};

Trips trips_of(const OnnxNode& node) {
  Trips trips;
  if (node.input(0) >= 0 && node.build.tensor(node.input(0)).data) {
    const int64_t count = node.constant_ints(0, "trip count").at(0);
    trips.known = count < trips.count;
    trips.count = std::clamp<int64_t>(count, 0, trips.count);
  }
  if (node.input(1) < 0) return trips;
  const Tensor& start = node.build.tensor(node.input(1));
  if (!start.data) {
    trips.condition = node.input(1);
  } else if (!is_true(start)) {
    trips.count = 0;
    trips.known = true;
  }
  return trips;
}

std::vector<int32_t> add_whole_loop(const OnnxNode& node, const onnx::GraphProto& proto,
                                    const Trips& trips) {
  Builder& build = node.build;
  const std::string name = build.name();
  LoopParts parts;
  std::vector<Tensor> inputs = {head_input("iteration", MDL_INT64, proto, 0),
                                head_input("condition", MDL_BOOL, proto, 1)};
  for (size_t i = 2; i < node.inputs.size(); ++i) {
    parts.carried.push_back(node.input(i));
    inputs.push_back(type_of(build.tensor(node.input(i))));
  }
  parts.body =
      node.scope->import_body(proto, name + ".body", inputs, {node.input(0), node.input(1)});
  Graph& body = *parts.body.graph;
  if (body.outputs.size() < 1 + parts.carried.size()) {
    refuse("its body has " + std::to_string(body.outputs.size()) + " outputs, should have " +
           std::to_string(1 + parts.carried.size()) + " at least");
  }
  if (trips.count > 0) parts.condition = trips.condition;
  parts.conditional =
      trips.count > 0 && (parts.condition >= 0 || !is_always_true(body, body.outputs[0]));
  if (!parts.conditional) {
    body.outputs.erase(body.outputs.begin());
    body.compact();
  }
  const bool counts_at_run_time = node.input(0) >= 0 && !build.tensor(node.input(0)).data;
  parts.limit = trips.known ? trips.count : node.scope->bound_of(node.proto);
  if (counts_at_run_time || (trips.known && parts.conditional)) parts.trip_count = node.input(0);
  if (!trips.known && !counts_at_run_time && !parts.conditional) refuse("never ends");
  parts.early = parts.conditional || counts_at_run_time;
  return add_loop(build, std::move(parts));
}

}  // namespace

// What a body needs to know may follow from the iteration, and what it carries may grow: then it is
// written out, where its count is known.
std::vector<int32_t> convert_loop(OnnxNode& node) {
  const auto& proto = graph_of(node, "body");
  require_tensors(proto);
  if (node.inputs.size() < 2 || static_cast<size_t>(proto.input_size()) != node.inputs.size()) {
    refuse("its body has " + std::to_string(proto.input_size()) + " inputs, should have " +
           std::to_string(node.inputs.size()));
  }
  const Trips trips = trips_of(node);
  const auto whole = [&] { return add_whole_loop(node, proto, trips); };
  if (!trips.known || trips.count == 0 || trips.condition >= 0) return whole();
  return node.scope->import_either(whole, [&] {
    return node.scope->write_out(proto, trips.count, {node.inputs.begin() + 2, node.inputs.end()});
  });
}

// Up to opset 8 with a batch in front of everything.
std::vector<int32_t> convert_scan(OnnxNode& node) {
  const auto& proto = graph_of(node, "body");
  require_tensors(proto);
  Builder& build = node.build;
  const std::string name = build.name();
  const bool batched = node.opset < 9;
  std::vector<int32_t> operands = node.inputs;
  if (batched) {
    if (operands.empty()) refuse("has no inputs");
    if (node.input(0) >= 0) refuse("has sequence lengths", "scan sequences of one length");
    operands.erase(operands.begin());
    for (int32_t& t : operands) {
      if (build.dims(t).empty() || build.dims(t)[0] != 1) {
        refuse("scans a batch above 1", "export with opset 9, or set the batch to 1");
      }
      t = build.add_like("Squeeze", {t}, {{"axes", Dims{0}}});
    }
  }
  const auto scanned = static_cast<size_t>(node.int_or("num_scan_inputs", 0));
  if (scanned < 1 || scanned > operands.size() ||
      static_cast<size_t>(proto.input_size()) != operands.size()) {
    refuse("num_scan_inputs does not fit its inputs");
  }
  LoopParts parts;
  const size_t carried = operands.size() - scanned;
  std::vector<Tensor> inputs = {one_element("iteration", MDL_INT64),
                                one_element("condition", MDL_BOOL)};
  for (size_t i = 0; i < carried; ++i) {
    parts.carried.push_back(operands[i]);
    inputs.push_back(type_of(build.tensor(operands[i])));
  }
  const Dims axes = node.ints("scan_input_axes");
  Dims reversed;
  for (size_t s = 0; s < scanned; ++s) {
    const int32_t x = operands[carried + s];
    const int64_t axis = node.axis(list_at(axes, s), build.rank(x));
    parts.scanned.push_back(build.transpose(x, front_perm(axis, build.rank(x))));
    Tensor slice = type_of(build.tensor(parts.scanned.back()));
    parts.limit = slice.dims.at(0);
    slice.dims.erase(slice.dims.begin());
    if (!slice.symbols.empty()) slice.symbols.erase(slice.symbols.begin());
    inputs.push_back(std::move(slice));
    reversed.push_back(list_at(node.ints(batched ? "directions" : "scan_input_directions"), s));
  }
  parts.body = node.scope->import_body(proto, name + ".body", inputs);
  const size_t made = parts.body.graph->outputs.size();
  if (made < carried) refuse("its body makes less than it carries");
  Dims reversed_outputs;
  for (size_t k = 0; k < made - carried; ++k) {
    reversed_outputs.push_back(list_at(node.ints("scan_output_directions"), k));
  }
  parts.attributes["reversed_inputs"] = reversed;
  parts.attributes["reversed_outputs"] = reversed_outputs;
  const Tensor& whole = build.tensor(parts.scanned[0]);
  parts.early = !whole.symbols.empty() && !whole.symbols[0].empty();
  build.set_name(name);
  std::vector<int32_t> outputs = add_loop(build, std::move(parts));
  for (size_t o = 0; o < outputs.size(); ++o) {
    const int64_t rank = build.rank(outputs[o]);
    if (o >= carried) {
      const int64_t axis = node.axis(list_at(node.ints("scan_output_axes"), o - carried), rank);
      outputs[o] = build.transpose(outputs[o], invert(front_perm(axis, rank)));
    }
    if (batched) outputs[o] = build.add_like("Unsqueeze", {outputs[o]}, {{"axes", Dims{0}}});
  }
  return outputs;
}

}  // namespace medulla::tools
