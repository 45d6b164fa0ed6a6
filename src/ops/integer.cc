// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr int64_t kExact = int64_t{1} << 53;
// P and N below this keep what follows from them within int64.
constexpr int64_t kMaxWeightSum = int64_t{1} << 36;

bool is_normal(double value) {
  const uint64_t exponent = std::bit_cast<uint64_t>(value) >> 52 & 0x7FF;
  return exponent != 0 && exponent != 0x7FF;
}

bool is_normal(float value) {
  const uint32_t exponent = std::bit_cast<uint32_t>(value) >> 23 & 0xFF;
  return exponent != 0 && exponent != 0xFF;
}

mdl_status check_constant(const NodeView& node, size_t i, const char* what, mdl_error* error) {
  const mdl_tensor* tensor = node.input(i);
  if (tensor == nullptr || tensor->data != nullptr) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, what, " '", tensor->name,
                   "' should be constant");
}

mdl_status check_sum(const NodeView& node, const char* name, size_t channel, int64_t stored,
                     int64_t expected, mdl_error* error) {
  if (stored == expected) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, '[', channel, "] is ", stored,
                   ", the weights give ", expected);
}

mdl_status read_sums(const NodeView& node, const char* name, size_t channels,
                     std::span<const int64_t>* sums, mdl_error* error) {
  *sums = node.ints(name);
  if (sums->size() == channels) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " has ", sums->size(),
                   " entries, should have ", channels);
}

mdl_status check_weights(const NodeView& node, const mdl_tensor& w, size_t channels,
                         mdl_error* error) {
  const mdl_quantization& q = w.quantization;
  if (q.count == 1 || (q.count == channels && q.axis == 0)) {
    bool fits = true;
    for (size_t c = 0; c < q.count; ++c) {
      fits = fits && q.zero_points[c] >= -128 && q.zero_points[c] <= 127;
    }
    if (fits) return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "weights '", w.name,
                   "' should have one scale, or one for each of the ", channels,
                   " entries of axis 0, and zero points of int8");
}

// The sum of w - z_w, and that of those above 0.
struct WeightSums {
  int64_t all = 0;
  int64_t positive = 0;

  int64_t negative() const { return positive - all; }
};

// Adds kCount values from *w on, while they last. As many as 128 within +-255 have sums of 16 bits:
// compilers make vectors of them.
template <size_t kCount>
void add_weights(const int8_t** w, size_t* left, int16_t zero_point, WeightSums* sums) {
  static_assert(kCount <= 128);
  for (; *left >= kCount; *w += kCount, *left -= kCount) {
    int16_t all = 0;
    int16_t positive = 0;
    for (size_t i = 0; i < kCount; ++i) {
      const auto v = static_cast<int16_t>((*w)[i] - zero_point);
      all = static_cast<int16_t>(all + v);
      positive = static_cast<int16_t>(positive + (v > 0 ? v : 0));
    }
    sums->all += all;
    sums->positive += positive;
  }
}

WeightSums sum_weights(const int8_t* w, size_t count, int32_t zero_point) {
  WeightSums sums;
  const auto z = static_cast<int16_t>(zero_point);
  add_weights<128>(&w, &count, z, &sums);
  add_weights<16>(&w, &count, z, &sums);
  add_weights<1>(&w, &count, z, &sums);
  return sums;
}

// Of a float bias, which is no part of the sum, 0.
int64_t bias_of(const mdl_tensor* bias, size_t channel) {
  if (bias == nullptr || bias->dtype == MDL_FLOAT32) return 0;
  if (bias->dtype == MDL_INT64) return static_cast<const int64_t*>(bias->data)[channel];
  return static_cast<const int32_t*>(bias->data)[channel];
}

WeightSums sum_channel(const mdl_tensor& w, size_t channel, size_t channels) {
  const size_t length = w.bytes / channels;
  const int8_t* row = static_cast<const int8_t*>(w.data) + channel * length;
  return sum_weights(row, length,
                     w.quantization.zero_points[w.quantization.count > 1 ? channel : 0]);
}

