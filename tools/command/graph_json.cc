// SPDX-License-Identifier: Apache-2.0
// The graph in what `medulla inspect --json` prints.
#include <cmath>

#include "tools/command/inspect.h"

namespace medulla::tools {
namespace {

// JSON has no infinities: they are strings.
nlohmann::json number(double value) {
  if (std::isfinite(value)) return value;
  return value > 0 ? "inf" : (value < 0 ? "-inf" : "nan");
}

nlohmann::json value_of(const mdl_attribute& attribute) {
  nlohmann::json list = nlohmann::json::array();
  switch (attribute.type) {
    case MDL_ATTRIBUTE_INT:
      return attribute.i;
    case MDL_ATTRIBUTE_FLOAT:
      return number(attribute.f);
    case MDL_ATTRIBUTE_STRING:
      return attribute.s;
    case MDL_ATTRIBUTE_INTS:
      return std::vector<int64_t>(attribute.ints, attribute.ints + attribute.count);
    case MDL_ATTRIBUTE_FLOATS:
      for (size_t i = 0; i < attribute.count; ++i) list.push_back(number(attribute.floats[i]));
      return list;
    case MDL_ATTRIBUTE_STRINGS:
      for (size_t i = 0; i < attribute.count; ++i) list.push_back(attribute.strings[i]);
      return list;
    default:
      return nullptr;
  }
}

nlohmann::json names(const PlacedGraph& placed, const int32_t* ids, uint32_t count) {
  nlohmann::json list = nlohmann::json::array();
  for (uint32_t i = 0; i < count; ++i) {
    if (ids[i] < 0) {
      list.push_back(nullptr);
    } else {
      list.push_back(placed.path + placed.graph->tensors[ids[i]].name);
    }
  }
  return list;
}

}  // namespace

void add_quantization(nlohmann::json& row, const mdl_quantization& q) {
  if (q.count == 0) return;
  row["scales"] = std::vector<float>(q.scales, q.scales + q.count);
  row["zero_points"] = std::vector<int32_t>(q.zero_points, q.zero_points + q.count);
  row["axis"] = q.axis;
}

nlohmann::json tensors_json(const std::vector<PlacedGraph>& graphs, const uint8_t* file) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const auto& [graph, path] : graphs) {
    for (size_t t = 0; t < graph->tensor_count; ++t) {
      const mdl_tensor& tensor = graph->tensors[t];
      nlohmann::json row = {{"name", path + tensor.name},
                            {"dtype", mdl_dtype_name(tensor.dtype)},
                            {"shape", std::vector<int64_t>(tensor.dims, tensor.dims + tensor.rank)},
                            {"bytes", tensor.bytes},
                            {"constant", tensor.data != nullptr}};
      if (tensor.data != nullptr) row["offset"] = static_cast<const uint8_t*>(tensor.data) - file;
      add_quantization(row, tensor.quantization);
      tensors.push_back(std::move(row));
    }
  }
  return tensors;
}

nlohmann::json nodes_json(const std::vector<PlacedGraph>& graphs) {
  nlohmann::json nodes = nlohmann::json::array();
  for (const PlacedGraph& placed : graphs) {
    for (size_t n = 0; n < placed.graph->node_count; ++n) {
      const mdl_node& node = placed.graph->nodes[n];
      nlohmann::json attributes = nlohmann::json::object();
      for (uint32_t a = 0; a < node.attribute_count; ++a) {
        const mdl_attribute& attribute = node.attributes[a];
        attributes[attribute.name] =
            attribute.type == MDL_ATTRIBUTE_GRAPH
                ? nlohmann::json(placed.path + body_name(node, *attribute.graph))
                : value_of(attribute);
      }
      nodes.push_back({{"name", placed.path + node.name},
                       {"op", node.op},
                       {"version", node.version},
                       {"attributes", attributes},
                       {"inputs", names(placed, node.inputs, node.input_count)},
                       {"outputs", names(placed, node.outputs, node.output_count)}});
    }
  }
  return nodes;
}

}  // namespace medulla::tools
