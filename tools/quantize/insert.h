// SPDX-License-Identifier: Apache-2.0
// A float32 graph with the QuantizeLinear and DequantizeLinear that a plan asks for, which the
// passes then make integer nodes of: as they do for a file that came with them.
#ifndef MEDULLA_TOOLS_QUANTIZE_INSERT_H_
#define MEDULLA_TOOLS_QUANTIZE_INSERT_H_

#include <map>
#include <optional>

#include "tools/quantize/plan.h"
#include "tools/quantize/weights.h"

namespace medulla::tools {

struct IntegerNumbers {
  std::vector<std::optional<Quantization>> tensors;  // of those that are rounded
  std::map<size_t, LayerConstants> layers;           // by node
};

Graph insert_rounding(const Graph& graph, const Plan& plan, const IntegerNumbers& numbers);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_INSERT_H_
