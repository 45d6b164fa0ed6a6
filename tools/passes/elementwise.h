// SPDX-License-Identifier: Apache-2.0
// Operators that look at one place of their inputs for each element, wherever it stands.
#ifndef MEDULLA_TOOLS_PASSES_ELEMENTWISE_H_
#define MEDULLA_TOOLS_PASSES_ELEMENTWISE_H_

#include <string>

namespace medulla::tools {

// One input, an output of its shape. DequantizeLinear and QuantizeLinear per channel know an axis.
bool is_unary(const std::string& op);
// Several inputs, broadcast as ONNX does.
bool is_broadcast(const std::string& op);
// Output 0 is input 0 under another shape.
bool is_view(const std::string& op);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_ELEMENTWISE_H_
