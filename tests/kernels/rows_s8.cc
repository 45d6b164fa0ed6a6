// SPDX-License-Identifier: Apache-2.0
// add_s8, mul_s8, lut_s8, batch_norm_s8, layer_norm_s8, requant_s8 and
// softmax_s8: rows of INT8.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/add_s8/add_s8.h"
#include "kernels/batch_norm_s8/batch_norm_s8.h"
#include "kernels/layer_norm_s8/layer_norm_s8.h"
#include "kernels/lut_s8/lut_s8.h"
#include "kernels/mul_s8/mul_s8.h"
#include "kernels/requant_s8/requant_s8.h"
#include "kernels/softmax_s8/softmax_s8.h"
#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

// Q as numerics has it, by another route than the kernels': binary64 and nearbyint.
int quantized(float t, int zero_point, int min, int max) {
  if (std::isnan(t)) return min;
  const double clamped =
      std::clamp<double>(static_cast<double>(t), min - zero_point, max - zero_point);
  return static_cast<int>(std::nearbyint(clamped)) + zero_point;
}

template <class Rows, class Run>
void compare(const Rows& rows, const Guarded<int8_t>& expected, uint64_t seed, const Run& run) {
  const test::RunState state;
  KernelRequest request;
  request.isa = host_isa();
  for (const auto& row : rows) {
    if (!test::takes(row, request)) continue;
    Guarded<int8_t> actual(expected.size(), seed % 2 == 0);
    run(*row.kernel, actual.data());
    INFO(row.name << " n " << expected.size() << " seed " << seed);
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("add_s8: rows, one value for all, and in place") {
  for (uint64_t seed = 1; seed <= test::seeds(300); ++seed) {
    Random random(seed);
    const size_t n = seed < 40 ? seed : random.integer<size_t>(1, 300);
    AddS8 p;
    p.zero_point_a = random.integer(-128, 127);
    p.zero_point_b = random.integer(-128, 127);
    p.k_a = random.one_in(4) ? 0.5f : random.real(0.01f, 3);
    p.k_b = random.one_in(4) ? 0.5f : random.real(-1, 3);
    p.zero_point = random.integer(-128, 127);
    if (random.one_in(2)) p.min = p.zero_point;
    if (random.one_in(4)) p.max = std::max(p.min, 100);
    Guarded<int8_t> a(n, random.one_in(2));
    Guarded<int8_t> b(n, random.one_in(2));
    random.fill<int8_t>(a);
    random.fill<int8_t>(b);
    for (bool one : {false, true}) {
      Guarded<int8_t> expected(n);
      for (size_t i = 0; i < n; ++i) {
        const float left = static_cast<float>(a[i] - p.zero_point_a) * p.k_a;
        const float right = static_cast<float>(b[one ? 0 : i] - p.zero_point_b) * p.k_b;
        expected[i] = static_cast<int8_t>(quantized(left + right, p.zero_point, p.min, p.max));
      }
      compare(add_s8_rows(), expected, seed, [&](const AddS8Kernel& kernel, int8_t* y) {
        (one ? kernel.add_one : kernel.add)(p, a.data(), b.data(), y, n);
      });
      compare(add_s8_rows(), expected, seed, [&](const AddS8Kernel& kernel, int8_t* y) {
        std::copy_n(a.data(), n, y);
        (one ? kernel.add_one : kernel.add)(p, y, b.data(), y, n);
      });
    }
  }
}

TEST_CASE("mul_s8: rows, one value for all, and in place") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const size_t n = seed < 40 ? seed : random.integer<size_t>(1, 300);
    MulS8 p;
    p.zero_point_a = random.integer(-128, 127);
    p.zero_point_b = random.integer(-128, 127);
    p.k = random.one_in(4) ? 0.5f : random.real(0.0001f, 0.1f);
    p.zero_point = random.integer(-128, 127);
    if (random.one_in(2)) p.min = p.zero_point;
    Guarded<int8_t> a(n, random.one_in(2));
    Guarded<int8_t> b(n, random.one_in(2));
    random.fill<int8_t>(a);
    random.fill<int8_t>(b);
    for (bool one : {false, true}) {
      Guarded<int8_t> expected(n);
      for (size_t i = 0; i < n; ++i) {
        const int product = (a[i] - p.zero_point_a) * (b[one ? 0 : i] - p.zero_point_b);
        expected[i] = static_cast<int8_t>(
            quantized(static_cast<float>(product) * p.k, p.zero_point, p.min, p.max));
      }
      compare(mul_s8_rows(), expected, seed, [&](const MulS8Kernel& kernel, int8_t* y) {
        std::copy_n(a.data(), n, y);
        (one ? kernel.mul_one : kernel.mul)(p, y, b.data(), y, n);
      });
    }
  }
}

