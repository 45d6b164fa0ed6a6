// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_KERNELS_S8_CASES_H_
#define MEDULLA_TESTS_KERNELS_S8_CASES_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/s8.h"
#include "tests/kernels/util.h"

// Random weights and the outputs that a sum must give, for every INT8 family.
namespace medulla::test {

// A layer's weights, biases and scales, kept alive for its WeightsS8.
struct LayerS8 {
  Guarded<int8_t> w;
  Guarded<int32_t> zero_points;
  Guarded<int32_t> bias;
  Guarded<float> scale;
  Guarded<float> float_bias;
  bool has_zero_points, has_bias, per_tensor;
  int32_t in_zero_point;

  LayerS8(size_t n, size_t k, Random& random)
      : w(n * k),
        zero_points(n),
        bias(n),
        scale(n),
        float_bias(n),
        has_zero_points(random.one_in(2)),
        has_bias(!random.one_in(4)),
        per_tensor(random.one_in(4)),
        in_zero_point(random.one_in(2) ? random.integer(-128, 127)
                                       : (random.one_in(2) ? -128 : 127)) {
    const bool ends = random.one_in(3);                               // the largest sums
    const int most = random.one_in(2) ? 128 : random.integer(8, 64);  // of most weights
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = random.integer<int8_t>(-128, 127);
      if (ends) {
        w[i] = w[i] < 0 ? -128 : 127;
      } else if (!random.one_in(16)) {
        w[i] = static_cast<int8_t>(w[i] % most);
      }
    }
    const float most_y = random.one_in(8) ? 1e14f : 64.0f;  // also what leaves int32
    const float size = most_y / (128.0f * 128.0f * std::sqrt(static_cast<float>(k + 1)));
    for (size_t i = 0; i < n; ++i) {
      zero_points[i] = random.integer<int32_t>(-128, 127);
      bias[i] = random.integer(-(1 << 20), 1 << 20);
      scale[i] = random.real(0.1f, 1) * size;
      float_bias[i] = random.real();
    }
  }

  WeightsS8 weights(size_t n, size_t k) const {
    WeightsS8 v;
    v.n = n;
    v.k = k;
    v.w = w.data();
    v.n_stride = k;
    v.zero_points = has_zero_points ? zero_points.data() : nullptr;
    v.zero_point_step = per_tensor ? 0 : 1;
    v.bias = has_bias ? bias.data() : nullptr;
    v.scale = scale.data();
    v.scale_step = per_tensor ? 0 : 1;
    v.float_bias = has_bias ? float_bias.data() : nullptr;
    return v;
  }

  int64_t first_sum(size_t n) const { return has_bias ? bias[n] : 0; }
  int weight(size_t n, size_t at) const {
    return w[at] - (has_zero_points ? zero_points[per_tensor ? 0 : n] : 0);
  }
};

// An output with random parameters and elements; `float_output` says which of the two is used.
struct OutputCase {
  OutputS8 out;
  bool float_output;

  explicit OutputCase(Random& random) : float_output(random.one_in(3)) {
    out.zero_point = random.integer(-128, 127);
    out.min = random.one_in(2) ? -128 : random.integer(-128, 127);
    out.max = random.one_in(2) ? 127 : random.integer(out.min, 127);
    const float infinity = std::numeric_limits<float>::infinity();
    out.lo = random.one_in(2) ? 0.0f : -infinity;
    out.hi = random.one_in(2) ? 0.5f : infinity;
  }

  // numerics.md, in the C library's terms.
  int8_t quantized(int64_t sum, const LayerS8& layer, size_t n) const {
    const float t = static_cast<float>(sum) * layer.scale[layer.per_tensor ? 0 : n];
    const float low = static_cast<float>(out.min - out.zero_point);
    const float high = static_cast<float>(out.max - out.zero_point);
    const long rounded = std::lrint(std::fmin(std::fmax(t, low), high));
    return static_cast<int8_t>(rounded + out.zero_point);
  }
  float real(int64_t sum, const LayerS8& layer, size_t n) const {
    const float t = static_cast<float>(sum) * layer.scale[layer.per_tensor ? 0 : n];
    const float v = t + (layer.has_bias ? layer.float_bias[n] : 0.0f);
    return std::fmin(std::fmax(v, out.lo), out.hi);
  }
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_KERNELS_S8_CASES_H_
