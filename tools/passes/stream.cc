// SPDX-License-Identifier: Apache-2.0
//   x[T] -> Conv, pads [4, 0] -> y[T]        x[n] -> Concat(past, .) -> Conv, pads [0, 0] -> y[n]
//                                            past = the last 4 frames of that Concat
//
// A causal graph becomes one that is fed in chunks: what looks back along time keeps the frames
// that it looks back at as a state, recurrent nodes keep theirs. Any chunking gives the bytes of
// the whole sequence, for each frame is computed from the same numbers. A strided node takes chunks
// that its stride divides: a Reshape that no other extent passes stands before it. Nodes that look
// ahead are refused by name.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/passes/pass.h"
#include "tools/passes/stream_rules.h"

namespace medulla::tools {
namespace {

class Stream {
 public:
  Stream(const Graph& graph, PassContext& context)
      : rewrite_(graph), context_(context), times_(graph.tensors.size()) {}

  Graph run() {
    const Graph& from = rewrite_.from;
    bool found = false;
    for (const int32_t t : from.inputs) {
      time(t).axis = time_axis(rewrite_.tensor(t), context_.stream);
      found = found || time(t).axis >= 0;
    }
    if (!found) {
      context_.refusals.push_back("--stream: no input has a dimension '" + context_.stream +
                                  "' that varies; give the greatest number of frames of a chunk "
                                  "with --max " +
                                  context_.stream + "=N, at least 2");
    }
    for (const State& state : from.states) {
      const std::string why = why_not_each_frame(rewrite_, state);
      if (why.empty()) continue;
      context_.refusals.push_back("state '" + rewrite_.tensor(state.tensor).name + "' " + why);
    }
    for (const Node& node : from.nodes) {
      try {
        visit(node);
      } catch (const BuildError& why) {
        refuse(node, why.what());
      }
    }
    for (const int32_t t : from.outputs) {
      const Time& at = time(t);
      for (const Node& node : from.nodes) {
        const bool pads = at.ahead > 0 && node.name == at.culprit;
        if (pads) refuse(node, "looks ahead: it pads the end of time");
      }
      if (at.past > 0) {
        context_.refusals.push_back("output '" + rewrite_.tensor(t).name +
                                    "' has frames of padding in front");
      }
    }
    if (!context_.refusals.empty()) return from;
    return rewrite_.finish();
  }

 private:
  Time& time(int32_t tensor) { return times_[static_cast<size_t>(tensor)]; }
  bool carries(int32_t tensor) { return tensor >= 0 && time(tensor).axis >= 0; }
  void refuse(const Node& node, const std::string& why) {
    context_.refusals.push_back("'" + node.name + "' (" + node.op + "): " + why);
  }

  void visit(const Node& node) {
    Time joined;
    std::string why = join(node, joined);
    if (why.empty() && joined.axis >= 0) why = why_not_framewise(rewrite_.from, node, times_);
    if (!why.empty()) refuse(node, why);
    joined.last = why.empty() && joined.axis < 0 && last_of(node) != nullptr;
    for (const int32_t t : node.outputs) {
      if (t < 0) continue;
      time(t) = joined;
      time(t).axis = joined.axis < 0 ? -1 : time_axis(rewrite_.tensor(t), context_.stream);
    }
    if (joined.axis < 0) return emit(node, mapped(node.inputs), node.attributes);
    if (is_window(node.op)) return window(node);
    if (node.op == "Pad") return pad(node);
    if (node.op == "Slice") return slice(node);
    if (is_recurrent(node.op)) return recurrent(node);
    for (const int32_t t : node.outputs) {
      if (t >= 0 && time(t).axis < 0 && why.empty()) {
        refuse(node, "takes all frames together");
      }
    }
    emit(node, mapped(node.inputs), node.attributes);
  }

  // The input that holds for the last frame, or null.
  const Time* last_of(const Node& node) {
    for (const int32_t t : node.inputs) {
      if (t >= 0 && time(t).last) return &time(t);
    }
    return nullptr;
  }

