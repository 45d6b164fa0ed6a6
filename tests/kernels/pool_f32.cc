// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_f32/pool_f32.h"

#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "tests/catch.h"
#include "tests/kernels/pool_cases.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

void check_windows(uint64_t seed) {
  Random random(seed);
  PoolF32 a;
  a.pool = test::random_pool(random);
  const PoolGeometry& g = a.pool;
  a.in_stride = g.channels + random.integer<size_t>(0, 3);
  a.out_stride = g.channels + random.integer<size_t>(0, 3);
  const size_t pixels = g.batch * g.out_h * g.out_w;
  Guarded<float> in((g.batch * g.in_h * g.in_w - 1) * a.in_stride + g.channels, random.one_in(2));
  if (random.one_in(2)) {
    random.fill_extreme(in);
  } else {
    random.fill(in);
  }
  a.in = in.data();
  const test::RunState state;
  for (bool average : {false, true}) {
    Guarded<float> expected((pixels - 1) * a.out_stride + g.channels);
    for (size_t p = 0; p < pixels; ++p) {
      for (size_t c = 0; c < g.channels; ++c) {
        float sum = 0;
        float greatest = -std::numeric_limits<float>::infinity();
        const size_t count = test::for_each_tap(g, p, [&](size_t pixel) {
          const float v = in[pixel * a.in_stride + c];
          sum += v;
          greatest = max_f32(v, greatest);
        });
        expected[p * a.out_stride + c] = average ? sum / static_cast<float>(count) : greatest;
      }
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const PoolF32Row& row : pool_f32_rows()) {
      if (row_refusal(row, request) != nullptr) continue;
      Guarded<float> actual(expected.size(), random.one_in(2));
      a.out = actual.data();
      const auto run = average ? row.kernel->average : row.kernel->max;
      const size_t cut = random.integer<size_t>(0, pixels);
      run(a, cut, pixels);
      run(a, 0, cut);
      INFO(row.name << (average ? " average" : " max") << " seed " << seed << " "
                    << test::text_of(g));
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("pool_f32: windows, strides, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) check_windows(seed);
}

void check_reduce(uint64_t seed) {
  Random random(seed);
  ReduceF32 a;
  a.outer = random.integer<size_t>(1, 3);
  a.n = seed < 70 ? seed : random.integer<size_t>(1, 200);
  a.inner = random.one_in(2) ? 1 : random.integer<size_t>(1, 40);
  a.stride = a.inner + (random.one_in(2) ? 0 : random.integer<size_t>(0, 3));
  a.outer_stride = a.n * a.stride + random.integer<size_t>(0, 3);
  Guarded<float> x((a.outer - 1) * a.outer_stride + (a.n - 1) * a.stride + a.inner,
                   random.one_in(2));
  if (random.one_in(3)) {
    random.fill_extreme(x);
  } else {
    random.fill(x);
  }
  a.x = x.data();
  const test::RunState state;
  for (bool mean : {false, true}) {
    Guarded<float> expected(a.outer * a.inner);
    for (size_t o = 0; o < a.outer; ++o) {
      for (size_t i = 0; i < a.inner; ++i) {
        float partials[16] = {};
        for (size_t k = 0; k < a.n; ++k) {
          partials[k % 16] += x[o * a.outer_stride + k * a.stride + i];
        }
        for (size_t half : {8, 4, 2, 1}) {
          for (size_t j = 0; j < half; ++j) partials[j] += partials[j + half];
        }
        expected[o * a.inner + i] = mean ? partials[0] / static_cast<float>(a.n) : partials[0];
      }
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const PoolF32Row& row : pool_f32_rows()) {
      if (row_refusal(row, request) != nullptr) continue;
      Guarded<float> actual(expected.size(), random.one_in(2));
      a.y = actual.data();
      (mean ? row.kernel->mean : row.kernel->sum)(a);
      INFO(row.name << " mean " << mean << " seed " << seed << " outer " << a.outer << " n " << a.n
                    << " inner " << a.inner << " stride " << a.stride);
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("pool_f32: sums and means at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) check_reduce(seed);
}

}  // namespace
}  // namespace medulla
