// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/integer.h"

#include <algorithm>
#include <cmath>

namespace medulla::tools {

float product_multiplier(float s_x, float s_w, std::optional<float> s_y) {
  const double product = static_cast<double>(s_x) * static_cast<double>(s_w);
  return static_cast<float>(s_y ? product / static_cast<double>(*s_y) : product);
}

float ratio_multiplier(float s_x, float s_y, int64_t n) {
  return static_cast<float>(static_cast<double>(s_x) /
                            (static_cast<double>(s_y) * static_cast<double>(n)));
}

int32_t quantize(double x, const Quantization& q) {
  const double z = q.zero_points[0];
  const float t = static_cast<float>(x) / q.scales[0];
  return static_cast<int32_t>(
      std::nearbyint(std::clamp(static_cast<double>(t), -128 - z, 127 - z)) + z);
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

std::string overflow_of(const Rows& rows, const std::vector<int32_t>& bias, int32_t z) {
  const int64_t lo = -128 - z, hi = 127 - z;
  for (size_t r = 0; r < rows.positive_sums.size(); ++r) {
    const int64_t b = bias.empty() ? 0 : bias[r];
    const int64_t p = rows.positive_sums[r], n = rows.negative_sums[r];
    const int64_t most = b + p * hi - n * lo, least = b + p * lo - n * hi;
    if (most > INT32_MAX || least < INT32_MIN) {
      return "the sums of channel " + std::to_string(r) + " may reach from " +
             std::to_string(least) + " to " + std::to_string(most) + ", should fit 32 bits";
    }
  }
  return "";
}

}  // namespace medulla::tools