  // What the inputs that carry time have in common; axis is that of the first.
  std::string join(const Node& node, Time& joined) {
    for (const int32_t t : node.inputs) {
      if (!carries(t)) continue;
      const Time& one = time(t);
      if (joined.axis < 0) joined = one;
      if (one.past != joined.past || one.ahead != joined.ahead) {
        return "joins tensors of different padding along time";
      }
    }
    const Time* last = last_of(node);
    if (last == nullptr) return "";
    const bool frames = std::any_of(node.outputs.begin(), node.outputs.end(), [&](int32_t t) {
      return t >= 0 && time_axis(rewrite_.tensor(t), context_.stream) >= 0;
    });
    if (joined.axis >= 0 || frames) {
      return "looks ahead: it gives every frame the last h or c of '" + last->culprit + "'";
    }
    joined.culprit = last->culprit;
    return "";
  }

  std::vector<int32_t> mapped(const std::vector<int32_t>& ids) {
    std::vector<int32_t> to;
    if (!context_.refusals.empty()) return to;
    for (const int32_t t : ids) to.push_back(rewrite_.at(t));
    return to;
  }

  // The node on other inputs; nothing when the graph is refused anyway.
  void emit(const Node& node, std::vector<int32_t> inputs, Attributes attributes) {
    if (!context_.refusals.empty()) return;
    Node copy{node.name, node.op, node.version, std::move(attributes), std::move(inputs), {}};
    for (const int32_t t : node.outputs) copy.outputs.push_back(rewrite_.at(t));
    rewrite_.build.set_name(node.name);
    rewrite_.build.append(std::move(copy));
  }

  void alias(int32_t old, int32_t to) {
    if (context_.refusals.empty()) rewrite_.set(old, rewrite_.at(to));
  }

  // x as a node reads it that looks back `past` frames, of `value` before the first, and steps by
  // `stride`. Stands before a DequantizeLinear, so that integers stay integers.
  int32_t reach_back(int32_t old, int64_t past, float value, int64_t stride) {
    const int64_t axis = time(old).axis;
    const Node* dequantize = rewrite_.producer(old, "DequantizeLinear");
    const auto& scale =
        dequantize != nullptr ? rewrite_.tensor(dequantize->inputs[0]).quantization : std::nullopt;
    const bool integers = scale && scale->scales.size() == 1 &&
                          (value == 0 || value == -std::numeric_limits<float>::infinity());
    Builder& build = rewrite_.build;
    build.set_name(rewrite_.tensor(old).name);
    int32_t x = rewrite_.at(integers ? dequantize->inputs[0] : old);
    if (stride > 1) x = divisible(x, axis, stride);
    if (past > 0) x = extended(x, axis, past, value);
    return integers ? build.add("DequantizeLinear", {x}) : x;
  }

  // The same tensor by way of a shape that only extents which `stride` divides have.
  int32_t divisible(int32_t x, int64_t axis, int64_t stride) {
    Builder& build = rewrite_.build;
    Dims back = build.dims(x);
    back[static_cast<size_t>(axis)] = -1;
    Dims split = back;
    split.insert(split.begin() + static_cast<ptrdiff_t>(axis) + 1, stride);
    const int32_t apart = build.add_like("Reshape", {x}, {{"shape", split}});
    return build.add_like("Reshape", {apart}, {{"shape", back}});
  }

