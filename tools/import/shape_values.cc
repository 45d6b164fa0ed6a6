// SPDX-License-Identifier: Apache-2.0
// Lists of extents of which some can vary, as Shape gives them for an input with a maximum. They
// are followed through the few operators by which exporters build the shape of a Reshape, which can
// keep an extent (0) or infer it (-1), of an Expand or of a constant, the bounds of a Slice or the
// sizes of a Resize. No node is left of them there; any other operator reads them as numbers that
// are made at run time.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/extent_arithmetic.h"
#include "tools/import/extents.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

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
    const bool kept = d < symbols.size() && symbols[d] == extent.symbol && extent.steps.empty();
    shape.push_back(!extent.varies() ? extent.value : kept ? 0 : -1);
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) {
    refuse("more than one extent of the shape can vary",
           "make all but one static: " + fix_dim_text(symbols_of(node, node.input(1))));
  }
  return node.build.add_like("Reshape", {x}, {{"shape", shape}, {"allowzero", int64_t{0}}});
}

// Where a Slice begins and ends along an axis.
struct Cut {
  size_t axis;
  Extent start, end;
  int64_t step;
};

// What has the extent itself is taken whole; of a table, or of what has more of the same extent,
// so many rows are gathered.
int32_t cut(const OnnxNode& node, int32_t x, const Cut& c) {
  Builder& build = node.build;
  const Tensor from = build.tensor(x);
  const int64_t size = from.dims[c.axis];
  const auto axis = static_cast<int64_t>(c.axis);
  if (!c.start.varies() && !c.end.varies()) {
    return build.add_like("Slice", {x},
                          {{"starts", Dims{c.start.value}},
                           {"ends", Dims{c.end.value}},
                           {"axes", Dims{axis}},
                           {"steps", Dims{c.step}}});
  }
  const Extent whole = {size, from.symbols.empty() ? "" : from.symbols[c.axis], size};
  const auto is_within = [&](const Extent& e) {
    if (!e.varies()) return e.value >= 0 && e.value <= size && !whole.varies();
    if (!whole.varies()) return e.value <= size;
    return e.symbol == whole.symbol && e.maximum == size && never_grows(e);
  };
  const bool to_end = c.end == whole || (!c.end.varies() && c.end.value >= INT32_MAX);
  const bool from_begin = !c.start.varies() && c.start.value == 0;
  if (c.step == 1 && from_begin && to_end) return x;
  const Extent& end = to_end ? whole : c.end;
  const auto count = from_begin ? std::optional<Extent>(end) : difference(end, c.start);
  if (c.step != 1 || !(from_begin || is_within(c.start)) || !(to_end || is_within(end)) || !count) {
    const auto text = [](const Extent& e) {
      return e.varies() ? extent_text(e) + ", which varies up to " + std::to_string(e.value)
                        : std::to_string(e.value);
    };
    refuse("cuts " + std::to_string(size) + " elements of dimension " + std::to_string(c.axis) +
               " from " + text(c.start) + " to " + text(c.end) +
               "; such a cut takes the first ones, of no fewer elements, or the second half",
           fix_dim_text({c.start.symbol, c.end.symbol}));
  }
  int32_t rows = counted(build, *count);
  if (!from_begin)
    rows = build.add("Add", {rows, values_of_extents(build, {c.start}, {1}, MDL_INT64)});
  return build.add_like("Gather", {x, rows}, {{"axis", axis}});
}

