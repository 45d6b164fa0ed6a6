// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_s8/gemm_s8.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/s8_cases.h"

namespace medulla {
namespace {

using test::Block;
using test::Guarded;
using test::Random;

// Every row on one problem, by parts, against the formula of the header in int64.
void check(size_t m, size_t n, size_t k, uint64_t seed) {
  Random random(seed);
  const size_t lda = k + random.integer<size_t>(0, 3);
  const size_t ldc = n + random.integer<size_t>(0, 3);
  const size_t size = m == 0 ? 0 : (m - 1) * ldc + n;
  Guarded<int8_t> a(m == 0 ? 0 : (m - 1) * lda + k, random.one_in(2));
  random.fill<int8_t>(a);
  const test::LayerS8 layer(n, k, random);
  const test::OutputCase output(random);
  Guarded<int32_t> row_bias(m);
  random.fill<int32_t>(row_bias, -(1 << 20), 1 << 20);
  const bool has_row_bias = random.one_in(3);

  const test::RunState state;
  Guarded<int8_t> expected(size);
  Guarded<float> expected_f32(size);
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      int64_t sum = layer.first_sum(j) + (has_row_bias ? row_bias[i] : 0);
      for (size_t l = 0; l < k; ++l) {
        sum += (a[i * lda + l] - layer.in_zero_point) * layer.weight(j, j * k + l);
      }
      expected[i * ldc + j] = output.quantized(sum, layer, j);
      expected_f32[i * ldc + j] = output.real(sum, layer, j);
    }
  }

  GemmS8Problem problem;
  problem.isa = host_isa();
  problem.m = m;
  problem.n = n;
  problem.k = k;
  problem.float_output = output.float_output;
  const WeightsS8 weights = layer.weights(n, k);
  problem.narrow_weights = weights_fit_s8(weights);
  problem.row_bias = has_row_bias;
  for (const GemmS8Row& row : gemm_s8_rows()) {
    if (!test::takes(row, problem)) continue;
    Block packed(row.kernel->packed_bytes(weights));
    row.kernel->pack(weights, layer.in_zero_point, packed.data());
    Guarded<int8_t> actual(size, random.one_in(2));
    Guarded<float> actual_f32(size, random.one_in(2));
    GemmS8 g;
    g.n = n;
    g.k = k;
    g.a = a.data();
    g.lda = lda;
    g.a_zero_point = layer.in_zero_point;
    g.b = packed.data();
    g.c = output.out;
    g.c.stride = ldc;
    if (has_row_bias) g.c.row_bias = row_bias.data();
    if (output.float_output) {
      g.c.f32 = actual_f32.data();
    } else {
      g.c.s8 = actual.data();
    }
    Block scratch(row.kernel->scratch_bytes(k));
    const size_t nr = row.kernel->nr;
    const size_t m_cut = random.integer<size_t>(0, m);
    const size_t n_cut = random.integer<size_t>(0, n / nr) * nr;
    row.kernel->run(g, m_cut, m, 0, n, scratch.data());
    row.kernel->run(g, 0, m_cut, n_cut, n, scratch.data());
    row.kernel->run(g, 0, m_cut, 0, n_cut, scratch.data());
    INFO(row.name << " seed " << seed << " m " << m << " n " << n << " k " << k);
    if (output.float_output) {
      CHECK(test::difference(actual_f32, expected_f32) == "");
    } else {
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("gemm_s8: every row gives the specified bytes") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    Random random(~seed);
    const size_t m = random.integer<size_t>(0, 20);
    const size_t n = random.integer<size_t>(1, 70);
    check(m, n, random.integer<size_t>(0, random.one_in(4) ? 300 : 20), seed);
  }
}

// Of a size that all rows take, with tails of every kind.
TEST_CASE("gemm_s8: larger products") {
  for (uint64_t seed = 1; seed <= test::seeds(640); ++seed) {
    Random random(~seed);
    const size_t m = random.integer<size_t>(8, 70);
    const size_t n = random.integer<size_t>(12, 70);
    check(m, n, random.integer<size_t>(32, random.one_in(4) ? 300 : 100), seed);
  }
}

// Weights whose sums of two and of four come to 128 and a little more, times inputs at the ends of
// their range: what multiplies bytes into 16 bits must not saturate.
TEST_CASE("gemm_s8: sums of products at the ends of 16 bits") {
  constexpr size_t kM = 13;
  constexpr size_t kN = 24;
  constexpr size_t kK = 64;
  for (uint64_t seed = 1; seed <= test::seeds(200); ++seed) {
    Random random(seed);
    const int size = random.one_in(2) ? 64 : 32;
    const int sign = random.one_in(2) ? 1 : -1;
    Guarded<int8_t> a(kM * kK);
    Guarded<int8_t> w(kN * kK);
    for (size_t i = 0; i < a.size(); ++i) a[i] = random.one_in(8) ? -128 : 127;
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<int8_t>(sign * (size + random.one_in(64) - random.one_in(16)));
    }
    const float one = 1;
    WeightsS8 weights;
    weights.n = kN;
    weights.k = kK;
    weights.w = w.data();
    weights.n_stride = kK;
    weights.scale = &one;
    weights.scale_step = 0;
    std::vector<float> expected(kM * kN);
    for (size_t i = 0; i < kM; ++i) {
      for (size_t j = 0; j < kN; ++j) {
        int sum = 0;
        for (size_t k = 0; k < kK; ++k) sum += a[i * kK + k] * w[j * kK + k];
        expected[i * kN + j] = static_cast<float>(sum);
      }
    }
    GemmS8Problem problem;
    problem.isa = host_isa();
    problem.k = kK;
    problem.float_output = true;
    problem.narrow_weights = true;
    for (const GemmS8Row& row : gemm_s8_rows()) {
      if (!test::takes(row, problem)) continue;
      Block packed(row.kernel->packed_bytes(weights));
      row.kernel->pack(weights, 0, packed.data());
      Block scratch(row.kernel->scratch_bytes(kK));
      std::vector<float> actual(kM * kN);
      GemmS8 g;
      g.n = kN;
      g.k = kK;
      g.a = a.data();
      g.lda = kK;
      g.b = packed.data();
      g.c.f32 = actual.data();
      g.c.lo = -std::numeric_limits<float>::infinity();
      g.c.hi = std::numeric_limits<float>::infinity();
      g.c.stride = kN;
      row.kernel->run(g, 0, kM, 0, kN, scratch.data());
      INFO(row.name << " seed " << seed);
      CHECK(actual == expected);
    }
  }
}

TEST_CASE("quantize_s8 rounds to even, clamps first and takes NaN to the minimum") {
  CHECK(quantize_s8(0.5f, 0, -128, 127) == 0);
  CHECK(quantize_s8(1.5f, 0, -128, 127) == 2);
  CHECK(quantize_s8(-2.5f, 1, -128, 127) == -1);
  CHECK(quantize_s8(3e38f, -128, -128, 127) == 127);
  CHECK(quantize_s8(-3e38f, 127, -128, 127) == -128);
  CHECK(quantize_s8(std::numeric_limits<float>::infinity(), 5, -3, 100) == 100);
  CHECK(quantize_s8(std::numeric_limits<float>::quiet_NaN(), 5, -3, 100) == -3);
}

}  // namespace
}  // namespace medulla
