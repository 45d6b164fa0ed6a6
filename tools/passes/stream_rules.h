// SPDX-License-Identifier: Apache-2.0
// Which operators compute each frame from that frame and from those before it.
#ifndef MEDULLA_TOOLS_PASSES_STREAM_RULES_H_
#define MEDULLA_TOOLS_PASSES_STREAM_RULES_H_

#include "tools/passes/rewriter.h"

namespace medulla::tools {

// Time in a tensor.
struct Time {
  int64_t axis = -1;    // -1: it has none
  int64_t past = 0;     // frames in front that are padding, or were those of earlier chunks
  int64_t ahead = 0;    // frames at the end, made of padding, that somebody has to cut off
  std::string culprit;  // the node that padded so, or whose last state it is
  bool last = false;    // it has none, but holds for the last frame of the chunk
};

// The only dimension that varies with the symbol, or -1.
int64_t time_axis(const Tensor& tensor, const std::string& symbol);

bool is_window(const std::string& op);
bool is_recurrent(const std::string& op);

// Why the node cannot work frame by frame, or "". Of windows, Pad, Slice and recurrent nodes it
// only says what the functions below do not.
std::string why_not_framewise(const Graph& graph, const Node& node, const std::vector<Time>& times);

// A window along time.
struct TimeWindow {
  int64_t reach, stride, begin, end;  // frames; padding before and behind
};
TimeWindow time_window(const Graph& graph, const Node& node, int64_t axis);
std::string why_not_causal(const Node& node, const TimeWindow& window, const Time& x);
std::string why_no_past(const Node& pad, int64_t begin, int64_t end, bool only_time, const Time& x);
std::string why_not_forward(const Node& node, const Time& x);
// A state of the source's own is taken when each frame steps it: when it is h or c of one recurrent
// node and nothing else reads it.
std::string why_not_each_frame(const Rewriter& graph, const State& state);

// What a Slice does along time; `others` are its attributes without that, empty when nothing is
// left.
struct SliceRange {
  int64_t start = 0, end = 0, step = 1;
  Attributes others;
};
SliceRange slice_range(const Node& node, int64_t axis, size_t rank);

// The bytes of a state that begins with `value`; null when those are zeros.
std::shared_ptr<const Bytes> filled(const Tensor& state, float value);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_STREAM_RULES_H_
