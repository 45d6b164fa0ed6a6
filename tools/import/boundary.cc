// SPDX-License-Identifier: Apache-2.0
#include "tools/import/boundary.h"

#include <algorithm>

namespace medulla::tools {

int32_t uint8_of_shifted(Builder& build, int32_t tensor) {
  const Tensor& t = build.tensor(tensor);
  if (!t.quantization || t.dtype != MDL_INT8) return tensor;
  Quantization quantization = *t.quantization;
  for (int32_t& z : quantization.zero_points) z += 128;
  return build.add_typed("QuantizeLinear", {build.add("DequantizeLinear", {tensor})}, {}, MDL_UINT8,
                         quantization);
}

int32_t plain_integers(Builder& build, int32_t tensor) {
  const Tensor& t = build.tensor(tensor);
  if (!t.quantization) return tensor;
  return build.add("Cast", {tensor}, {{"to", static_cast<int64_t>(t.dtype)}});
}

void add_output(Builder& build, int32_t tensor, const std::string& name) {
  Graph& graph = build.graph();
  const auto is_in = [&](const std::vector<int32_t>& ids) {
    return std::find(ids.begin(), ids.end(), tensor) != ids.end();
  };
  if (graph.is_constant(tensor) || is_in(graph.inputs) || is_in(graph.outputs)) {
    Tensor copy = build.tensor(tensor);
    copy.data = nullptr;
    const int32_t id = build.add_tensor(std::move(copy));
    graph.nodes.push_back({name, "Identity", 1, {}, {tensor}, {id}});
    tensor = id;
  }
  graph.tensors[static_cast<size_t>(tensor)].name = name;
  graph.outputs.push_back(tensor);
}

}  // namespace medulla::tools