  // The tensor behind the last `past` frames of what came before it.
  int32_t extended(int32_t x, int64_t axis, int64_t past, float value) {
    Builder& build = rewrite_.build;
    Tensor state = build.tensor(x);
    for (size_t d = 0; d < state.symbols.size(); ++d) {
      if (static_cast<int64_t>(d) == axis || state.symbols[d].empty()) continue;
      throw BuildError("its past needs a fixed extent of '" + state.symbols[d] + "': --max " +
                       state.symbols[d] + "=1");
    }
    state.name += ".past";
    state.symbols.clear();
    state.dims[static_cast<size_t>(axis)] = past;
    std::shared_ptr<const Bytes> initial = filled(state, value);
    const int32_t before = build.add_tensor(std::move(state));
    const int32_t whole = build.add_like("Concat", {before, x}, {{"axis", axis}});
    const int32_t last = build.add_like("Slice", {whole},
                                        {{"starts", Dims{-past}},
                                         {"ends", Dims{std::numeric_limits<int64_t>::max()}},
                                         {"axes", Dims{axis}},
                                         {"steps", Dims{1}}});
    // Inferred from half a chunk, which may be shorter than the past; the whole never is.
    Tensor& kept = rewrite_.to.tensors[static_cast<size_t>(last)];
    kept.dims[static_cast<size_t>(axis)] = past;
    kept.symbols.clear();
    rewrite_.to.states.push_back({before, last, MDL_STATE_REPLACE, 0, std::move(initial)});
    return whole;
  }

  void window(const Node& node) {
    const int32_t x = node.inputs[0], y = node.outputs[0];
    const size_t rank = rewrite_.tensor(x).dims.size();
    const int64_t axis = time(x).axis;
    if (axis == 0) return emit(node, mapped(node.inputs), node.attributes);
    const size_t d = static_cast<size_t>(axis) - 1;
    const TimeWindow w = time_window(rewrite_.from, node, axis);
    const int64_t past = time(x).past > 0 ? time(x).past : w.begin;
    const std::string why = why_not_causal(node, w, time(x));
    if (!why.empty()) return refuse(node, why);
    const int64_t spare = past - (w.reach - w.stride);
    time(y).past = 0;
    time(y).ahead = (spare + w.end) / w.stride;
    time(y).culprit = node.name;
    if (!context_.refusals.empty()) return;

    std::vector<int32_t> inputs = mapped(node.inputs);
    const float value = node.op == "MaxPool" ? -std::numeric_limits<float>::infinity() : 0.0f;
    if (w.begin > 0 || w.stride > 1) inputs[0] = reach_back(x, w.begin, value, w.stride);
    Attributes attributes = node.attributes;
    Dims pads = node.get<Dims>("pads", Dims(2 * (rank - 2), 0));
    pads[d] = pads[d + rank - 2] = 0;
    attributes["pads"] = pads;
    emit(node, std::move(inputs), std::move(attributes));
  }

  void pad(const Node& node) {
    const int32_t x = node.inputs[0], y = node.outputs[0];
    const auto axis = static_cast<size_t>(time(x).axis);
    const size_t rank = rewrite_.tensor(x).dims.size();
    Dims pads = node.get<Dims>("pads", {});
    const int64_t begin = pads[axis], end = pads[axis + rank];
    pads[axis] = pads[axis + rank] = 0;
    const bool only_time = std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; });
    if (begin == 0 && end < 0 && -end == time(x).ahead) {
      time(y).ahead = 0;
      if (only_time) return alias(y, x);
      Attributes attributes = node.attributes;
      attributes["pads"] = pads;
      return emit(node, mapped(node.inputs), std::move(attributes));
    }
    if (begin == 0 && end == 0) return emit(node, mapped(node.inputs), node.attributes);
    const std::string why = why_no_past(node, begin, end, only_time, time(x));
    if (!why.empty()) return refuse(node, why);
    time(y).past = begin;
    if (!context_.refusals.empty()) return;
    const auto value = static_cast<float>(node.get<double>("value", 0.0));
    rewrite_.set(y, reach_back(x, begin, value, 1));
  }

  void slice(const Node& node) {
    const int32_t x = node.inputs[0], y = node.outputs[0];
    SliceRange range = slice_range(node, time(x).axis, rewrite_.tensor(x).dims.size());
    const int64_t extent = rewrite_.tensor(x).dims[static_cast<size_t>(time(x).axis)];
    const bool to_end = range.end >= extent;
    if (range.step == 1 && range.start == 0 && (to_end || -range.end == time(x).ahead)) {
      time(y).ahead = to_end ? time(x).ahead : 0;
      if (range.others.empty()) return alias(y, x);
      return emit(node, mapped(node.inputs), range.others);
    }
    if (range.step == 1 && range.start == time(x).past && to_end) {
      time(y).past = 0;
      return emit(node, mapped(node.inputs), node.attributes);
    }
    refuse(node, range.step < 0 ? "walks back in time"
                                : "takes a part of time, which moves from chunk to chunk");
  }

