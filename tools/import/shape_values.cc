// SPDX-License-Identifier: Apache-2.0
// Lists of extents of which some can vary, as Shape gives them for an input with a maximum. They
// are followed through the few operators by which exporters build the shape of a Reshape, which can
// keep an extent (0) or infer it (-1), of an Expand or of a constant, or the end of a Slice. No
// node is left of them there; any other operator reads them as numbers that are made at run time.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/extents.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

std::vector<Extent> extents_of(const OnnxNode& node, size_t i) {
  const auto found = node.shapes.find(node.input(i));
  if (found != node.shapes.end()) return found->second;
  std::vector<Extent> extents;
  for (const int64_t v : node.constant_ints(i, "shape")) extents.push_back({v, ""});
  return extents;
}

std::vector<std::string> symbols_of(const OnnxNode& node, int32_t tensor) {
  std::vector<std::string> symbols;
  const auto found = node.shapes.find(tensor);
  if (found == node.shapes.end()) return symbols;
  for (const Extent& extent : found->second) symbols.push_back(extent.symbol);
  return symbols;
}

int64_t wrapped(int64_t index, size_t count) {
  const auto n = static_cast<int64_t>(count);
  if (index < -n || index >= n) refuse("index " + std::to_string(index) + " is out of range");
  return index < 0 ? index + n : index;
}

std::vector<Extent> sliced(const OnnxNode& node, const std::vector<Extent>& from) {
  const auto n = static_cast<int64_t>(from.size());
  const auto bound = [&](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + n : v, 0, n); };
  const int64_t begin = bound(node.ints_by_opset("starts", 1, 10).at(0));
  const int64_t end = std::max(begin, bound(node.ints_by_opset("ends", 2, 10).at(0)));
  const Dims steps = node.opset < 10 ? Dims() : node.ints_by_opset("steps", 4, 10);
  if (!steps.empty() && steps[0] != 1) refuse("steps through a shape that can vary");
  return {from.begin() + begin, from.begin() + end};
}

int32_t reshape(const OnnxNode& node) {
  const int32_t x = node.input(0);
  const auto& symbols = node.build.tensor(x).symbols;
  Dims shape;
  for (const Extent& extent : node.shapes.at(node.input(1))) {
    const size_t d = shape.size();
    const bool kept = d < symbols.size() && symbols[d] == extent.symbol;
    shape.push_back(extent.symbol.empty() ? extent.value : kept ? 0 : -1);
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) {
    refuse("more than one extent of the shape can vary",
           "make all but one static: " + fix_dim_text(symbols_of(node, node.input(1))));
  }
  return node.build.add_like("Reshape", {x}, {{"shape", shape}, {"allowzero", int64_t{0}}});
}

// A Slice up to an extent: of what has it, all; of a table, as many rows.
int32_t cut(const OnnxNode& node) {
  Builder& build = node.build;
  const std::vector<Extent> ends = extents_of(node, 2);
  const Dims starts = node.constant_ints(1, "starts");
  Dims axes = node.ints_by_opset("axes", 3, 10);
  const Dims steps = node.ints_by_opset("steps", 4, 10);
  for (size_t i = 0; axes.size() < ends.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  int32_t x = node.input(0);
  axes = node.axes(axes, build.rank(x));
  for (size_t i = 0; i < ends.size(); ++i) {
    const Extent& end = ends[i];
    const int64_t step = steps.empty() ? 1 : steps.at(i);
    if (end.symbol.empty()) {
      x = build.add_like("Slice", {x},
                         {{"starts", Dims{starts.at(i)}},
                          {"ends", Dims{end.value}},
                          {"axes", Dims{axes[i]}},
                          {"steps", Dims{step}}});
      continue;
    }
    const auto axis = static_cast<size_t>(axes[i]);
    const Tensor& from = build.tensor(x);
    const std::string symbol = axis < from.symbols.size() ? from.symbols[axis] : "";
    const bool all = symbol == end.symbol && from.dims[axis] == end.value;
    if (starts.at(i) != 0 || step != 1 ||
        (!all && (!symbol.empty() || from.dims[axis] < end.value))) {
      refuse("cuts " + std::to_string(from.dims[axis]) + " elements of dimension " +
                 std::to_string(axis) + " from " + std::to_string(starts.at(i)) + " to '" +
                 end.symbol + "', which varies up to " + std::to_string(end.value) +
                 "; such a cut begins at 0, of no fewer elements",
             fix_dim_text({end.symbol}));
    }
    if (all) continue;
    x = build.add_like("Gather", {x, counted(build, end)}, {{"axis", axes[i]}});
  }
  return x;
}

// ConstantOfShape.
int32_t filled(const OnnxNode& node) {
  const auto* value = node.attribute("value");
  const int32_t one =
      value != nullptr ? add_onnx_constant(node.build, value->t(), "") : node.build.scalar(0.0f);
  if (node.build.tensor(one).elements() != 1) refuse("should be one element", "", "value");
  return expanded(node.build, node.build.reshape(one, {}), extents_of(node, 0));
}

bool is_index(mdl_dtype dtype) { return dtype == MDL_INT64 || dtype == MDL_INT32; }

// Whether a Range goes from 0 to an extent by 1.
bool counts(const OnnxNode& node) {
  const auto is = [&](size_t i, int64_t number) {
    return node.shapes.count(node.input(i)) == 0 &&
           node.constant_ints(i, "a bound").at(0) == number;
  };
  return is(0, 0) && is(2, 1);
}

int32_t of_dtype(const OnnxNode& node, int32_t integers, mdl_dtype dtype) {
  if (dtype == MDL_INT64) return integers;
  return node.build.add_typed("Cast", {integers}, {{"to", int64_t{dtype}}}, dtype);
}

// The node on the numbers themselves.
std::vector<int32_t> by_values(const OnnxNode& node, Conversion convert) {
  std::vector<int32_t> inputs = node.inputs;
  for (int32_t& t : inputs) {
    const auto found = node.shapes.find(t);
    if (found == node.shapes.end()) continue;
    t = of_dtype(node, values_of_extents(node.build, found->second, node.build.dims(t)),
                 node.build.tensor(t).dtype);
  }
  OnnxNode other{node.proto,  node.opset, std::move(inputs), node.build,
                 node.shapes, node.read,  node.scope};
  return convert(other);
}

}  // namespace