// Widens *all to what the sums of the channel may reach.
mdl_status prove_channel(const NodeView& node, size_t channel, const WeightSums& sums,
                         SumRange* all, mdl_error* error) {
  const mdl_tensor& x = *node.input(0);
  const SumLimits limits = sum_limits_of(x.dtype);
  if (sums.positive > kMaxWeightSum || sums.negative() > kMaxWeightSum) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "the weights of channel ", channel,
                     " have the sums ", sums.positive, " and -", sums.negative(),
                     ", should stay within ", kMaxWeightSum);
  }
  const int64_t z = zero_point_of(x);
  const int64_t b = bias_of(node.input(2), channel);
  if (b < -kExact || b > kExact) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "the bias of channel ", channel, " is ", b,
                     ", should fit ", limits.words);
  }
  const SumRange range = reach(b, sums.positive, sums.negative(), range_of(x.dtype).min - z,
                               range_of(x.dtype).max - z);
  all->least = std::min(all->least, range.least);
  all->most = std::max(all->most, range.most);
  if (range.most <= limits.max && range.least >= limits.min) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "the sums of channel ", channel,
                   " may reach from ", range.least, " to ", range.most, ", should fit ",
                   limits.words);
}

mdl_status check_sum_range(const NodeView& node, const SumRange& expected, mdl_error* error) {
  const std::span<const int64_t> stored = node.ints("sum_range");
  if (stored.size() != 2) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "sum_range has ", stored.size(),
                     " entries, should have 2");
  }
  if (SumRange{stored[0], stored[1]} == expected) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "sum_range is ", stored[0], " to ", stored[1],
                   ", the weights give ", expected.least, " to ", expected.most);
}

// What sums are divided by: the scale of the output, of a float one that it is in steps of, or 1.
mdl_status read_output_scale(const NodeView& node, double* scale, mdl_error* error) {
  const bool steps = node.attribute("output_scale") != nullptr;
  if (node.output(0)->dtype != MDL_FLOAT32) {
    if (steps) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node,
                       "output_scale should be there for a float output alone");
    }
    *scale = scale_of(*node.output(0));
    return MDL_OK;
  }
  if (!steps) return MDL_OK;
  *scale = node.float_or("output_scale", 0);
  const float rounded = static_cast<float>(*scale);
  if (static_cast<double>(rounded) == *scale && is_normal(rounded) && rounded > 0) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "output_scale is ", *scale,
                   ", should be float32, positive and normal");
}

// `round` is 1.5 times the number from which on the type holds only integers.
template <class Float>
int32_t quantize(const Quantizer& q, Float t, Float round) {
  const Float low = static_cast<Float>(q.qmin - q.zero_point);
  const Float high = static_cast<Float>(q.qmax - q.zero_point);
  t = t > low ? t : low;
  t = t < high ? t : high;
  return static_cast<int32_t>((t + round) - round) + q.zero_point;
}

// Multiplier i of an int16 layer has the bits of what the scales give.
mdl_status check_wide_multiplier(const NodeView& node, size_t i, double stored, double expected,
                                 mdl_error* error) {
  if (stored == expected && is_normal(expected)) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "multiplier ", i, " is ", stored,
                   ", the scales give ", expected,
                   is_normal(expected) ? "" : ", which is not normal");
}

}  // namespace

int32_t Quantizer::operator()(float t) const {
  return quantize(*this, t, 12582912.0f);  // 1.5 * 2^23: the sum keeps no fraction
}

int32_t Quantizer::operator()(double t) const {
  return quantize(*this, t, 6755399441055744.0);  // 1.5 * 2^52
}

IntegerRange range_of(mdl_dtype dtype) {
  const auto limits = []<class T>(T) -> IntegerRange {
    return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  };
  return dtype == MDL_INT16 ? limits(int16_t{}) : limits(int8_t{});
}

SumLimits sum_limits_of(mdl_dtype dtype) {
  if (dtype == MDL_INT16) return {-kExact, kExact, "53 bits"};
  return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(), "32 bits"};
}