  void recurrent(const Node& node) {
    const int32_t x = node.inputs[0];
    const std::string why = why_not_forward(node, time(x));
    if (!why.empty()) return refuse(node, why);
    const size_t states = node.op == "LSTM" ? 2 : 1;
    for (size_t s = 0; s < states; ++s) {
      const int32_t old = node.inputs.size() > 5 + s ? node.inputs[5 + s] : -1;
      if (old < 0 || rewrite_.tensor(old).data || is_state(old) || time(old).last) continue;
      refuse(node, "begins with '" + rewrite_.tensor(old).name +
                       "', which is fed anew with each chunk; make it a state with --state");
    }
    for (const int32_t t : node.outputs) {
      if (t >= 0 && t != node.outputs[0]) time(t) = Time{-1, 0, 0, node.name, true};
    }
    if (!context_.refusals.empty()) return;
    keep_states(node, states);
  }

  void keep_states(const Node& node, size_t states) {
    Builder& build = rewrite_.build;
    Node copy{node.name, node.op, node.version, node.attributes, mapped(node.inputs), {}};
    copy.inputs.resize(std::max(copy.inputs.size(), 5 + states), -1);
    for (const int32_t t : node.outputs) copy.outputs.push_back(rewrite_.at(t));
    copy.outputs.resize(1 + states, -1);
    const Tensor& x = rewrite_.tensor(node.inputs[0]);
    const bool batch_first = node.get<int64_t>("layout", 0) != 0;
    const auto hidden = node.get<int64_t>("hidden_size", 0);
    const Dims dims = batch_first ? Dims{x.dims[0], 1, hidden} : Dims{1, x.dims[1], hidden};
    build.set_name(node.name);
    std::vector<std::pair<int32_t, size_t>> made;
    for (size_t s = 0; s < states; ++s) {
      int32_t& output = copy.outputs[1 + s];
      if (output < 0) {
        Tensor after;
        after.name = node.name + ".after";
        output = build.add_tensor(std::move(after));
      }
      const int32_t old = node.inputs.size() > 5 + s ? node.inputs[5 + s] : -1;
      if (old >= 0 && is_state(old)) continue;
      Tensor before;
      before.name = node.name + (s == 0 ? ".h" : ".c");
      before.dtype = MDL_FLOAT32;
      before.dims = dims;
      copy.inputs[5 + s] = build.add_tensor(std::move(before));
      State state{copy.inputs[5 + s], output, MDL_STATE_REPLACE, 0, nullptr};
      if (old >= 0) state.initial = rewrite_.tensor(old).data;
      made.emplace_back(static_cast<int32_t>(rewrite_.to.states.size()), s);
      rewrite_.to.states.push_back(std::move(state));
    }
    const std::vector<int32_t> outputs = copy.outputs;
    build.append(std::move(copy));
    // What is an output of the graph too is written to the state by a node of its own.
    for (const auto& [index, s] : made) {
      if (node.outputs.size() <= 1 + s || node.outputs[1 + s] < 0) continue;
      rewrite_.to.states[static_cast<size_t>(index)].written =
          build.add("Identity", {outputs[1 + s]});
    }
  }

  bool is_state(int32_t tensor) const {
    return std::any_of(rewrite_.from.states.begin(), rewrite_.from.states.end(),
                       [&](const State& state) { return state.tensor == tensor; });
  }

  Rewriter rewrite_;
  PassContext& context_;
  std::vector<Time> times_;
};

}  // namespace

Graph stream(const Graph& graph, PassContext& context) {
  return context.stream.empty() ? graph : Stream(graph, context).run();
}

}  // namespace medulla::tools