TEST_CASE("batch_norm_s8: rows, in place, and the largest numbers") {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    Random random(seed);
    BatchNormS8 p;
    p.n = seed < 40 ? seed : random.integer<size_t>(1, 300);
    const size_t rows = random.integer<size_t>(1, 3);
    p.zero_point_x = random.one_in(3) ? 127 : random.integer(-128, 127);
    p.zero_point = random.integer(-128, 127);
    if (random.one_in(2)) p.min = p.zero_point;
    Guarded<float> multiplier(p.n, random.one_in(2));
    Guarded<float> bias(p.n, random.one_in(2));
    random.fill(multiplier, -2, 2);
    random.fill(bias, -100, 100);
    for (size_t c = 0; c < p.n; ++c) {
      if (random.one_in(8)) multiplier[c] = random.one_in(2) ? 0.5f : -3e38f;
      if (random.one_in(8)) bias[c] = random.one_in(2) ? 0.5f : 3e38f;
    }
    p.multiplier = multiplier.data();
    p.bias = bias.data();
    Guarded<int8_t> x(rows * p.n, random.one_in(2));
    random.fill<int8_t>(x);
    Guarded<int8_t> expected(rows * p.n);
    for (size_t i = 0; i < rows * p.n; ++i) {
      const float scaled = static_cast<float>(x[i] - p.zero_point_x) * multiplier[i % p.n];
      expected[i] =
          static_cast<int8_t>(quantized(scaled + bias[i % p.n], p.zero_point, p.min, p.max));
    }
    compare(batch_norm_s8_rows(), expected, seed, [&](const BatchNormS8Kernel& kernel, int8_t* y) {
      std::copy_n(x.data(), x.size(), y);
      kernel.run(p, y, y, rows);
    });
  }
}

TEST_CASE("softmax_s8: rows, and in place") {
  for (uint64_t seed = 1; seed <= 160; ++seed) {
    Random random(seed);
    SoftmaxS8 p;
    p.n = seed < 80 ? seed : random.integer<size_t>(1, 3000);
    const size_t rows = random.integer<size_t>(1, 3);
    std::vector<uint32_t> table(256);
    const double s = random.one_in(4) ? 0.0 : static_cast<double>(random.real(0.001f, 1));
    for (size_t d = 0; d < 256; ++d) {
      const double entry = std::exp(-s * static_cast<double>(d)) * (1 << 23);
      table[d] = static_cast<uint32_t>(std::nearbyint(entry));
    }
    p.table = table.data();
    p.inverse_scale = random.one_in(2) ? 256 : random.real(1, 1000);
    p.zero_point = random.one_in(2) ? -128 : random.integer(-128, 127);
    Guarded<int8_t> x(rows * p.n, random.one_in(2));
    random.fill<int8_t>(x);
    if (random.one_in(4)) std::fill_n(x.data(), rows * p.n, int8_t{127});
    Guarded<int8_t> expected(rows * p.n);
    for (size_t row = 0; row < rows; ++row) {
      const int8_t* const from = x.data() + row * p.n;
      const int m = *std::max_element(from, from + p.n);
      uint64_t sum = 0;
      for (size_t i = 0; i < p.n; ++i) sum += table[static_cast<size_t>(m - from[i])];
      const float r = p.inverse_scale / static_cast<float>(sum);
      for (size_t i = 0; i < p.n; ++i) {
        const auto entry = static_cast<float>(table[static_cast<size_t>(m - from[i])]);
        expected[row * p.n + i] =
            static_cast<int8_t>(quantized(entry * r, p.zero_point, p.min, p.max));
      }
    }
    const bool in_place = random.one_in(2);
    compare(softmax_s8_rows(), expected, seed, [&](const SoftmaxS8Kernel& kernel, int8_t* y) {
      if (in_place) std::copy_n(x.data(), x.size(), y);
      kernel.run(p, in_place ? y : x.data(), y, rows);
    });
  }
}

TEST_CASE("layer_norm_s8: rows, and in place") {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    Random random(seed);
    LayerNormS8 p;
    p.n = seed < 40 ? seed : random.integer<size_t>(1, 3000);
    const size_t rows = random.integer<size_t>(1, 3);
    p.zero_point_x = random.one_in(3) ? 127 : random.integer(-128, 127);
    p.epsilon = random.one_in(3) ? 1e-12 : 0.01;
    p.zero_point = random.integer(-128, 127);
    Guarded<float> scale(p.n, random.one_in(2));
    Guarded<float> bias(p.n, random.one_in(2));
    random.fill(scale, -40, 40);
    random.fill(bias, -40, 40);
    p.scale = scale.data();
    if (!random.one_in(3)) p.bias = bias.data();
    Guarded<int8_t> x(rows * p.n, random.one_in(2));
    random.fill<int8_t>(x);
    if (random.one_in(4)) std::fill_n(x.data(), rows * p.n, int8_t{-128});
    Guarded<int8_t> expected(rows * p.n);
    for (size_t row = 0; row < rows; ++row) {
      int64_t s1 = 0;
      int64_t s2 = 0;
      for (size_t i = 0; i < p.n; ++i) {
        const int64_t d = x[row * p.n + i] - p.zero_point_x;
        s1 += d;
        s2 += d * d;
      }
      const auto n = static_cast<int64_t>(p.n);
      const double variance = static_cast<double>(n * s2 - s1 * s1) / static_cast<double>(n * n);
      const double r = 1 / std::sqrt(variance + p.epsilon);
      const auto a = static_cast<float>(r);
      const auto b = static_cast<float>(-r * static_cast<double>(s1) / static_cast<double>(n));
      for (size_t i = 0; i < p.n; ++i) {
        const size_t at = row * p.n + i;
        float t = (static_cast<float>(x[at] - p.zero_point_x) * a + b) * scale[i];
        if (p.bias != nullptr) t = t + bias[i];
        expected[at] = static_cast<int8_t>(quantized(t, p.zero_point, -128, 127));
      }
    }
    compare(layer_norm_s8_rows(), expected, seed, [&](const LayerNormS8Kernel& kernel, int8_t* y) {
      std::copy_n(x.data(), x.size(), y);
      kernel.run(p, y, y, rows);
    });
  }
}

