// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/integer.h"

#include <algorithm>
#include <cmath>

#include "src/ops/integer.h"

namespace medulla::tools {

float product_multiplier(float s_x, float s_w, std::optional<float> s_y) {
  const double product = static_cast<double>(s_x) * static_cast<double>(s_w);
  return static_cast<float>(s_y ? product / static_cast<double>(*s_y) : product);
}

double wide_multiplier(float s_x, float s_w, float s_y) {
  return static_cast<double>(s_x) * static_cast<double>(s_w) / static_cast<double>(s_y);
}

float ratio_multiplier(float s_x, float s_y, int64_t n) {
  return static_cast<float>(static_cast<double>(s_x) /
                            (static_cast<double>(s_y) * static_cast<double>(n)));
}

int32_t quantize(double x, const Quantization& q, mdl_dtype dtype) {
  const IntegerRange range = range_of(dtype);
  const double z = q.zero_points[0];
  const float t = static_cast<float>(x) / q.scales[0];
  return static_cast<int32_t>(
      std::nearbyint(std::clamp(static_cast<double>(t), range.min - z, range.max - z)) + z);
}

Rows sums_of_rows(const Tensor& weights, size_t rows) {
  const auto values = values_of<int8_t>(weights);
  const auto& zero_points = weights.quantization->zero_points;
  const size_t length = rows == 0 ? 0 : values.size() / rows;
  Rows sums{std::vector<int64_t>(rows, 0), std::vector<int64_t>(rows, 0)};
  for (size_t r = 0; r < rows; ++r) {
    const int64_t z = zero_points[zero_points.size() > 1 ? r : 0];
    for (size_t k = 0; k < length; ++k) {
      const int64_t w = values[r * length + k] - z;
      (w > 0 ? sums.positive_sums : sums.negative_sums)[r] += std::abs(w);
    }
  }
  return sums;
}

namespace {

SumRange reach_of_row(const Rows& rows, size_t r, const std::vector<int64_t>& bias, int32_t z,
                      mdl_dtype dtype) {
  return reach(bias.empty() ? 0 : bias[r], rows.positive_sums[r], rows.negative_sums[r],
               range_of(dtype).min - z, range_of(dtype).max - z);
}

}  // namespace

std::string overflow_of(const Rows& rows, const std::vector<int64_t>& bias, int32_t z,
                        mdl_dtype dtype) {
  const SumLimits limits = sum_limits_of(dtype);
  for (size_t r = 0; r < rows.positive_sums.size(); ++r) {
    const SumRange range = reach_of_row(rows, r, bias, z, dtype);
    if (range.most > limits.max || range.least < limits.min) {
      return "the sums of channel " + std::to_string(r) + " may reach from " +
             std::to_string(range.least) + " to " + std::to_string(range.most) + ", should fit " +
             limits.words;
    }
  }
  return "";
}

std::vector<int64_t> sum_range(const Rows& rows, const std::vector<int64_t>& bias, int32_t z,
                               mdl_dtype dtype) {
  SumRange all;
  for (size_t r = 0; r < rows.positive_sums.size(); ++r) {
    const SumRange range = reach_of_row(rows, r, bias, z, dtype);
    all = {std::min(all.least, range.least), std::max(all.most, range.most)};
  }
  return {all.least, all.most};
}

}  // namespace medulla::tools