int32_t cut(const OnnxNode& node) {
  const std::vector<Extent> starts = extents_of(node, 1), ends = extents_of(node, 2);
  Dims axes = node.ints_by_opset("axes", 3, 10);
  const Dims steps = node.ints_by_opset("steps", 4, 10);
  for (size_t i = 0; axes.size() < ends.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  int32_t x = node.input(0);
  axes = node.axes(axes, node.build.rank(x));
  for (size_t i = 0; i < ends.size(); ++i) {
    x = cut(node, x,
            {static_cast<size_t>(axes[i]), starts.at(i), ends[i], steps.empty() ? 1 : steps.at(i)});
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

int32_t of_dtype(const OnnxNode& node, int32_t integers, mdl_dtype dtype) {
  if (dtype == MDL_INT64) return integers;
  return node.build.add_typed("Cast", {integers}, {{"to", int64_t{dtype}}}, dtype);
}

// A Range by 1 or -1, of which one bound varies; nothing for another.
std::optional<int32_t> range(const OnnxNode& node) {
  Builder& build = node.build;
  const Extent start = extents_of(node, 0).at(0), limit = extents_of(node, 1).at(0);
  const Extent step = extents_of(node, 2).at(0);
  if (step.varies() || (step.value != 1 && step.value != -1)) return std::nullopt;
  const bool up = step.value == 1;
  const std::optional<Extent> count = up ? difference(limit, start) : difference(start, limit);
  if (!count) return std::nullopt;
  int32_t y = counted(build, *count);
  if (!up || start.varies() || start.value != 0) {
    const int32_t first = values_of_extents(build, {start}, {}, MDL_INT64);
    y = up ? build.add("Add", {y, first}) : build.add("Sub", {first, y});
  }
  return of_dtype(node, y, build.tensor(node.input(1)).dtype);
}

// The node on the numbers themselves.
std::vector<int32_t> by_values(const OnnxNode& node, Conversion convert) {
  std::vector<int32_t> inputs = node.inputs;
  for (int32_t& t : inputs) {
    const auto found = node.shapes.find(t);
    if (found == node.shapes.end()) continue;
    t = values_of_extents(node.build, found->second, node.build.dims(t),
                          node.build.tensor(t).dtype);
  }
  OnnxNode other{node.proto,  node.opset, std::move(inputs), node.build,
                 node.shapes, node.read,  node.scope};
  return convert(other);
}

}  // namespace

int32_t add_extents(OnnxNode& node, const Dims& dims, std::vector<Extent> extents,
                    mdl_dtype dtype) {
  if (std::none_of(extents.begin(), extents.end(), [](const Extent& e) { return e.varies(); })) {
    const auto constant = [&]<class T>(mdl_dtype of, T) {
      std::vector<T> values;
      for (const Extent& e : extents) values.push_back(static_cast<T>(e.value));
      return node.build.constant(of, dims, values);
    };
    if (dtype == MDL_FLOAT32) return constant(dtype, float{});
    if (dtype == MDL_FLOAT64) return constant(dtype, double{});
    return constant(MDL_INT64, int64_t{});
  }
  Tensor stand_in;
  stand_in.name = node.build.name();
  stand_in.dtype = dtype;
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
    if (op == "Resize") return {resized(node, convert)};
    if (op == "Gather") return by_values(node, convert);
  }
  if (op == "ConstantOfShape") return {filled(node)};
  if (op == "Range") {
    if (const auto numbers = range(node)) return {*numbers};
  }
  std::vector<Extent> result;
  if (op == "Cast" || op == "Identity" || op == "Squeeze" || op == "Unsqueeze" || op == "Floor" ||
      op == "Ceil" || op == "Round") {
    const mdl_dtype to =
        op == "Cast" ? onnx_dtype(static_cast<int32_t>(node.int_or("to", 0))) : MDL_INT64;
    if (!is_index(to) && to != MDL_FLOAT32 && to != MDL_FLOAT64) return by_values(node, convert);
    result = extents_of(node, 0);
  } else if (op == "Gather") {
    const std::vector<Extent> from = extents_of(node, 0);
    for (const int64_t i : node.constant_ints(1, "indices")) {
      result.push_back(from[static_cast<size_t>(wrapped(i, from.size()))]);
    }
  } else if (op == "Slice") {
    result = sliced(node, extents_of(node, 0));
  } else if (op == "Concat" && is_index(node.build.tensor(node.input(0)).dtype)) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      for (Extent& e : extents_of(node, i)) result.push_back(std::move(e));
    }
  } else if (auto computed = computed_extents(node)) {
    result = std::move(*computed);
  } else {
    return by_values(node, convert);
  }
  const bool elementwise = op != "Unsqueeze" && op != "Gather" && op != "Slice" && op != "Concat";
  const bool scalar =
      op == "Squeeze" || (op == "Gather" && node.build.rank(node.input(1)) == 0) ||
      (elementwise && std::all_of(node.inputs.begin(), node.inputs.end(),
                                  [&](int32_t t) { return node.build.rank(t) == 0; }));
  const Dims dims = scalar ? Dims() : Dims{static_cast<int64_t>(result.size())};
  const mdl_dtype dtype = op == "Cast" ? onnx_dtype(static_cast<int32_t>(node.int_or("to", 0)))
                                       : node.build.tensor(node.input(0)).dtype;
  return {add_extents(node, dims, std::move(result), dtype)};
}

}  // namespace medulla::tools
