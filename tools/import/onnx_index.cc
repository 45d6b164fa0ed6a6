// SPDX-License-Identifier: Apache-2.0
// What picks elements by indices that may be computed at run time.
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

Attributes axis_of(const OnnxNode& node, int64_t otherwise) {
  return {{"axis", node.axis(node.int_or("axis", otherwise), node.build.rank(node.input(0)))}};
}

}  // namespace

std::vector<int32_t> convert_gather(OnnxNode& node) {
  return {node.build.add_like("Gather", {node.input(0), node.input(1)}, axis_of(node, 0))};
}

std::vector<int32_t> convert_gather_elements(OnnxNode& node) {
  return {node.build.add_like("GatherElements", {node.input(0), node.input(1)}, axis_of(node, 0))};
}

std::vector<int32_t> convert_gather_nd(OnnxNode& node) {
  return {node.build.add_like("GatherND", {node.input(0), node.input(1)},
                              {{"batch_dims", node.int_or("batch_dims", 0)}})};
}

// Scatter is the old name of ScatterElements.
std::vector<int32_t> convert_scatter_elements(OnnxNode& node) {
  Attributes attributes = axis_of(node, 0);
  attributes["reduction"] = node.string_or("reduction", "none");
  return {node.build.add_like("ScatterElements", {node.input(0), node.input(1), node.input(2)},
                              std::move(attributes))};
}

std::vector<int32_t> convert_scatter_nd(OnnxNode& node) {
  return {node.build.add_like("ScatterND", {node.input(0), node.input(1), node.input(2)},
                              {{"reduction", node.string_or("reduction", "none")}})};
}

// Rows of a cache from each sequence's place on, in circles when it is circular.
std::vector<int32_t> convert_tensor_scatter(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t cache = node.input(0), rows = node.input(1);
  node.require_static(cache, "TensorScatter");
  node.require_static(rows, "TensorScatter");
  const Dims dims = build.dims(cache);
  const auto axis = static_cast<size_t>(node.axis(node.int_or("axis", -2), build.rank(cache)));
  if (axis == 0 || build.dims(rows).size() != dims.size()) {
    refuse("should write along a dimension behind the first, rows of the cache's rank");
  }
  Dims along(dims.size(), 1), first(dims.size(), 1);
  along[axis] = build.dims(rows)[axis];
  first[0] = dims[0];
  std::vector<int64_t> steps;
  for (int64_t i = 0; i < along[axis]; ++i) steps.push_back(i);
  int32_t at = build.constant(MDL_INT64, along, steps);
  if (node.input(2) >= 0) at = build.add("Add", {at, build.reshape(node.input(2), first)});
  if (node.string_or("mode", "linear") == "circular") {
    at = build.add("Mod", {at, build.constant(MDL_INT64, Dims{}, Dims{dims[axis]})});
  }
  at = build.add("Expand", {at}, {{"shape", build.dims(rows)}});
  return {build.add_like("ScatterElements", {cache, at, rows},
                         {{"axis", static_cast<int64_t>(axis)}, {"reduction", "none"}})};
}

std::vector<int32_t> convert_one_hot(OnnxNode& node) {
  Builder& build = node.build;
  const auto depth = static_cast<int64_t>(node.constant_floats(1, "depth").at(0));
  int32_t indices = node.input(0);
  const mdl_dtype dtype = build.tensor(indices).dtype;
  if (dtype != MDL_INT32 && dtype != MDL_INT64) {
    indices = build.add_typed("Cast", {indices}, {{"to", int64_t{MDL_INT64}}}, MDL_INT64);
  }
  const int64_t axis = node.axis(node.int_or("axis", -1), build.rank(indices) + 1);
  return {build.add_typed("OneHot", {indices, node.input(2)}, {{"depth", depth}, {"axis", axis}},
                          build.tensor(node.input(2)).dtype)};
}

std::vector<int32_t> convert_reverse_sequence(OnnxNode& node) {
  return {node.build.add_like(
      "ReverseSequence", {node.input(0), node.input(1)},
      {{"batch_axis", node.int_or("batch_axis", 1)}, {"time_axis", node.int_or("time_axis", 0)}})};
}

// Of integers; Medulla has no strings.
std::vector<int32_t> convert_tfidf_vectorizer(OnnxNode& node) {
  if (node.attribute("pool_strings")) {
    refuse("strings are not taken", "number the words before the model", "pool_strings");
  }
  Attributes attributes = {{"mode", node.string_or("mode", "TF")}};
  for (const char* name : {"min_gram_length", "max_gram_length", "max_skip_count"}) {
    attributes[name] = node.int_or(name, 0);
  }
  for (const char* name : {"ngram_counts", "ngram_indexes", "pool_int64s"}) {
    attributes[name] = node.ints(name);
  }
  if (node.attribute("weights")) attributes["weights"] = node.floats("weights");
  return {node.build.add("TfIdfVectorizer", {node.input(0)}, std::move(attributes))};
}

}  // namespace medulla::tools
