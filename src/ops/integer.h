// SPDX-License-Identifier: Apache-2.0
// INT8 arithmetic: how results are quantized, and the proofs that stored numbers are the right ones
// and no sum overflows.
#ifndef MEDULLA_SRC_OPS_INTEGER_H_
#define MEDULLA_SRC_OPS_INTEGER_H_

#include "src/ops/op.h"

namespace medulla {

// The range and zero point of a quantized output. An activation narrows the range.
struct Quantizer {
  int32_t zero_point;
  int32_t qmin;
  int32_t qmax;

  // Q(t) = rne(clamp(t, qmin - z, qmax - z)) + z; NaN gives qmin. For zero points and ranges of 16
  // bits and less.
  int32_t operator()(float t) const;
};
// Output 0's zero point, with the attributes qmin and qmax.
Quantizer read_quantizer(const NodeView& node);

// -128 <= qmin <= qmax <= 127.
mdl_status check_range(const NodeView& node, mdl_error* error);

// An int8 tensor with one scale and a zero point of int8.
mdl_status check_quantized(const NodeView& node, const mdl_tensor& tensor, mdl_error* error);
inline double scale_of(const mdl_tensor& tensor) {
  return static_cast<double>(tensor.quantization.scales[0]);
}
inline int32_t zero_point_of(const mdl_tensor& tensor) {
  return tensor.quantization.zero_points[0];
}

// A stored multiplier has the bits of `expected`, computed in binary64 and rounded once to
// binary32, and is normal. `i` counts the node's multipliers.
mdl_status check_multiplier(const NodeView& node, size_t i, double stored, double expected,
                            mdl_error* error);
// The float attribute "multiplier" is that.
mdl_status check_multiplier(const NodeView& node, double expected, mdl_error* error);
// The attribute "multipliers" has `count` entries.
mdl_status check_multiplier_count(const NodeView& node, size_t count, mdl_error* error);

// Input i, float32, which `what` names in words, is a constant whose values are normal or zero.
mdl_status check_normal_constant(const NodeView& node, size_t i, const char* what,
                                 mdl_error* error);

// For layers x, w, bias?, multiplier -> y, int8 or float32, with constants of `channels` output
// channels, w's first dimension, whose input and output dtypes and shapes were inferred. A float
// output may be in steps of s_y = the attribute "output_scale". Checks quantization, multipliers
// s_x * s_w / s_y (s_x * s_w for a float output without that), the sums P and N of the
// positive and of the negated negative w - z_w, and that with lo = -128 - z_x and hi = 127 - z_x
//   bias + P * hi - N * lo < 2^31  and  bias + P * lo - N * hi >= -2^31,
// so that every partial sum fits int32 too.
mdl_status check_layer(const NodeView& node, mdl_error* error);
// The number of inputs of such a layer, dtypes, and one bias and one multiplier a channel.
mdl_status infer_layer(const NodeView& node, std::span<const TensorType> inputs,
                       std::span<const TensorType> outputs, int64_t channels, mdl_error* error);

// What the references of layers share: the numbers of each channel, and the output's rule.
class LayerEpilogue {
 public:
  explicit LayerEpilogue(const ReferenceCall& call);

  int32_t weight_zero_point(int64_t channel) const {
    return weight_zero_points_[per_channel_ ? channel : 0];
  }
  int32_t input_zero_point() const { return input_zero_point_; }
  // Stores y[i] from the exact sum of the channel's products, without bias: Q(fl(float(sum + bias)
  // * m)), for a float output fl(fl(float(sum) * m) + bias), in steps fl(float(sum + bias) * m).
  void store(int64_t i, int64_t channel, int64_t sum) const;

 private:
  const int32_t* bias_ = nullptr;
  const float* float_bias_ = nullptr;
  const float* multipliers_;
  const int32_t* weight_zero_points_;
  bool per_channel_;
  int32_t input_zero_point_;
  Quantizer quantizer_ = {};
  int8_t* y_ = nullptr;
  float* float_y_ = nullptr;
};

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_INTEGER_H_