TEST_CASE("lut_s8: any table, and in place") {
  for (uint64_t seed = 1; seed <= test::seeds(300); ++seed) {
    Random random(seed);
    const size_t n = seed < 160 ? seed : random.integer<size_t>(1, 1000);
    Guarded<int8_t> table(256);
    Guarded<int8_t> x(n, random.one_in(2));
    random.fill<int8_t>(table);
    random.fill<int8_t>(x);
    Guarded<int8_t> expected(n);
    for (size_t i = 0; i < n; ++i) expected[i] = table[static_cast<size_t>(128 + x[i])];
    compare(lut_s8_rows(), expected, seed, [&](const LutS8Kernel& kernel, int8_t* y) {
      kernel.look_up(table.data(), x.data(), y, n);
    });
    compare(lut_s8_rows(), expected, seed, [&](const LutS8Kernel& kernel, int8_t* y) {
      std::copy_n(x.data(), n, y);
      kernel.look_up(table.data(), y, y, n);
    });
  }
}

QuantizedS8 random_quantized(Random& random) {
  QuantizedS8 q;
  q.is_unsigned = random.one_in(2);
  const int low = q.is_unsigned ? 0 : -128;
  q.scale = random.one_in(4) ? 0.125f : random.real(0.001f, 1);
  q.zero_point = random.integer(low, low + 255);
  q.min = random.one_in(2) ? low : q.zero_point;
  q.max = low + 255;
  return q;
}

int value_of(const QuantizedS8& q, int8_t byte) {
  return q.is_unsigned ? static_cast<uint8_t>(byte) : byte;
}

TEST_CASE("requant_s8: quantize, dequantize and requantize, int8 and uint8") {
  constexpr float kHalves[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    Random random(seed);
    const size_t n = seed < 40 ? seed : random.integer<size_t>(1, 300);
    const QuantizedS8 from = random_quantized(random);
    const QuantizedS8 to = random_quantized(random);
    Guarded<float> real(n, random.one_in(2));
    random.fill(real, -40, 40);
    for (float& v : std::span<float>(real)) {
      if (random.one_in(4)) v = kHalves[random.integer(0, 4)] * to.scale;
    }
    if (random.one_in(3)) random.fill_extreme(real);
    Guarded<int8_t> bytes(n, random.one_in(2));
    random.fill<int8_t>(bytes);
    const float k = from.scale / to.scale;

    Guarded<int8_t> expected(n);
    for (size_t i = 0; i < n; ++i) {
      expected[i] =
          static_cast<int8_t>(quantized(real[i] / to.scale, to.zero_point, to.min, to.max));
    }
    compare(requant_s8_rows(), expected, seed, [&](const RequantS8Kernel& kernel, int8_t* y) {
      kernel.quantize(to, real.data(), y, n);
    });
    for (size_t i = 0; i < n; ++i) {
      const float t = static_cast<float>(value_of(from, bytes[i]) - from.zero_point) * k;
      expected[i] = static_cast<int8_t>(quantized(t, to.zero_point, to.min, to.max));
    }
    compare(requant_s8_rows(), expected, seed, [&](const RequantS8Kernel& kernel, int8_t* y) {
      std::copy_n(bytes.data(), n, y);
      kernel.requantize(from, to, k, y, y, n);
    });
    Guarded<float> floats(n);
    for (size_t i = 0; i < n; ++i) {
      floats[i] = static_cast<float>(value_of(from, bytes[i]) - from.zero_point) * from.scale;
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const RequantS8Row& row : requant_s8_rows()) {
      if (!test::takes(row, request)) continue;
      Guarded<float> actual(n, random.one_in(2));
      row.kernel->dequantize(from, bytes.data(), actual.data(), n);
      INFO(row.name << " n " << n << " seed " << seed);
      CHECK(test::difference(actual, floats) == "");
    }
  }
}

}  // namespace
}  // namespace medulla
