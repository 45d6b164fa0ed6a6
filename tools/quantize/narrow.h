// SPDX-License-Identifier: Apache-2.0
// The weights of layers that compute in float32, stored in fewer bytes.
#ifndef MEDULLA_TOOLS_QUANTIZE_NARROW_H_
#define MEDULLA_TOOLS_QUANTIZE_NARROW_H_

#include <set>
#include <string>
#include <vector>

#include "tools/quantize/quantize.h"

namespace medulla::tools {

// In front of the readers of each constant that a float32 Conv, ConvTranspose, Gemm, MatMul, LSTM,
// GRU, RNN or Gather takes weights from stands a Cast of float16 or a DequantizeLinear of int8 with
// a scale for each output channel, which is run when the model is opened. A constant stays as it is
// where a node named in `exempt` reads it, where float16 does not hold its range, and where nothing
// would be saved; int8 becomes float16 where its scales cost more than it saves.
Model narrowed(const Model& model, WeightForm form, const std::set<std::string>& exempt,
               std::vector<StoredWeights>* stored);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_NARROW_H_
