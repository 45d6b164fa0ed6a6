// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/stream_rules.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "tools/ir/infer.h"
#include "tools/passes/elementwise.h"

namespace medulla::tools {
namespace {

using Names = std::set<std::string>;

// A dimension that time is not is reduced; whether time is, the output's shape tells.
const Names kReduce = {"ArgMax",    "ArgMin",         "GlobalAveragePool", "GlobalMaxPool",
                       "ReduceL1",  "ReduceL2",       "ReduceLogSum",      "ReduceLogSumExp",
                       "ReduceMax", "ReduceMean",     "ReduceMin",         "ReduceProd",
                       "ReduceSum", "ReduceSumSquare"};
// Along one axis, which time must not be.
const Names kAlongAxis = {"Concat",     "CumSum",  "Gather", "GatherElements",
                          "LogSoftmax", "Softmax", "Split",  "TopK"};
// From an axis to the last.
const Names kFromAxis = {"LayerNormalization", "RMSNormalization"};
const Names kWindows = {"AveragePool", "Conv", "LpPool", "MaxPool"};
const Names kRecurrent = {"GRU", "LSTM", "RNN"};

std::string frames(int64_t count) {
  return std::to_string(count) + (count == 1 ? " frame" : " frames");
}

int64_t product(const Dims& dims, int64_t end) {
  int64_t count = 1;
  for (int64_t d = 0; d < end; ++d) count *= dims[static_cast<size_t>(d)];
  return count;
}

std::string why_not_elementwise(const Graph& graph, const Node& node,
                                const std::vector<Time>& times) {
  int64_t from_end = 0;
  for (const int32_t t : node.inputs) {
    if (t < 0 || times[static_cast<size_t>(t)].axis < 0) continue;
    const int64_t at = times[static_cast<size_t>(t)].axis -
                       static_cast<int64_t>(graph.tensors[static_cast<size_t>(t)].dims.size());
    if (from_end != 0 && at != from_end) return "sets each frame against every other";
    from_end = at;
  }
  return "";
}

std::string why_not_product(const Graph& graph, const Node& node, const std::vector<Time>& times) {
  for (size_t i = 0; i < 2; ++i) {
    const auto t = static_cast<size_t>(node.inputs[i]);
    const auto rank = static_cast<int64_t>(graph.tensors[t].dims.size());
    if (times[t].axis < 0) return "";
    if (times[t].axis < rank - 2) return why_not_elementwise(graph, node, times);
  }
  return "sets each frame against every other, those ahead too";
}

// Whether time is still one dimension, with as much before it.
std::string why_not_view(const Graph& graph, const Node& node, const Time& x,
                         const std::string& symbol) {
  const Tensor& from = graph.tensors[static_cast<size_t>(node.inputs[0])];
  const Tensor& to = graph.tensors[static_cast<size_t>(node.outputs[0])];
  const int64_t axis = time_axis(to, symbol);
  if (axis >= 0 && product(from.dims, x.axis) == product(to.dims, axis) &&
      from.dims[static_cast<size_t>(x.axis)] == to.dims[static_cast<size_t>(axis)]) {
    return "";
  }
  return "mixes time with another dimension";
}

}  // namespace

bool is_window(const std::string& op) { return kWindows.count(op) > 0; }
bool is_recurrent(const std::string& op) { return kRecurrent.count(op) > 0; }

int64_t time_axis(const Tensor& tensor, const std::string& symbol) {
  int64_t axis = -1;
  for (size_t d = 0; d < tensor.symbols.size(); ++d) {
    const std::string& s = tensor.symbols[d];
    if (s != symbol && s.rfind(symbol + ":", 0) != 0) continue;
    if (axis >= 0) return -1;
    axis = static_cast<int64_t>(d);
  }
  return axis;
}

std::string why_not_framewise(const Graph& graph, const Node& node,
                              const std::vector<Time>& times) {
  const Time& x = node.inputs.empty() || node.inputs[0] < 0
                      ? Time()
                      : times[static_cast<size_t>(node.inputs[0])];
  const Tensor* first = x.axis >= 0 ? &graph.tensors[static_cast<size_t>(node.inputs[0])] : nullptr;
  const auto rank = first != nullptr ? static_cast<int64_t>(first->dims.size()) : 0;
  if (is_unary(node.op) || is_broadcast(node.op) || node.op == "BatchNormalization")
    return why_not_elementwise(graph, node, times);
  if (node.op == "MatMul" || node.op == "Gemm") return why_not_product(graph, node, times);
  if (kReduce.count(node.op) > 0 || node.op == "Transpose") return "";
  if (node.op == "Gather" && first == nullptr)
    return "";  // a table, of which each frame takes a row
  if (first == nullptr) return "has time where it keeps parameters";
  if (kWindows.count(node.op) > 0 && x.axis < rank - 1) return "";
  if (kWindows.count(node.op) > 0) return "has time as its channels";
  if (kRecurrent.count(node.op) > 0 || node.op == "Pad" || node.op == "Slice") return "";
  const auto attribute_axis = [&](int64_t otherwise) {
    const auto axis = node.get<int64_t>("axis", otherwise);
    return axis < 0 ? axis + rank : axis;
  };
  if (kAlongAxis.count(node.op) > 0) {
    const int64_t otherwise = node.op == "Gather" || node.op == "GatherElements" ? 0 : -1;
    if (attribute_axis(otherwise) != x.axis) return "";
    if (node.op == "Concat") return "adds frames";
    if (node.op == "CumSum" && node.get<int64_t>("reverse", 0) == 0) {
      return "sums along time from the first frame on, and a chunk begins anew; carry the sum over "
             "with --state";
    }
    return "works along time, on all frames together";
  }
  if (kFromAxis.count(node.op) > 0) {
    return attribute_axis(-1) > x.axis ? "" : "takes its statistics over time, those ahead too";
  }
  if (is_view(node.op)) {
    const auto time = static_cast<size_t>(x.axis);
    const std::string symbol = without_measure(first->symbols[time], first->dims[time]);
    return why_not_view(graph, node, x, symbol);
  }
  if (node.op == "Tile" && node.get<Dims>("repeats", {})[static_cast<size_t>(x.axis)] == 1) {
    return "";
  }
  if (node.op == "Resize") {
    const auto scales = node.get<std::vector<double>>("scales", {});
    const auto sizes = node.get<Dims>("sizes", {});
    if (!scales.empty() && scales[static_cast<size_t>(x.axis)] == 1) return "";
    if (!sizes.empty() && sizes[static_cast<size_t>(x.axis)] == -1) return "";
    return "resizes time";
  }
  return "has no form that works frame by frame";
}

TimeWindow time_window(const Graph& graph, const Node& node, int64_t axis) {
  const size_t spatial = graph.tensors[static_cast<size_t>(node.inputs[0])].dims.size() - 2;
  const auto d = static_cast<size_t>(axis) - 1;
  const auto value = [&](const char* name, size_t at, size_t count, int64_t otherwise) {
    return node.get<Dims>(name, Dims(count, otherwise))[at];
  };
  const int64_t kernel = node.op == "Conv"
                             ? graph.tensors[static_cast<size_t>(node.inputs[1])].dims[d + 1]
                             : value("kernel_shape", d, spatial, 1);
  return {(kernel - 1) * value("dilations", d, spatial, 1) + 1, value("strides", d, spatial, 1),
          value("pads", d, 2 * spatial, 0), value("pads", d + spatial, 2 * spatial, 0)};
}

std::string why_not_causal(const Node& node, const TimeWindow& w, const Time& x) {
  if (x.ahead > 0) return "reads what '" + x.culprit + "' made by looking ahead";
  if (x.past > 0 && w.begin > 0) return "pads what a Pad padded; join the two";
  if (node.outputs.size() > 1 && node.outputs[1] >= 0) return "counts from the first frame of all";
  const int64_t past = x.past + w.begin;
  const std::string should = "; pad it by " + frames(w.reach - 1) + " in front, and by none behind";
  if (past > w.reach - 1) return "is padded by " + frames(past) + " in front" + should;
  if (past < w.reach - w.stride) {
    return "looks ahead by " + frames(w.reach - w.stride - past) + should;
  }
  if (node.op == "AveragePool" && w.begin > 0 && node.get<int64_t>("count_include_pad", 0) == 0) {
    return "averages over fewer frames at the beginning; set count_include_pad";
  }
  if (node.get<int64_t>("ceil_mode", 0) != 0 && past != w.reach - w.stride) {
    return "looks ahead: ceil_mode hangs over the end";
  }
  return "";
}

std::string why_no_past(const Node& pad, int64_t begin, int64_t end, bool only_time,
                        const Time& x) {
  if (end > 0) return "looks ahead: it pads the end of time by " + frames(end);
  if (begin < 0 || end < 0) return "cuts frames off";
  if (pad.get<std::string>("mode", "constant") != "constant") {
    return "pads the beginning with what is to come";
  }
  if (!only_time) return "pads time and another dimension; take two nodes";
  if (x.past > 0 || x.ahead > 0) return "pads what is padded already; join the two";
  return "";
}

std::string why_not_forward(const Node& node, const Time& x) {
  const auto direction = node.get<std::string>("direction", "forward");
  if (direction != "forward") return "looks ahead: its direction is " + direction;
  if (x.axis != (node.get<int64_t>("layout", 0) != 0 ? 1 : 0)) {
    return "has time as another dimension than its sequence";
  }
  if (node.inputs.size() > 4 && node.inputs[4] >= 0) return "has sequences of different lengths";
  if (x.past > 0 || x.ahead > 0) return "reads frames of padding";
  return "";
}

std::string why_not_each_frame(const Rewriter& graph, const State& state) {
  int32_t written = state.written;
  while (const Node* copy = graph.producer(written, "Identity")) written = copy->inputs[0];
  const Node* node = graph.only_reader(state.tensor);
  for (size_t s = 0; node != nullptr && is_recurrent(node->op) && s < 2; ++s) {
    const bool read = node->inputs.size() > 5 + s && node->inputs[5 + s] == state.tensor;
    if (read && node->outputs.size() > 1 + s && node->outputs[1 + s] == written) return "";
  }
  return "steps once with each chunk, not with each frame; --stream takes as a state of your own "
         "only the initial h or c of one GRU, LSTM or RNN and what that node makes of it, and adds "
         "what else looks back by itself; a model that keeps all of its past in states of its own "
         "is fed in chunks without --stream";
}

SliceRange slice_range(const Node& node, int64_t axis, size_t rank) {
  SliceRange range{0, std::numeric_limits<int64_t>::max(), 1, {}};
  const auto starts = node.get<Dims>("starts", {}), ends = node.get<Dims>("ends", {});
  const auto axes = node.get<Dims>("axes", {});
  const auto steps = node.get<Dims>("steps", Dims(starts.size(), 1));
  Dims other_starts, other_ends, other_axes, other_steps;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t a = axes.empty() ? static_cast<int64_t>(i) : axes[i];
    if (a < 0) a += static_cast<int64_t>(rank);
    if (a == axis) {
      range.start = starts[i];
      range.end = ends[i];
      range.step = steps[i];
      continue;
    }
    other_starts.push_back(starts[i]);
    other_ends.push_back(ends[i]);
    other_axes.push_back(a);
    other_steps.push_back(steps[i]);
  }
  if (!other_axes.empty()) {
    range.others = {{"starts", other_starts},
                    {"ends", other_ends},
                    {"axes", other_axes},
                    {"steps", other_steps}};
  }
  return range;
}

std::shared_ptr<const Bytes> filled(const Tensor& state, float value) {
  const size_t size = mdl_dtype_bits(state.dtype) / 8;
  auto bytes = std::make_shared<Bytes>(state.elements() * size);
  int32_t integer = 0;
  if (state.quantization) {
    const bool unsigned_ = state.dtype == MDL_UINT8 || state.dtype == MDL_UINT16;
    integer = state.quantization->zero_points[0];
    if (value < 0) integer = unsigned_ ? 0 : -(1 << (8 * size - 1));
  }
  if (state.quantization ? integer == 0 : value == 0) return nullptr;
  for (size_t i = 0; i < state.elements(); ++i) {
    const void* from = state.quantization ? static_cast<const void*>(&integer) : &value;
    std::memcpy(bytes->data() + i * size, from, size);
  }
  return bytes;
}

}  // namespace medulla::tools