Quantizer read_quantizer(const NodeView& node) {
  const mdl_quantization& q = node.output(0)->quantization;
  const IntegerRange range = range_of(node.output(0)->dtype);
  return {q.count > 0 ? q.zero_points[0] : 0, static_cast<int32_t>(node.int_or("qmin", range.min)),
          static_cast<int32_t>(node.int_or("qmax", range.max))};
}

mdl_status check_range(const NodeView& node, mdl_error* error) {
  const IntegerRange range = range_of(node.output(0)->dtype);
  const int64_t qmin = node.int_or("qmin", range.min);
  const int64_t qmax = node.int_or("qmax", range.max);
  if (range.min <= qmin && qmin <= qmax && qmax <= range.max) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "qmin and qmax are ", qmin, " and ", qmax,
                   ", should be a range within ", range.min, " to ", range.max);
}

mdl_status check_quantized(const NodeView& node, const mdl_tensor& tensor, mdl_error* error) {
  const mdl_quantization& q = tensor.quantization;
  const bool wide = tensor.dtype == MDL_INT16;
  const IntegerRange range = range_of(tensor.dtype);
  if ((wide || tensor.dtype == MDL_INT8) && q.count == 1 && is_normal(q.scales[0]) &&
      q.scales[0] > 0 && q.zero_points[0] >= range.min && q.zero_points[0] <= range.max) {
    return MDL_OK;
  }
  const char* name = wide ? "int16" : "int8";
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "'", tensor.name, "' should be ", name,
                   " with one scale, positive and normal, and a zero point of ", name);
}

mdl_status check_multiplier(const NodeView& node, size_t i, double stored, double expected,
                            mdl_error* error) {
  const float rounded = static_cast<float>(expected);
  if (stored == static_cast<double>(rounded) && is_normal(rounded)) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "multiplier ", i, " is ", stored,
                   ", the scales give ", static_cast<double>(rounded),
                   is_normal(rounded) ? "" : ", which is not normal");
}

mdl_status check_multiplier(const NodeView& node, double expected, mdl_error* error) {
  return check_multiplier(node, 0, node.float_or("multiplier", 0), expected, error);
}

mdl_status check_multiplier_count(const NodeView& node, size_t count, mdl_error* error) {
  if (node.floats("multipliers").size() == count) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "multipliers has ",
                   node.floats("multipliers").size(), " entries, should have ", count);
}

mdl_status check_normal_constant(const NodeView& node, size_t i, const char* what,
                                 mdl_error* error) {
  MDL_TRY(check_constant(node, i, what, error));
  const mdl_tensor& tensor = *node.input(i);
  const float* values = static_cast<const float*>(tensor.data);
  for (size_t c = 0; c < tensor.bytes / sizeof(float); ++c) {
    if (is_normal(values[c]) || values[c] == 0) continue;
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, what, " of channel ", c, " is ",
                     static_cast<double>(values[c]), ", should be normal or zero");
  }
  return MDL_OK;
}

mdl_status infer_layer(const NodeView& node, std::span<const TensorType> inputs,
                       std::span<const TensorType> outputs, int64_t channels, mdl_error* error) {
  if (inputs.size() < 4) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "has ", inputs.size(),
                     " inputs, should have 4, the last one the multiplier");
  }
  MDL_TRY(check_dtypes(node, inputs, 0, kActivations, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_INT8, error));
  const bool wide = inputs[0].dtype == MDL_INT16;
  const mdl_dtype y = outputs[0].dtype;
  if (wide ? y != MDL_INT16 : y != MDL_INT8 && y != MDL_FLOAT32) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "output 0 is ", mdl_dtype_name(y),
                     ", should be ", wide ? "int16 as input 0 is" : "int8 or float32");
  }
  if (inputs[2].dtype != MDL_DTYPE_NONE) {
    const bool steps = y == MDL_INT8 || node.attribute("output_scale") != nullptr;
    const mdl_dtype bias = wide ? MDL_INT64 : steps ? MDL_INT32 : MDL_FLOAT32;
    MDL_TRY(check_dtype(node, inputs, 2, bias, error));
  }
  MDL_TRY(check_dtype(node, inputs, 3, wide ? MDL_FLOAT64 : MDL_FLOAT32, error));
  MDL_TRY(check_channels(node, inputs, 2, channels, error));
  return check_channels(node, inputs, 3, channels, error);
}

