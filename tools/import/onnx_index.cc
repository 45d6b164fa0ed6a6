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
