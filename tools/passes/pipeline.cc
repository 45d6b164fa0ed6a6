// SPDX-License-Identifier: Apache-2.0
// The order of the passes.
#include <algorithm>
#include <stdexcept>

#include "tools/passes/pass.h"

namespace medulla::tools {
namespace {

constexpr Pass kPasses[] = {
    {"eliminate_dead", eliminate_dead},
    // Patterns of activations, norms and attention, while their nodes still stand beside each
    // other.
    {"fuse_activations", fuse_activations},
    {"fuse_norms", fuse_norms},
    {"fuse_group_norm", fuse_group_norm},
    {"fuse_rotary", fuse_rotary},
    {"fuse_attention", fuse_attention},
    // Leaves convolutions and what follows them without a Transpose between.
    {"to_channels_last", to_channels_last},
    // Before what multiplies or rounds the weights whose rows it moves.
    {"fold_flatten", fold_flatten},
    {"fold_batch_norm", fold_batch_norm},
    // Behind to_channels_last, so that the past is kept as it is read.
    {"stream", stream},
    // Needs weights as integers with their DequantizeLinear.
    {"form_integer_nodes", form_integer_nodes},
    {"fold_pad", fold_pad},
    // What is left of those, and what the passes before made constant.
    {"fold_constants", fold_constants},
    {"common_subexpressions", common_subexpressions},
    {"eliminate_dead", eliminate_dead},
};

}  // namespace

std::span<const Pass> all_passes() { return kPasses; }

void run_passes(Model& model, const std::set<std::string>& left_out, PassContext& context) {
  const bool all = left_out.count("all") > 0;
  for (const std::string& name : left_out) {
    if (name != "all" && std::none_of(std::begin(kPasses), std::end(kPasses),
                                      [&](const Pass& pass) { return name == pass.name; })) {
      std::string known;
      for (const Pass& pass : kPasses) {  // one stands there twice
        const std::string word = std::string(" ") + pass.name;
        if ((known + " ").find(word + " ") == std::string::npos) known += word;
      }
      throw std::invalid_argument("no pass is named '" + name + "'; there are:" + known + " all");
    }
  }
  for (const Pass& pass : kPasses) {
    const bool asked = pass.run == stream && !context.stream.empty();
    if (!asked && (all || left_out.count(pass.name) > 0)) continue;
    const bool nhwc = context.nhwc;
    for (Graph& graph : model.graphs) {
      const bool is_main = &graph == &model.main();
      if (pass.run == stream && !is_main) break;  // states are the main graph's
      context.nhwc = nhwc && is_main;
      graph = pass.run(graph, context);
    }
    context.nhwc = nhwc;
  }
}

}  // namespace medulla::tools