int32_t add_extents(OnnxNode& node, const Dims& dims, std::vector<Extent> extents) {
  if (std::all_of(extents.begin(), extents.end(),
                  [](const Extent& e) { return e.symbol.empty(); })) {
    std::vector<int64_t> values;
    for (const Extent& e : extents) values.push_back(e.value);
    return node.build.constant(MDL_INT64, dims, values);
  }
  Tensor stand_in;
  stand_in.name = node.build.name();
  stand_in.dtype = MDL_INT64;
  stand_in.dims = dims;
  const int32_t id = node.build.add_tensor(std::move(stand_in));
  node.shapes[id] = std::move(extents);
  return id;
}

std::vector<int32_t> convert_shape_values(OnnxNode& node, Conversion convert) {
  const std::string& op = node.op();
  if (node.shapes.count(node.input(0)) == 0) {
    if (op == "Reshape") return {reshape(node)};
    if (op == "Slice") return {cut(node)};
    if (op == "Expand") return {expanded(node.build, node.input(0), extents_of(node, 1))};
  }
  if (op == "ConstantOfShape") return {filled(node)};
  if (op == "Range" && counts(node)) {
    return {of_dtype(node, counted(node.build, extents_of(node, 1).at(0)),
                     node.build.tensor(node.input(1)).dtype)};
  }
  if (op == "Cast" && !is_index(onnx_dtype(static_cast<int32_t>(node.int_or("to", 0))))) {
    return by_values(node, convert);
  }
  std::vector<Extent> result;
  if (op == "Cast" || op == "Identity" || op == "Squeeze" || op == "Unsqueeze") {
    result = extents_of(node, 0);
  } else if (op == "Gather") {
    const std::vector<Extent> from = extents_of(node, 0);
    for (const int64_t i : node.constant_ints(1, "indices")) {
      result.push_back(from[static_cast<size_t>(wrapped(i, from.size()))]);
    }
  } else if (op == "Slice") {
    result = sliced(node, extents_of(node, 0));
  } else if (op == "Concat") {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      for (Extent& e : extents_of(node, i)) result.push_back(std::move(e));
    }
  } else {
    return by_values(node, convert);
  }
  const bool scalar = op == "Squeeze" || (op == "Gather" && node.build.rank(node.input(1)) == 0) ||
                      ((op == "Cast" || op == "Identity") && node.build.rank(node.input(0)) == 0);
  const Dims dims = scalar ? Dims() : Dims{static_cast<int64_t>(result.size())};
  const int32_t extents = add_extents(node, dims, std::move(result));
  if (node.shapes.count(extents) > 0) {
    node.build.graph().tensors[static_cast<size_t>(extents)].dtype =
        op == "Cast" ? onnx_dtype(static_cast<int32_t>(node.int_or("to", 0)))
                     : node.build.tensor(node.input(0)).dtype;
  }
  return {extents};
}

}  // namespace medulla::tools
