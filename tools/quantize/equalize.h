// SPDX-License-Identifier: Apache-2.0
// Channels of nearly one range: int8 has one scale for all channels of an activation.
#ifndef MEDULLA_TOOLS_QUANTIZE_EQUALIZE_H_
#define MEDULLA_TOOLS_QUANTIZE_EQUALIZE_H_

#include "tools/quantize/statistics.h"

namespace medulla::tools {

// Cross-layer equalisation: where nothing but what commutes with a positive factor a channel (Relu,
// pools) stands between two layers, the first one's weights and bias are divided by factors that
// the second one's are multiplied with. The model computes what it did, but for roundings of
// float32. With a the greatest magnitude of an activation's channel and w that of the weights that
// it meets, the factor is a where these have a scale of their own (depthwise), else sqrt(a / w).
// `tensors` counts the activations that changed.
Model equalized(const Model& model, const std::vector<Statistics>& statistics, size_t* tensors);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_EQUALIZE_H_
