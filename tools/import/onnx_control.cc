// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan. Medulla's Loop is all of the latter two: it counts, asks a condition, carries
// values, slices inputs and joins outputs, each along the first dimension.
#include "tools/import/onnx_ops.h"
#include "tools/ir/infer.h"

namespace medulla::tools {
namespace {

const onnx::GraphProto& graph_of(const OnnxNode& node, const char* name) {
  const auto* attribute = node.attribute(name);
  if (attribute == nullptr || !attribute->has_g()) refuse("has no graph", "", name);
  return attribute->g();
}

size_t at(int32_t i) { return static_cast<size_t>(i); }

const Tensor& output_of(const Graph& body, size_t o) { return body.tensors[at(body.outputs[o])]; }
const Tensor& input_of(const Graph& body, size_t i) { return body.tensors[at(body.inputs[i])]; }

bool varies(const Tensor& tensor, size_t d) {
  return d < tensor.symbols.size() && !tensor.symbols[d].empty();
}

// A tensor of that dtype, quantization and shape that the node makes.
int32_t add_made(OnnxNode& node, const Tensor& like, Dims dims, uint32_t found) {
  Tensor tensor;
  tensor.name = node.build.name();
  tensor.dtype = like.dtype;
  tensor.quantization = like.quantization;
  tensor.dims = std::move(dims);
  const size_t id = node.build.graph().tensors.size();
  name_found(found, tensor.name + "." + std::to_string(id), tensor);
  return node.build.add_tensor(std::move(tensor));
}

std::string type_text(const Tensor& tensor) {
  std::string text;
  for (const int64_t d : tensor.dims) text += (text.empty() ? "" : ",") + std::to_string(d);
  return std::string(mdl_dtype_name(tensor.dtype)) + " [" + text + "]";
}

// Gives the body the inputs that `all` lists behind its own `own` first ones; it has those of
// `captures`.
void order_captures(Graph& body, size_t own, const std::vector<int32_t>& captures,
                    const std::vector<int32_t>& all, const Graph& outside) {
  std::vector<int32_t> inputs(body.inputs.begin(),
                              body.inputs.begin() + static_cast<ptrdiff_t>(own));
  for (const int32_t t : all) {
    const auto found = std::find(captures.begin(), captures.end(), t);
    if (found != captures.end()) {
      inputs.push_back(body.inputs[own + static_cast<size_t>(found - captures.begin())]);
    } else {
      inputs.push_back(body.add_tensor(outside.tensors[at(t)]));
    }
  }
  body.inputs = std::move(inputs);
}

// The bound of a loop that the file does not give: by --max, of the trip count or the node.
int64_t bound_of(const OnnxNode& node) {
  const std::string trip = node.proto.input_size() > 0 ? node.proto.input(0) : "";
  const std::string name = node.input(0) >= 0 && !trip.empty() ? trip : node.build.name();
  const int64_t given = std::max(node.scope->maximum(name), node.scope->maximum(node.build.name()));
  if (given < 1) {
    refuse("has no bound on its iterations, and memory is planned for the most",
           "give one with --max " + name + "=N");
  }
  return given;
}

// The value of a condition that is constant.
bool is_true(const Tensor& condition) {
  if (condition.data->empty()) refuse("its condition '" + condition.name + "' has no element");
  return condition.data->front() != std::byte{0};
}

// Whether a tensor of the body is always true, if its input 1 is.
bool is_always_true(const Graph& body, int32_t tensor) {
  for (;;) {
    const Tensor& t = body.tensors[at(tensor)];
    if (t.data) return is_true(t);
    if (tensor == body.inputs[1]) return true;
    const int32_t producer = body.producer(tensor);
    if (producer < 0 || body.nodes[at(producer)].op != "Identity") return false;
    tensor = body.nodes[at(producer)].inputs[0];
  }
}

// One element, as the body's input i declares it.
Tensor one_element(const char* name, mdl_dtype dtype, const onnx::GraphProto* body, int i) {
  Tensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  if (body != nullptr && body->input(i).type().tensor_type().shape().dim_size() == 1) {
    tensor.dims = {1};
  }
  return tensor;
}

// The type of what a body gets: as it is outside, but no constant.
Tensor type_of(const Tensor& from) {
  Tensor tensor = from;
  tensor.data = nullptr;
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

// A Loop of Medulla, ready to be appended.
struct LoopParts {
  int32_t trip_count = -1;
  int32_t condition = -1;
  std::vector<int32_t> carried;
  std::vector<int32_t> scanned;
  OnnxBody body;
  int64_t limit = 0;
  bool conditional = false;
  bool early = false;  // may end before the limit
  Attributes attributes;
};

// Appends it; the outputs are the carried values and the scans.
std::vector<int32_t> add_loop(OnnxNode& node, LoopParts parts) {
  Graph& graph = node.build.graph();
  const Graph& body = node.scope->body(parts.body.graph);
  const size_t first = parts.conditional ? 1 : 0;
  std::vector<int32_t> outputs;
  for (size_t o = 0; first + o < body.outputs.size(); ++o) {
    const Tensor made = output_of(body, first + o);
    const bool carried = o < parts.carried.size();
    uint32_t found = !carried && parts.early ? 1 : 0;
    Dims dims = made.dims;
    if (carried) {
      const Tensor& start = input_of(body, 2 + o);
      bool same = start.dtype == made.dtype && start.dims == made.dims;
      for (size_t d = 0; same && d < dims.size(); ++d) same = varies(start, d) || !varies(made, d);
      if (!same) {
        refuse("carries '" + start.name + "', which is " + type_text(start) +
                   " at the start and may become " + type_text(made) + " in the body",
               "carry a tensor of one shape");
      }
      for (size_t d = 0; d < dims.size(); ++d) found |= (varies(start, d) ? 1u : 0) << d;
    } else {
      for (size_t d = 0; d < dims.size(); ++d) found |= (varies(made, d) ? 2u : 0) << d;
      dims.insert(dims.begin(), parts.limit);
    }
    outputs.push_back(add_made(node, made, std::move(dims), found));
  }
  std::vector<int32_t> inputs = {parts.trip_count, parts.condition};
  for (const auto* list : {&parts.carried, &parts.scanned, &parts.body.captures}) {
    inputs.insert(inputs.end(), list->begin(), list->end());
  }
  parts.attributes["body"] = GraphIndex{parts.body.graph};
  parts.attributes["carried"] = static_cast<int64_t>(parts.carried.size());
  parts.attributes["scanned"] = static_cast<int64_t>(parts.scanned.size());
  parts.attributes["limit"] = parts.limit;
  parts.attributes["conditional"] = int64_t{parts.conditional};
  graph.nodes.push_back(
      {node.build.name(), "Loop", 1, std::move(parts.attributes), std::move(inputs), outputs});
  return outputs;
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
  const OnnxBody then_body = node.scope->import_body(then_graph, name + ".then", {});
  const OnnxBody else_body = node.scope->import_body(else_graph, name + ".else", {});
  std::vector<int32_t> captures = then_body.captures;
  for (const int32_t t : else_body.captures) {
    if (std::find(captures.begin(), captures.end(), t) == captures.end()) captures.push_back(t);
  }
  Graph& a = node.scope->body(then_body.graph);
  Graph& b = node.scope->body(else_body.graph);
  order_captures(a, 0, then_body.captures, captures, node.build.graph());
  order_captures(b, 0, else_body.captures, captures, node.build.graph());
  std::vector<int32_t> outputs;
  for (size_t o = 0; o < a.outputs.size(); ++o) {
    const Tensor &x = output_of(a, o), &y = output_of(b, std::min(o, b.outputs.size() - 1));
    if (a.outputs.size() != b.outputs.size() || x.dtype != y.dtype ||
        x.dims.size() != y.dims.size() || x.quantization != y.quantization) {
      refuse("its branches make " + type_text(x) + " and " + type_text(y) + " of output " +
                 std::to_string(o),
             "let both make tensors of one dtype and rank");
    }
    Dims dims = x.dims;
    uint32_t found = 0;
    for (size_t d = 0; d < dims.size(); ++d) {
      const bool differs = varies(x, d) || varies(y, d) || x.dims[d] != y.dims[d];
      found |= (differs ? 1u : 0) << d;
      dims[d] = std::max(x.dims[d], y.dims[d]);
    }
    outputs.push_back(add_made(node, x, std::move(dims), found));
  }
  captures.insert(captures.begin(), node.input(0));
  node.build.graph().nodes.push_back(
      {name,
       "If",
       1,
       {{"then_branch", GraphIndex{then_body.graph}}, {"else_branch", GraphIndex{else_body.graph}}},
       std::move(captures),
       outputs});
  return outputs;
}

std::vector<int32_t> convert_loop(OnnxNode& node) {
  constexpr int64_t kCountless = int64_t{1} << 31;  // exporters write the greatest integer
  const auto& proto = graph_of(node, "body");
  require_tensors(proto);
  Builder& build = node.build;
  const std::string name = build.name();
  if (node.inputs.size() < 2 || static_cast<size_t>(proto.input_size()) != node.inputs.size()) {
    refuse("its body has " + std::to_string(proto.input_size()) + " inputs, should have " +
           std::to_string(node.inputs.size()));
  }
  LoopParts parts;
  int64_t trips = kCountless;
  bool counted = false;
  if (node.input(0) >= 0 && build.tensor(node.input(0)).data) {
    trips = node.constant_ints(0, "trip count").at(0);
    counted = trips < kCountless;
    trips = std::max<int64_t>(trips, 0);
  }
  if (node.input(1) >= 0) {
    const Tensor& start = build.tensor(node.input(1));
    if (!start.data) {
      parts.condition = node.input(1);
    } else if (!is_true(start)) {
      trips = 0;
      counted = true;
    }
  }
  std::vector<Tensor> inputs = {one_element("iteration", MDL_INT64, &proto, 0),
                                one_element("condition", MDL_BOOL, &proto, 1)};
  for (size_t i = 2; i < node.inputs.size(); ++i) {
    parts.carried.push_back(node.input(i));
    inputs.push_back(type_of(build.tensor(node.input(i))));
  }
  parts.body = node.scope->import_body(proto, name + ".body", inputs);
  Graph& body = node.scope->body(parts.body.graph);
  if (body.outputs.size() < 1 + parts.carried.size()) {
    refuse("its body has " + std::to_string(body.outputs.size()) + " outputs, should have " +
           std::to_string(1 + parts.carried.size()) + " at least");
  }
  if (trips == 0) parts.condition = -1;
  parts.conditional = trips > 0 && (parts.condition >= 0 || !is_always_true(body, body.outputs[0]));
  if (!parts.conditional) {
    body.outputs.erase(body.outputs.begin());
    body.compact();
  }
  const bool counts_at_run_time = node.input(0) >= 0 && !build.tensor(node.input(0)).data;
  parts.limit = counted ? trips : bound_of(node);
  if (counts_at_run_time || (counted && parts.conditional)) parts.trip_count = node.input(0);
  if (!counted && !counts_at_run_time && !parts.conditional) refuse("never ends");
  parts.early = parts.conditional || counts_at_run_time;
  return add_loop(node, std::move(parts));
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
  std::vector<Tensor> inputs = {one_element("iteration", MDL_INT64, nullptr, 0),
                                one_element("condition", MDL_BOOL, nullptr, 1)};
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
  const size_t made = node.scope->body(parts.body.graph).outputs.size();
  if (made < carried) refuse("its body makes less than it carries");
  Dims reversed_outputs;
  for (size_t k = 0; k < made - carried; ++k) {
    reversed_outputs.push_back(list_at(node.ints("scan_output_directions"), k));
  }
  parts.attributes["reversed_inputs"] = reversed;
  parts.attributes["reversed_outputs"] = reversed_outputs;
  const bool length_varies = varies(build.tensor(parts.scanned[0]), 0);
  parts.early = length_varies;
  build.set_name(name);
  std::vector<int32_t> outputs = add_loop(node, std::move(parts));
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
