// SPDX-License-Identifier: Apache-2.0
// What folds the values along axes into one, or looks for one among them.
#include <algorithm>
#include <limits>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

struct Axes {
  Dims axes;
  int64_t keepdims;
};

// Over no axes it does nothing, whatever the operator.
int32_t reduce(OnnxNode& node, const char* op, int32_t x, const Axes& over, bool keep = false) {
  if (over.axes.empty()) return x;
  return node.build.add(op, {x},
                        {{"axes", over.axes}, {"keepdims", keep ? int64_t{1} : over.keepdims}});
}

// m + ln of the sum of e^(x - m), m the greatest value made finite.
int32_t log_sum_exp(OnnxNode& node, int32_t x, const Axes& over) {
  if (over.axes.empty()) return x;
  Builder& build = node.build;
  const auto bound = [&](double sign) {
    const mdl_dtype dtype = build.tensor(x).dtype;
    const double most = dtype == MDL_FLOAT64   ? std::numeric_limits<double>::max()
                        : dtype == MDL_FLOAT16 ? 65504.0
                                               : 0x1.fep127;
    return number_like(node, x, sign * most);
  };
  int32_t m = reduce(node, "ReduceMax", x, over, true);
  m = build.add("Min", {build.add("Max", {m, bound(-1)}), bound(1)});
  const int32_t sum = reduce(node, "ReduceSum", build.add("Exp", {build.add("Sub", {x, m})}), over);
  if (over.keepdims == 0) m = build.add_like("Squeeze", {m}, {{"axes", over.axes}});
  return build.add("Add", {m, build.add("Log", {sum})});
}

}  // namespace

std::vector<int32_t> convert_reduce(OnnxNode& node) {
  Builder& build = node.build;
  const std::string& op = node.op();
  const int32_t x = node.input(0);
  const int64_t since = op == "ReduceSum" ? 13 : 18;
  Axes over = {node.axes(node.ints_by_opset("axes", 1, since), build.rank(x)),
               node.int_or("keepdims", 1)};
  if (over.axes.empty() && node.int_or("noop_with_empty_axes", 0) == 0) {
    for (int64_t d = 0; d < build.rank(x); ++d) over.axes.push_back(d);
  }
  std::sort(over.axes.begin(), over.axes.end());
  if (op == "ReduceL1") return {reduce(node, "ReduceSum", build.add("Abs", {x}), over)};
  if (op == "ReduceLogSum") {
    return {build.add("Log", {reduce(node, "ReduceSum", x, over)})};
  }
  if (op == "ReduceLogSumExp") return {log_sum_exp(node, x, over)};
  if (op == "ReduceL2" || op == "ReduceSumSquare") {
    const int32_t squares = reduce(node, "ReduceSum", build.add("Mul", {x, x}), over);
    return {op == "ReduceL2" ? build.add("Sqrt", {squares}) : squares};
  }
  return {reduce(node, op.c_str(), x, over)};
}

std::vector<int32_t> convert_arg(OnnxNode& node) {
  Builder& build = node.build;
  const int64_t axis = node.axis(node.int_or("axis", 0), build.rank(node.input(0)));
  return {build.add(node.op(), {node.input(0)},
                    {{"axis", axis},
                     {"keepdims", node.int_or("keepdims", 1)},
                     {"select_last_index", node.int_or("select_last_index", 0)}})};
}

std::vector<int32_t> convert_cumulate(OnnxNode& node) {
  Builder& build = node.build;
  const Dims axis = node.constant_ints(1, "axis");
  if (axis.size() != 1)
    refuse("axis has " + std::to_string(axis.size()) + " values, should have 1");
  return {build.add(node.op(), {node.input(0)},
                    {{"axis", node.axis(axis[0], build.rank(node.input(0)))},
                     {"exclusive", node.int_or("exclusive", 0)},
                     {"reverse", node.int_or("reverse", 0)}})};
}

std::vector<int32_t> convert_trilu(OnnxNode& node) {
  Builder& build = node.build;
  Attributes attributes = {{"upper", node.int_or("upper", 1)}};
  if (node.input(1) >= 0) {
    const Dims k = node.constant_ints(1, "k");
    if (k.size() != 1) refuse("k has " + std::to_string(k.size()) + " values, should have 1");
    attributes["k"] = k[0];
  }
  return {build.add("Trilu", {node.input(0)}, std::move(attributes))};
}

}  // namespace medulla::tools
