// SPDX-License-Identifier: Apache-2.0
#include "tools/import/extents.h"

#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/ir/infer.h"

namespace medulla::tools {
namespace {

struct Place {
  int32_t tensor;
  size_t dimension;
};

// Where the extent shows: in an input, or in the first tensor behind it that has it.
Place find_extent(const Graph& graph, const Extent& extent) {
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const Tensor& tensor = graph.tensors[t];
    if (tensor.quantization || tensor.data) continue;
    size_t at = tensor.symbols.size();
    bool can_be_empty = false;
    for (size_t d = 0; d < tensor.symbols.size(); ++d) {
      const bool same = tensor.symbols[d] == extent.symbol && tensor.dims[d] == extent.maximum;
      if (same) at = d;
      can_be_empty |= !same && is_found(tensor.symbols[d]);
    }
    if (at < tensor.symbols.size() && !can_be_empty) return {static_cast<int32_t>(t), at};
  }
  refuse("needs the extent of '" + extent.symbol + "', which no tensor shows",
         fix_dim_text({extent.symbol}));
}

// `t` of one dimension, or of ones beside it, whose extent goes through the steps.
int32_t stepped(Builder& build, int32_t t, const std::vector<ExtentStep>& steps) {
  using Op = ExtentStep::Op;
  for (const auto& [op, by] : steps) {
    if (op == Op::times) {
      t = build.add_like("Tile", {t}, {{"repeats", Dims{by}}});
    } else if (op == Op::plus) {
      t = build.add_like(
          "Pad", {t}, {{"pads", Dims{0, by}}, {"mode", std::string("constant")}, {"value", 0.0}});
    } else {
      t = build.add_like("Slice", {t},
                         {{"starts", Dims{op == Op::divided_down ? by - 1 : 0}},
                          {"ends", Dims{INT32_MAX}},
                          {"axes", Dims{0}},
                          {"steps", Dims{by}}});
    }
  }
  return t;
}

// Booleans of `rank` dimensions: as many along `at` as the extent is, one along others.
int32_t flags(Builder& build, const Extent& extent, size_t rank, size_t at) {
  const auto [from, dimension] = find_extent(build.graph(), extent);
  int32_t t = from;
  Dims others;
  for (size_t d = 0; d < build.dims(from).size(); ++d) {
    if (d != dimension) others.push_back(static_cast<int64_t>(d));
  }
  if (!others.empty()) {
    const Dims zeros(others.size(), 0), ones(others.size(), 1);
    t = build.add_like("Slice", {t},
                       {{"starts", zeros}, {"ends", ones}, {"axes", others}, {"steps", ones}});
  }
  if (!extent.steps.empty()) t = stepped(build, build.reshape(t, {-1}), extent.steps);
  if (build.dims(t).size() != rank || dimension != at || !extent.steps.empty()) {
    Dims shape(rank, 1);
    shape[at] = -1;
    t = build.add_like("Reshape", {t}, {{"shape", shape}, {"allowzero", int64_t{0}}});
  }
  return build.add_typed("Cast", {t}, {{"to", int64_t{MDL_BOOL}}}, MDL_BOOL);
}

}  // namespace

int32_t expanded(Builder& build, int32_t x, std::vector<Extent> shape) {
  const Dims in = build.dims(x);
  if (shape.size() < in.size()) shape.insert(shape.begin(), in.size() - shape.size(), {1, ""});
  const size_t added = shape.size() - in.size();
  Dims fixed;
  bool grows = added > 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    fixed.push_back(shape[d].varies() ? 1 : shape[d].value);
    grows |= d >= added && fixed[d] != 1 && fixed[d] != in[d - added];
  }
  if (grows) x = build.add_like("Expand", {x}, {{"shape", fixed}});
  for (size_t d = 0; d < shape.size(); ++d) {
    const Tensor& tensor = build.tensor(x);
    if (!shape[d].varies()) continue;
    const bool open = d < tensor.symbols.size() && !tensor.symbols[d].empty();
    if (open && shape[d].steps.empty() && tensor.symbols[d] == shape[d].symbol) continue;
    // What both vary to is compared when they are known.
    if (tensor.dims[d] != 1 && !(open && tensor.dims[d] == shape[d].value)) {
      refuse("extent " + std::to_string(tensor.dims[d]) + " does not broadcast to '" +
                 shape[d].symbol + "', which varies",
             fix_dim_text({shape[d].symbol}));
    }
    const mdl_dtype dtype = tensor.dtype;
    const auto quantization = tensor.quantization;
    const int32_t either = flags(build, shape[d], shape.size(), d);
    x = build.add_typed("Where", {either, x, x}, {}, dtype, quantization);
  }
  return x;
}

int32_t counted(Builder& build, const Extent& extent) {
  const int32_t ones = expanded(build, build.constant<int64_t>(MDL_INT64, {1}, {1}), {extent});
  return build.add("CumSum", {ones},
                   {{"axis", int64_t{0}}, {"exclusive", int64_t{1}}, {"reverse", int64_t{0}}});
}

int32_t values_of_extents(Builder& build, const std::vector<Extent>& extents, Dims dims,
                          mdl_dtype dtype) {
  std::vector<int32_t> parts;
  for (const Extent& extent : extents) {
    int32_t part = build.constant<int64_t>(MDL_INT64, {1}, {extent.varies() ? 1 : extent.value});
    if (extent.varies()) {
      part = build.add("ReduceSum", {expanded(build, part, {extent})},
                       {{"axes", Dims{0}}, {"keepdims", int64_t{1}}});
    }
    parts.push_back(part);
  }
  const int32_t values = parts.size() == 1 ? parts[0] : build.concat(parts, 0);
  const int32_t integers = build.reshape(values, dims);
  if (dtype == MDL_INT64) return integers;
  return build.add_typed("Cast", {integers}, {{"to", int64_t{dtype}}}, dtype);
}

}  // namespace medulla::tools
