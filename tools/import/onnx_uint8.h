// SPDX-License-Identifier: Apache-2.0
// Integers with a scale: who may read them so, and what becomes of uint8.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_UINT8_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_UINT8_H_

#include "tools/import/onnx.h"

namespace medulla::tools {

// The node's inputs as it reads them: with what they stand for, if it asks for that or only moves
// them; else as bare integers.
std::vector<int32_t> inputs_as_read(const OnnxNode& node);

// Gives an integer input of the main graph the quantization that it is read with, and so all that
// moves its elements. False, and nothing is changed, where anything else makes or reads them.
bool adopt(const OnnxNode& node, int32_t q, const Quantization& quantization);

// Once the graph is complete. uint8 that nothing but QuantizeLinear makes and nothing but
// DequantizeLinear reads, perhaps moved between, becomes int8 by taking 128 from the integers and
// from the zero point, which is exact. Other uint8 stays; where it is dequantized, int8 is put
// between.
void shift_uint8(Graph& graph);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_UINT8_H_
