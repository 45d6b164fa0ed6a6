// SPDX-License-Identifier: Apache-2.0
#include "tools/import/control.h"

#include <algorithm>

#include "tools/import/refuse.h"
#include "tools/ir/infer.h"

namespace medulla::tools {
namespace {

size_t at(int32_t i) { return static_cast<size_t>(i); }

const Tensor& output_of(const Graph& body, size_t o) { return body.tensors[at(body.outputs[o])]; }
const Tensor& input_of(const Graph& body, size_t i) { return body.tensors[at(body.inputs[i])]; }

bool varies(const Tensor& tensor, size_t d) {
  return d < tensor.symbols.size() && !tensor.symbols[d].empty();
}

// A tensor of that dtype, quantization and shape that the node makes.
int32_t add_made(Builder& build, const Tensor& like, Dims dims, uint32_t found) {
  Tensor tensor;
  tensor.name = build.name();
  tensor.dtype = like.dtype;
  tensor.quantization = like.quantization;
  tensor.dims = std::move(dims);
  const size_t id = build.graph().tensors.size();
  name_found(found, tensor.name + "." + std::to_string(id), tensor);
  return build.add_tensor(std::move(tensor));
}

std::string type_text(const Tensor& tensor) {
  std::string text;
  for (const int64_t d : tensor.dims) text += (text.empty() ? "" : ",") + std::to_string(d);
  return std::string(mdl_dtype_name(tensor.dtype)) + " [" + text + "]";
}

// Gives a branch one input for each of `all`; it has those of its captures.
void order_captures(const ImportedBody& body, const std::vector<int32_t>& all,
                    const Graph& outside) {
  std::vector<int32_t> inputs;
  for (const int32_t t : all) {
    const auto found = std::find(body.captures.begin(), body.captures.end(), t);
    inputs.push_back(found == body.captures.end()
                         ? body.graph->add_tensor(type_of(outside.tensors[at(t)]))
                         : body.graph->inputs[static_cast<size_t>(found - body.captures.begin())]);
  }
  body.graph->inputs = std::move(inputs);
}

}  // namespace

bool is_true(const Tensor& condition) {
  if (condition.data->empty()) refuse("its condition '" + condition.name + "' has no element");
  return condition.data->front() != std::byte{0};
}

Tensor type_of(const Tensor& from) {
  Tensor tensor = from;
  tensor.data = nullptr;
  return tensor;
}

Tensor one_element(const char* name, mdl_dtype dtype) {
  Tensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  return tensor;
}

int64_t bound_of(const ConvertOptions& options, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto given = options.maxima.find(name);
    if (given != options.maxima.end() && given->second > 0) return given->second;
  }
  refuse("has no bound on its iterations, and memory is planned for the most",
         "give one with --max " + names.front() + "=MAXIMUM");
}

std::vector<int32_t> add_if(Builder& build, int32_t condition, const ImportedBody& then_body,
                            const ImportedBody& else_body) {
  std::vector<int32_t> captures = then_body.captures;
  for (const int32_t t : else_body.captures) {
    if (std::find(captures.begin(), captures.end(), t) == captures.end()) captures.push_back(t);
  }
  const Graph &a = *then_body.graph, &b = *else_body.graph;
  order_captures(then_body, captures, build.graph());
  order_captures(else_body, captures, build.graph());
  if (a.outputs.size() != b.outputs.size()) {
    refuse("its branches make " + std::to_string(a.outputs.size()) + " and " +
           std::to_string(b.outputs.size()) + " outputs");
  }
  std::vector<int32_t> outputs;
  for (size_t o = 0; o < a.outputs.size(); ++o) {
    const Tensor &x = output_of(a, o), &y = output_of(b, o);
    if (x.dtype != y.dtype || x.dims.size() != y.dims.size() || x.quantization != y.quantization) {
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
    outputs.push_back(add_made(build, x, std::move(dims), found));
  }
  captures.insert(captures.begin(), condition);
  build.graph().nodes.push_back(
      {build.name(),
       "If",
       1,
       {{"then_branch", GraphIndex{then_body.index}}, {"else_branch", GraphIndex{else_body.index}}},
       std::move(captures),
       outputs});
  return outputs;
}

std::vector<int32_t> add_loop(Builder& build, LoopParts parts) {
  const Graph& body = *parts.body.graph;
  const size_t first = parts.conditional ? 1 : 0;
  std::vector<int32_t> outputs;
  for (size_t o = 0; first + o < body.outputs.size(); ++o) {
    const Tensor& made = output_of(body, first + o);
    const bool carried = o < parts.carried.size();
    uint32_t found = !carried && parts.early ? 1 : 0;
    Dims dims = made.dims;
    if (carried) {
      const Tensor& start = input_of(body, 2 + o);
      bool same = start.dtype == made.dtype && start.dims == made.dims &&
                  start.quantization == made.quantization;
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
    outputs.push_back(add_made(build, made, std::move(dims), found));
  }
  std::vector<int32_t> inputs = {parts.trip_count, parts.condition};
  for (const auto* list : {&parts.carried, &parts.scanned, &parts.body.captures}) {
    inputs.insert(inputs.end(), list->begin(), list->end());
  }
  parts.attributes["body"] = GraphIndex{parts.body.index};
  parts.attributes["carried"] = static_cast<int64_t>(parts.carried.size());
  parts.attributes["scanned"] = static_cast<int64_t>(parts.scanned.size());
  parts.attributes["limit"] = parts.limit;
  parts.attributes["conditional"] = int64_t{parts.conditional};
  build.graph().nodes.push_back(
      {build.name(), "Loop", 1, std::move(parts.attributes), std::move(inputs), outputs});
  return outputs;
}

}  // namespace medulla::tools
