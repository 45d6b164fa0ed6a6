// SPDX-License-Identifier: Apache-2.0
#include "tools/import/extent_arithmetic.h"

#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/extents.h"

namespace medulla::tools {
namespace {

using Op = ExtentStep::Op;

// Far from overflow, whatever a hostile file computes.
constexpr int64_t kMost = int64_t{1} << 31;

std::optional<Extent> with_step(Extent e, Op op, int64_t by) {
  if (by > kMost || by < (op == Op::plus ? -kMost : 1)) return std::nullopt;
  e.value = op == Op::times  ? e.value * by
            : op == Op::plus ? e.value + by
                             : (e.value + (op == Op::divided_up ? by - 1 : 0)) / by;
  if (e.value < 0 || e.value > kMost) return std::nullopt;
  if (op == Op::plus && !e.steps.empty() && e.steps.back().op == op) {
    by += e.steps.back().by;
    e.steps.pop_back();
  }
  if (by != (op == Op::plus ? 0 : 1)) e.steps.push_back({op, by});
  return e;
}

bool is_float(const OnnxNode& node) {
  const mdl_dtype dtype = node.build.tensor(node.input(0)).dtype;
  return dtype == MDL_FLOAT32 || dtype == MDL_FLOAT64;
}

// One of both varies; a quotient of floats is no extent.
std::optional<Extent> computed(const std::string& op, const Extent& a, const Extent& b,
                               bool floats) {
  if (op == "Mul") {
    return a.varies() ? with_step(a, Op::times, b.value) : with_step(b, Op::times, a.value);
  }
  if (op == "Add") {
    return a.varies() ? with_step(a, Op::plus, b.value) : with_step(b, Op::plus, a.value);
  }
  if (!a.varies()) return std::nullopt;
  if (op == "Sub") return difference(a, b);
  if (floats && b.value != 1) return std::nullopt;
  return with_step(a, Op::divided_down, b.value);
}

// Whole numbers of a constant, or nothing.
std::optional<std::vector<Extent>> whole_numbers(const OnnxNode& node, size_t i) {
  const auto found = node.shapes.find(node.input(i));
  if (found != node.shapes.end()) return found->second;
  if (!node.build.tensor(node.input(i)).data) return std::nullopt;
  std::vector<Extent> extents;
  for (const double v : node.constant_floats(i, "number")) {
    if (!(v >= static_cast<double>(-kMost) && v <= static_cast<double>(kMost))) return std::nullopt;
    const auto whole = static_cast<int64_t>(v);
    if (static_cast<double>(whole) != v) return std::nullopt;
    extents.push_back({whole});
  }
  return extents;
}

}  // namespace

std::vector<Extent> extents_of(const OnnxNode& node, size_t i) {
  const auto found = node.shapes.find(node.input(i));
  if (found != node.shapes.end()) return found->second;
  std::vector<Extent> extents;
  for (const int64_t v : node.constant_ints(i, "shape")) extents.push_back({v});
  return extents;
}

std::string extent_text(const Extent& extent) {
  std::string text = "'" + extent.symbol + "'";
  for (const auto& [op, by] : extent.steps) {
    text += op == Op::times ? " * " : op == Op::plus ? (by < 0 ? " - " : " + ") : " / ";
    text += std::to_string(op == Op::plus ? std::abs(by) : by);
  }
  return text;
}

bool never_grows(const Extent& extent) {
  return std::all_of(extent.steps.begin(), extent.steps.end(), [](const ExtentStep& step) {
    return step.op != Op::times && (step.op != Op::plus || step.by < 0);
  });
}

std::optional<Extent> difference(const Extent& a, const Extent& b) {
  if (a.varies() && !b.varies()) {
    return b.value > kMost || b.value < -kMost ? std::nullopt : with_step(a, Op::plus, -b.value);
  }
  if (!a.varies() || !a.steps.empty() || a.symbol != b.symbol || a.maximum != b.maximum) {
    return std::nullopt;
  }
  const bool half = b.steps.size() == 1 && b.steps[0].by == 2;
  if (half && b.steps[0].op == Op::divided_down) return with_step(a, Op::divided_up, 2);
  if (half && b.steps[0].op == Op::divided_up) return with_step(a, Op::divided_down, 2);
  return std::nullopt;
}

std::optional<std::vector<Extent>> computed_extents(const OnnxNode& node) {
  const std::string& op = node.op();
  if (op != "Add" && op != "Sub" && op != "Mul" && op != "Div") return std::nullopt;
  const auto a = whole_numbers(node, 0), b = whole_numbers(node, 1);
  if (!a || !b || a->empty() || b->empty()) return std::nullopt;
  if (node.build.rank(node.input(0)) > 1 || node.build.rank(node.input(1)) > 1) return std::nullopt;
  const size_t count = std::max(a->size(), b->size());
  if (a->size() != count && a->size() != 1) return std::nullopt;
  if (b->size() != count && b->size() != 1) return std::nullopt;
  std::vector<Extent> result;
  for (size_t i = 0; i < count; ++i) {
    const Extent& left = a->at(a->size() == 1 ? 0 : i);
    const Extent& right = b->at(b->size() == 1 ? 0 : i);
    // A number among extents is one that a step may make.
    std::optional<Extent> made;
    if (left.varies() != right.varies()) made = computed(op, left, right, is_float(node));
    if (op == "Sub" && left.varies() && right.varies()) made = difference(left, right);
    if (!left.varies() && !right.varies()) {
      Extent one = left;
      one.symbol = "a number";
      made = computed(op, one, right, is_float(node));
      if (made) made = Extent{made->value};
    }
    if (!made) return std::nullopt;
    result.push_back(std::move(*made));
  }
  return result;
}

// A scale is the quotient of both extents where the larger is a whole multiple, for each value that
// the smaller has; where that cannot be known before, it is compared when the shape is.
int32_t resized(const OnnxNode& node, Conversion convert) {
  Builder& build = node.build;
  const Tensor x = build.tensor(node.input(0));
  const auto rank = static_cast<int64_t>(x.dims.size());
  if (node.shapes.count(node.input(3)) == 0 || node.opset < 11) {
    refuse("its scales are computed from an extent that varies", "export with constant scales");
  }
  if (node.string_or("keep_aspect_ratio_policy", "stretch") != "stretch") {
    refuse("of an extent that varies is not taken", "export with stretch",
           "keep_aspect_ratio_policy");
  }
  Dims axes = node.axes(node.ints("axes"), rank);
  if (axes.empty()) {
    for (int64_t d = 0; d < rank; ++d) axes.push_back(d);
  }
  const std::vector<Extent> sizes = extents_of(node, 3);
  if (sizes.size() != axes.size()) {
    refuse("has " + std::to_string(sizes.size()) + " sizes, should have " +
           std::to_string(axes.size()));
  }
  std::vector<Extent> shape;
  for (size_t d = 0; d < x.dims.size(); ++d) {
    shape.push_back({x.dims[d], x.symbols.empty() ? "" : x.symbols[d], x.dims[d]});
  }
  std::vector<float> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    Extent& from = shape[static_cast<size_t>(axes[i])];
    const Extent to = sizes[i];
    const bool one = !from.varies() && from.value == 1;  // each pixel is that one
    const bool multiple = from.value > 0 && to.value % from.value == 0;
    if (!one && (from.varies() != to.varies() || (to.varies() && !multiple))) {
      refuse("resizes dimension " + std::to_string(axes[i]) + " from " +
                 (from.varies() ? extent_text(from) + ", up to " : "") +
                 std::to_string(from.value) + ", to " +
                 (to.varies() ? extent_text(to) + ", up to " : "") + std::to_string(to.value) +
                 ": where one varies the other should be a whole multiple of it",
             fix_dim_text({from.symbol, to.symbol}));
    }
    scales.push_back(one && to.varies() ? 1.0f
                                        : static_cast<float>(static_cast<double>(to.value) /
                                                             static_cast<double>(from.value)));
    const Extent times = {to.value,
                          from.symbol,
                          from.maximum,
                          {{Op::times, from.value > 0 ? to.value / from.value : 0}}};
    const bool known = from.varies() && (to == from || to == times);
    from = known ? Extent{1} : to;
  }
  std::vector<int32_t> inputs = {
      node.input(0), -1,
      build.constant(MDL_FLOAT32, {static_cast<int64_t>(scales.size())}, scales)};
  OnnxNode other{node.proto,  node.opset, std::move(inputs), build,
                 node.shapes, node.read,  node.scope};
  const int32_t y = convert(other).at(0);
  for (size_t d = 0; d < shape.size(); ++d) {
    const Dims& dims = build.dims(y);
    if (!shape[d].varies() && shape[d].value != 1 && shape[d].value != dims[d]) {
      refuse("would resize dimension " + std::to_string(d) + " to " + std::to_string(dims[d]) +
             ", should be to " + std::to_string(shape[d].value));
    }
  }
  return expanded(build, y, shape);
}

}  // namespace medulla::tools
