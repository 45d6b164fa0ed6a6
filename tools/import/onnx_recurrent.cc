// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx_ops.h"

namespace medulla::tools {

std::vector<int32_t> convert_recurrent(OnnxNode& node) {
  Attributes attributes = {{"direction", node.string_or("direction", "forward")},
                           {"layout", node.int_or("layout", 0)}};
  if (node.attribute("hidden_size")) attributes["hidden_size"] = node.int_or("hidden_size", 0);
  if (node.attribute("activations")) attributes["activations"] = node.strings("activations");
  for (const char* name : {"activation_alpha", "activation_beta"}) {
    if (node.attribute(name)) attributes[name] = node.floats(name);
  }
  if (node.attribute("clip")) attributes["clip"] = node.float_or("clip", 0);
  if (node.op() == "LSTM") attributes["input_forget"] = node.int_or("input_forget", 0);
  if (node.op() == "GRU") {
    attributes["linear_before_reset"] = node.int_or("linear_before_reset", 0);
  }
  std::vector<int32_t> inputs = node.inputs;
  while (!inputs.empty() && inputs.back() < 0) inputs.pop_back();
  std::vector<bool> wanted = node.wanted_outputs();
  while (!wanted.empty() && !wanted.back()) wanted.pop_back();
  return node.build.add_many(node.op(), std::move(inputs), std::move(attributes), wanted);
}

}  // namespace medulla::tools
