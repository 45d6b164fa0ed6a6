// SPDX-License-Identifier: Apache-2.0
// INT8 arithmetic, and that of int16 activations with int8 weights: how results are quantized, and
// the proofs that stored numbers are the right ones and no sum overflows.
#ifndef MEDULLA_SRC_OPS_INTEGER_H_
#define MEDULLA_SRC_OPS_INTEGER_H_

#include "src/ops/rules.h"

namespace medulla {

// What quantized activations may be, where an operator has a rule for both.
inline constexpr DtypeSet kActivations = set_of({MDL_INT8, MDL_INT16});

// The range and zero point of a quantized output. An activation narrows the range.
struct Quantizer {
  int32_t zero_point;
  int32_t qmin;
  int32_t qmax;

  // Q(t) = rne(clamp(t, qmin - z, qmax - z)) + z; NaN gives qmin. For zero points and ranges of 16
  // bits and less.
  int32_t operator()(float t) const;
  int32_t operator()(double t) const;
};
// Output 0's zero point, with the attributes qmin and qmax.
Quantizer read_quantizer(const NodeView& node);

// The values that quantized activations of a dtype have: those of int16, for all others of int8.
struct IntegerRange {
  int32_t min;
  int32_t max;
};
IntegerRange range_of(mdl_dtype dtype);

// qmin <= qmax, both within the range of output 0's dtype.
mdl_status check_range(const NodeView& node, mdl_error* error);

// An int8 or int16 tensor with one scale and a zero point of that dtype. Which of both it has to be
// is for `infer`.
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

// What a sum may reach.
struct SumRange {
  int64_t least = 0;
  int64_t most = 0;
  bool operator==(const SumRange&) const = default;
};
// Of weights whose positive values have the sum `positive`, whose negative ones `-negative`, times
// values from `low` to `high`, which include 0. Every partial sum, in any order, lies within it
// too.
inline SumRange reach(int64_t bias, int64_t positive, int64_t negative, int64_t low, int64_t high) {
  return {bias + positive * low - negative * high, bias + positive * high - negative * low};
}

// What the sums of a layer have to fit, by the dtype of its input: int32, of int16 the integers
// that are exact in binary64.
struct SumLimits {
  int64_t min;
  int64_t max;
  const char* words;
};
SumLimits sum_limits_of(mdl_dtype dtype);

// For layers x, w, bias?, multiplier -> y, int8 or float32, with constants of `channels` output
// channels, w's first dimension, whose input and output dtypes and shapes were inferred. A float
// output may be in steps of s_y = the attribute "output_scale". Checks quantization, multipliers
// s_x * s_w / s_y (s_x * s_w for a float output without that), and that with the sums P and N of
// the positive and of the negated negative w - z_w, lo = -128 - z_x and hi = 127 - z_x
//   bias + P * hi - N * lo < 2^31  and  bias + P * lo - N * hi >= -2^31,
// so that every partial sum fits int32 too. Of int16 inputs, whose outputs are int16 and whose
// biases int64, lo and hi are their ends, the sums stay within +-2^53, and the multipliers are
// float64. Stored are, and compared: the least and the greatest of these sums over all channels and
// 0, or, in version 1, every channel's P and N.
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
  // For int16 Q(double(sum + bias) * m), one rounding to binary64.
  void store(int64_t i, int64_t channel, int64_t sum) const;

 private:
  const int32_t* bias_ = nullptr;
  const int64_t* wide_bias_ = nullptr;
  const float* float_bias_ = nullptr;
  const float* multipliers_;
  const double* wide_multipliers_;  // of int16
  const int32_t* weight_zero_points_;
  bool per_channel_;
  int32_t input_zero_point_;
  Quantizer quantizer_ = {};
  int8_t* y_ = nullptr;
  int16_t* wide_y_ = nullptr;
  float* float_y_ = nullptr;
};

// What has a reference for int8 and one for int16: reference(int8_t{}) or reference(int16_t{}), by
// the dtype of input 0.
template <class Reference>
auto by_width(const ReferenceCall& call, Reference reference) {
  return call.input_types[0].dtype == MDL_INT16 ? reference(int16_t{}) : reference(int8_t{});
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_INTEGER_H_
