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
  std::vector<float> reset(n);
  const auto sum = [&](size_t g, size_t j, float from, const float* over) {
    return chain(from, over, r + (g * n + j) * n, n);
  };
  for (size_t j = 0; j < n; ++j) {
    reset[j] = gru_reset_f32(sum(1, j, x[n + j], h), bound, h[j]);
  }
  for (size_t j = 0; j < n; ++j) {
    const float first = sum(0, j, x[j], h);
    if (cell == RnnCell::lstm) {
      lstm_cell_f32(first, sum(1, j, x[n + j], h), sum(2, j, x[2 * n + j], h),
                    sum(3, j, x[3 * n + j], h), bound, c + j, y + j);
      continue;
    }
    float hidden = sum(2, j, x[2 * n + j], reset.data());
    if (cell == RnnCell::gru_linear) {
      const float from_h = sum(2, j, bias_h != nullptr ? bias_h[j] + 0.0f : 0.0f, h);
      hidden = x[2 * n + j] + gru_reset_f32(sum(1, j, x[n + j], h), bound, from_h);
    }
    y[j] = gru_update_f32(first, hidden, bound, h[j]);
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
    Guarded<float> actual(n, random.one_in(2)), actual_c(n, random.one_in(2)), work(2 * n);
    std::copy_n(c.data(), n, actual_c.data());
    row.kernel->step[static_cast<size_t>(cell)]({.n = n,
                                                 .r = packed.data(),
                                                 .x = x.data(),
                                                 .h = h.data(),
                                                 .c = actual_c.data(),
                                                 .y = actual.data(),
                                                 .work = work.data(),
                                                 .bound = bound});
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
