// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_f32/softmax_f32.h"

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

// The formula of the header for one row of elements `step` apart.
void expect_row(const float* x, float* y, size_t n, size_t step, bool log) {
  float m = -std::numeric_limits<float>::infinity();
  for (size_t k = 0; k < n; ++k) m = max_f32(x[k * step], m);
  float partials[16] = {};
  for (size_t k = 0; k < n; ++k) partials[k % 16] += exp_f32(x[k * step] - m);
  for (size_t half : {8, 4, 2, 1}) {
    for (size_t i = 0; i < half; ++i) partials[i] += partials[i + half];
  }
  const float log_sum = log_f32(partials[0]);
  for (size_t k = 0; k < n; ++k) {
    const float d = x[k * step] - m;
    y[k * step] = log ? d - log_sum : exp_f32(d) / partials[0];
  }
}

void check(uint64_t seed) {
  Random random(seed);
  SoftmaxF32 a;
  a.rows = random.integer<size_t>(1, 4);
  a.n = seed < 70 ? seed : random.integer<size_t>(1, 300);
  a.inner = random.one_in(2) ? 1 : random.integer<size_t>(1, 40);
  a.x_stride = a.n * a.inner + random.integer<size_t>(0, 3);
  a.y_stride = random.one_in(2) ? a.x_stride : a.n * a.inner + random.integer<size_t>(0, 3);
  const bool in_place = a.x_stride == a.y_stride && random.one_in(2);
  Guarded<float> x((a.rows - 1) * a.x_stride + a.n * a.inner, random.one_in(2));
  if (random.one_in(3)) {
    random.fill_extreme(x);
  } else {
    random.fill(x, -30, 30);
  }
  a.x = x.data();
  const test::RunState state;
  for (bool log : {false, true}) {
    Guarded<float> expected((a.rows - 1) * a.y_stride + a.n * a.inner);
    if (in_place) std::copy_n(x.data(), x.size(), expected.data());
    for (size_t r = 0; r < a.rows; ++r) {
      for (size_t i = 0; i < a.inner; ++i) {
        expect_row(x.data() + r * a.x_stride + i, expected.data() + r * a.y_stride + i, a.n,
                   a.inner, log);
      }
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const SoftmaxF32Row& row : softmax_f32_rows()) {
      if (row_refusal(row, request) != nullptr) continue;
      Guarded<float> actual(expected.size(), random.one_in(2));
      if (in_place) std::copy_n(x.data(), x.size(), actual.data());
      SoftmaxF32 call = a;
      if (in_place) call.x = actual.data();
      call.y = actual.data();
      (log ? row.kernel->log_softmax : row.kernel->softmax)(call);
      INFO(row.name << " log " << log << " seed " << seed << " rows " << a.rows << " n " << a.n
                    << " inner " << a.inner);
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("softmax_f32: lengths, strides and inner extents at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) check(seed);
}

TEST_CASE("softmax_f32: near binary64") {
  Random random(3);
  std::vector<float> x(1000);
  std::vector<float> y(x.size());
  random.fill(x, -20, 20);
  SoftmaxF32 a;
  a.rows = 1;
  a.n = x.size();
  a.x = x.data();
  a.y = y.data();
  softmax_f32_rows().back().kernel->softmax(a);
  double sum = 0;
  for (float v : x) sum += std::exp(static_cast<double>(v));
  for (size_t k = 0; k < x.size(); ++k) {
    const double p = std::exp(static_cast<double>(x[k])) / sum;
    CHECK(std::fabs(static_cast<double>(y[k]) - p) <= 4e-6 * p);
  }
}

}  // namespace
}  // namespace medulla
