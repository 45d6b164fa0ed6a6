// SPDX-License-Identifier: Apache-2.0
#include "kernels/rnn_f32/rnn_f32.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise_f32/scalar.h"
#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

float chain(float acc, const float* a, const float* b, size_t count) {
  for (size_t k = 0; k < count; ++k) acc = std::fma(a[k], b[k], acc);
  return acc;
}

// The formula of the header.
void expect_step(RnnCell cell, size_t n, const float* r, const float* bias_h, const float* x,
                 const float* h, float bound, float* c, float* y) {
  const auto sum = [&](size_t g, size_t j, const float* over) {
    return chain(x[g * n + j], over, r + (g * n + j) * n, n);
  };
  const auto s = [&](size_t g, size_t j) {
    return sigmoid_f32(clip_f32(sum(g, j, h), -bound, bound));
  };
  const auto t = [&](float v) { return tanh_f32(clip_f32(v, -bound, bound)); };
  std::vector<float> reset(n);
  for (size_t j = 0; j < n; ++j) reset[j] = s(1, j) * h[j];
  for (size_t j = 0; j < n; ++j) {
    if (cell == RnnCell::lstm) {
      c[j] = std::fma(s(2, j), c[j], s(0, j) * t(sum(3, j, h)));
      y[j] = s(1, j) * tanh_f32(c[j]);
      continue;
    }
    float hidden = sum(2, j, reset.data());
    if (cell == RnnCell::gru_linear) {
      const float bias = bias_h != nullptr ? bias_h[j] + 0.0f : 0.0f;
      hidden = x[2 * n + j] + s(1, j) * chain(bias, h, r + (2 * n + j) * n, n);
    }
    y[j] = std::fma(s(0, j), h[j], (1 - s(0, j)) * t(hidden));
  }
}

void check(uint64_t seed, RnnCell cell) {
  Random random(seed);
  const size_t n = seed <= 72 ? seed : random.integer<size_t>(1, 150);
  const size_t gates = rnn_gates(cell);
  Guarded<float> r(gates * n * n), bias(n), x(gates * n), h(n), c(n);
  for (Guarded<float>* values : {&r, &bias, &x, &h, &c}) {
    if (random.one_in(8)) {
      random.fill_extreme(*values);
    } else {
      random.fill(*values, -2, 2);
    }
  }
  const float* bias_h = cell == RnnCell::gru_linear && !random.one_in(4) ? bias.data() : nullptr;
  const float bound = random.one_in(3) ? 0.5f : std::numeric_limits<float>::infinity();
  const test::RunState state;
  Guarded<float> expected(n), expected_c(n);
  std::copy_n(c.data(), n, expected_c.data());
  expect_step(cell, n, r.data(), bias_h, x.data(), h.data(), bound, expected_c.data(),
              expected.data());
  RnnF32Problem problem;
  problem.isa = host_isa();
  problem.n = n;
  for (const RnnF32Row& row : rnn_f32_rows()) {
    if (row_refusal(row, problem) != nullptr) continue;
    INFO(row.name << " cell " << static_cast<int>(cell) << " seed " << seed << " n " << n);
    test::Block packed(rnn_f32_packed_bytes(cell, row.kernel->lanes, n));
    rnn_f32_pack(cell, row.kernel->lanes, n, r.data(), bias_h, packed.data());
    Guarded<float> actual(n, random.one_in(2)), actual_c(n, random.one_in(2)), sums(gates * n),
        work(n);
    std::copy_n(c.data(), n, actual_c.data());
    std::copy_n(x.data(), gates * n, sums.data());
    row.kernel->step[static_cast<size_t>(cell)]({.n = n,
                                                 .r = packed.data(),
                                                 .x = sums.data(),
                                                 .h = h.data(),
                                                 .c = actual_c.data(),
                                                 .y = actual.data(),
                                                 .work = work.data(),
                                                 .bound = bound,
                                                 .down = random.one_in(2)});
    CHECK(test::difference(actual, expected) == "");
    CHECK(test::difference(actual_c, expected_c) == "");
  }
}

TEST_CASE("rnn_f32: cells of all widths, values at random") {
  for (uint64_t seed = 1; seed <= test::seeds(240); ++seed) {
    for (RnnCell cell : {RnnCell::lstm, RnnCell::gru, RnnCell::gru_linear}) check(seed, cell);
  }
}

}  // namespace
}  // namespace medulla
