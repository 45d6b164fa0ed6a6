// SPDX-License-Identifier: Apache-2.0
// Lists of extents of which some can vary, as Shape gives them for an input with a maximum. They
// are followed through the few operators by which exporters build the shape of a Reshape, which can
// keep an extent (0) or infer it (-1). No node is left of them.
#include <algorithm>

#include "tools/import/dimensions.h"
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

std::vector<int32_t> convert_shape_values(OnnxNode& node) {
  const std::string& op = node.op();
  if (op == "Reshape" && node.shapes.count(node.input(0)) == 0) return {reshape(node)};
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
    std::vector<std::string> symbols;
    for (const int32_t t : node.inputs) {
      for (std::string& symbol : symbols_of(node, t)) symbols.push_back(std::move(symbol));
    }
    refuse("reads a shape that can vary, and shapes are planned before a run",
           fix_dim_text(symbols));
  }
  const bool scalar = op == "Squeeze" || (op == "Gather" && node.build.rank(node.input(1)) == 0) ||
                      ((op == "Cast" || op == "Identity") && node.build.rank(node.input(0)) == 0);
  const Dims dims = scalar ? Dims() : Dims{static_cast<int64_t>(result.size())};
  return {add_extents(node, dims, std::move(result))};
}

}  // namespace medulla::tools
