// SPDX-License-Identifier: Apache-2.0
// The constants of a layer in int8.
#ifndef MEDULLA_TOOLS_QUANTIZE_WEIGHTS_H_
#define MEDULLA_TOOLS_QUANTIZE_WEIGHTS_H_

#include <string>
#include <vector>

#include "tools/quantize/statistics.h"

namespace medulla::tools {

// How the constant input 1 of a layer is indexed: element i belongs to output channel
// `channel(i)` and is multiplied with channel `input(i)` of the activation's last dimension.
class WeightLayout {
 public:
  WeightLayout(const Graph& graph, const Node& layer);

  size_t channels() const { return channels_; }
  int32_t axis() const { return axis_; }
  size_t channel(size_t i) const { return axis_ == 0 ? i / row_ : i % channels_; }
  size_t input(size_t i) const {
    if (axis_ != 0) return i / channels_;
    return i / row_ / per_group_ * depth_ + i % depth_;
  }

 private:
  size_t channels_ = 1;
  size_t row_ = 1;        // elements of a channel
  size_t depth_ = 1;      // of them, in a group of the activation's channels
  size_t per_group_ = 1;  // output channels
  int32_t axis_ = 0;
};

struct LayerConstants {
  Tensor weights;  // int8 with a scale for each output channel, zero points 0
  std::vector<float> bias;
  std::string overflow;  // not "": why its sums may leave int32
};

// Symmetric int8 in [-127, 127] for each output channel. `x` is the activation's quantization: a
// scale is at least what lets the bias stay within 2^30 units. With `statistics` of the activation,
// the bias takes up what the rounding of the weights changes in the mean.
LayerConstants quantize_layer(const Graph& graph, const Node& layer, const Quantization& x,
                              const Statistics* statistics);

// A float32 constant in symmetric int8 in [-127, 127], with a scale for each index of `axis`, at
// least `least` where that is not empty.
Tensor quantize_constant(const Tensor& from, int32_t axis, const std::vector<double>& least);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_WEIGHTS_H_
