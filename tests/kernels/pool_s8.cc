// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool_s8/pool_s8.h"

#include <algorithm>
#include <vector>

#include "kernels/s8.h"
#include "tests/catch.h"
#include "tests/kernels/pool_cases.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

enum class Kind { max_s8, max_u8, average };

int8_t expected_value(const PoolS8& a, Kind kind, size_t p, size_t c) {
  int32_t sum = 0;
  int greatest = -128;
  const size_t count = test::for_each_tap(a.pool, p, [&](size_t pixel) {
    const int8_t q = a.in[pixel * a.in_stride + c];
    sum += q - a.in_zero_point;
    greatest = std::max<int>(greatest, kind == Kind::max_u8 ? static_cast<uint8_t>(q) : q);
  });
  if (kind != Kind::average) return static_cast<int8_t>(greatest);
  const float m = a.multipliers[(count - 1) * a.multiplier_step];
  return quantize_s8(static_cast<float>(sum) * m, a.zero_point, a.min, a.max);
}

void check(PoolS8 a, Random& random, uint64_t seed, bool extreme) {
  const PoolGeometry& g = a.pool;
  a.in_stride = g.channels + random.integer<size_t>(0, 3);
  a.out_stride = g.channels + random.integer<size_t>(0, 3);
  const size_t pixels = g.batch * g.out_h * g.out_w;
  Guarded<int8_t> in((g.batch * g.in_h * g.in_w - 1) * a.in_stride + g.channels, random.one_in(2));
  random.fill<int8_t>(in);
  if (extreme) std::fill_n(in.data(), in.size(), static_cast<int8_t>(-128));
  a.in = in.data();
  a.in_zero_point = extreme ? 127 : random.integer(-128, 127);
  std::vector<float> multipliers(g.kernel_h * g.kernel_w);
  for (size_t i = 0; i < multipliers.size(); ++i) {
    multipliers[i] = random.real(0.3f, 2) / static_cast<float>(i + 1);
  }
  a.multipliers = multipliers.data();
  a.multiplier_step = random.one_in(4) ? 0 : 1;
  a.zero_point = random.integer(-128, 127);
  if (random.one_in(2)) a.min = a.zero_point;

  const test::RunState state;
  for (Kind kind : {Kind::max_s8, Kind::max_u8, Kind::average}) {
    Guarded<int8_t> expected((pixels - 1) * a.out_stride + g.channels);
    for (size_t p = 0; p < pixels; ++p) {
      for (size_t c = 0; c < g.channels; ++c) {
        expected[p * a.out_stride + c] = expected_value(a, kind, p, c);
      }
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const PoolS8Row& row : pool_s8_rows()) {
      if (!test::takes(row, request)) continue;
      Guarded<int8_t> actual(expected.size(), random.one_in(2));
      a.out = actual.data();
      const auto run = kind == Kind::max_s8   ? row.kernel->max_s8
                       : kind == Kind::max_u8 ? row.kernel->max_u8
                                              : row.kernel->average;
      const size_t cut = random.integer<size_t>(0, pixels);
      run(a, cut, pixels);
      run(a, 0, cut);
      INFO(row.name << " kind " << static_cast<int>(kind) << " seed " << seed << " "
                    << test::text_of(g));
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("pool_s8: windows, strides, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    Random random(seed);
    PoolS8 a;
    a.pool = test::random_pool(random);
    check(a, random, seed, random.one_in(8));
  }
}

TEST_CASE("pool_s8: one window whose sum passes 2^24") {
  Random random(1);
  PoolS8 a;
  a.pool.in_h = a.pool.kernel_h = 300;
  a.pool.in_w = a.pool.kernel_w = 301;
  a.pool.channels = 9;
  check(a, random, 1, true);
  check(a, random, 2, false);
}

}  // namespace
}  // namespace medulla
