// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TOOLS_COMMAND_FLOAT_NODES_H_
#define MEDULLA_TOOLS_COMMAND_FLOAT_NODES_H_

#include <string>
#include <vector>

#include "tools/command/bodies.h"

namespace medulla::tools {

// A node of a quantized model that computes in float32, and why the converter left it so.
struct FloatNode {
  std::string name;  // behind the path of its graph
  std::string op;
  std::string reason;
};

// Empty for a model without quantized int8 tensors.
std::vector<FloatNode> float_nodes(const std::vector<PlacedGraph>& graphs);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_FLOAT_NODES_H_