mdl_status check_layer(const NodeView& node, mdl_error* error) {
  const mdl_tensor& x = *node.input(0);
  const mdl_tensor& w = *node.input(1);
  const mdl_tensor& y = *node.output(0);
  const size_t channels = static_cast<size_t>(w.dims[0]);
  MDL_TRY(check_constant(node, 1, "the weights", error));
  MDL_TRY(check_constant(node, 2, "the bias", error));
  MDL_TRY(check_constant(node, 3, "the multiplier", error));
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, x, error));
  if (y.dtype != MDL_FLOAT32) MDL_TRY(check_quantized(node, y, error));
  MDL_TRY(check_weights(node, w, channels, error));
  double s_y = 1.0;
  MDL_TRY(read_output_scale(node, &s_y, error));
  const void* multipliers = node.input(3)->data;
  const bool has_range = node.node().version > 1;
  std::span<const int64_t> positive;
  std::span<const int64_t> negative;
  if (!has_range) {
    MDL_TRY(read_sums(node, "positive_sums", channels, &positive, error));
    MDL_TRY(read_sums(node, "negative_sums", channels, &negative, error));
  }
  SumRange range;
  for (size_t c = 0; c < channels; ++c) {
    const float s_w = w.quantization.scales[w.quantization.count > 1 ? c : 0];
    const double expected = scale_of(x) * static_cast<double>(s_w) / s_y;
    if (x.dtype == MDL_INT16) {
      const double stored = static_cast<const double*>(multipliers)[c];
      MDL_TRY(check_wide_multiplier(node, c, stored, expected, error));
    } else {
      const double stored = static_cast<double>(static_cast<const float*>(multipliers)[c]);
      MDL_TRY(check_multiplier(node, c, stored, expected, error));
    }
    const WeightSums sums = sum_channel(w, c, channels);
    if (!has_range) {
      MDL_TRY(check_sum(node, "positive_sums", c, positive[c], sums.positive, error));
      MDL_TRY(check_sum(node, "negative_sums", c, negative[c], sums.negative(), error));
    }
    MDL_TRY(prove_channel(node, c, sums, &range, error));
  }
  return has_range ? check_sum_range(node, range, error) : MDL_OK;
}

LayerEpilogue::LayerEpilogue(const ReferenceCall& call)
    : multipliers_(call.in<float>(3)),
      wide_multipliers_(call.in<double>(3)),
      weight_zero_points_(call.node.input(1)->quantization.zero_points),
      per_channel_(call.node.input(1)->quantization.count > 1),
      input_zero_point_(zero_point_of(*call.node.input(0))),
      quantizer_(read_quantizer(call.node)) {
  if (call.input_types[2].dtype == MDL_INT32) bias_ = call.in<int32_t>(2);
  if (call.input_types[2].dtype == MDL_INT64) wide_bias_ = call.in<int64_t>(2);
  if (call.input_types[2].dtype == MDL_FLOAT32) float_bias_ = call.in<float>(2);
  if (call.output_types[0].dtype == MDL_INT8) {
    y_ = call.out<int8_t>(0);
  } else if (call.output_types[0].dtype == MDL_INT16) {
    wide_y_ = call.out<int16_t>(0);
  } else {
    float_y_ = call.out<float>(0);
  }
}

void LayerEpilogue::store(int64_t i, int64_t channel, int64_t sum) const {
  if (wide_y_ != nullptr) {
    if (wide_bias_ != nullptr) sum += wide_bias_[channel];
    const double scaled = static_cast<double>(sum) * wide_multipliers_[channel];
    wide_y_[i] = static_cast<int16_t>(quantizer_(scaled));
    return;
  }
  if (bias_ != nullptr) sum += bias_[channel];
  const float scaled = static_cast<float>(sum) * multipliers_[channel];
  if (y_ != nullptr) {
    y_[i] = static_cast<int8_t>(quantizer_(scaled));
  } else {
    float_y_[i] = float_bias_ != nullptr ? scaled + float_bias_[channel] : scaled;
  }
}

}  // namespace medulla
