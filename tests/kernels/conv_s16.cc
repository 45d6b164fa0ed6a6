// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s16/conv_s16.h"

#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/kernels/conv_cases.h"

namespace medulla {
namespace {

using test::Block;
using test::ConvCase;
using test::Guarded;
using test::Random;

// Every row on one problem, by parts, against the formula of the header.
void check(const ConvCase& t, uint64_t seed) {
  Random random(seed);
  const ConvGeometry& c = t.conv;
  const size_t in_stride = c.in_channels + t.in_extra;
  const size_t out_stride = c.out_channels + t.out_extra;
  const size_t pixels = c.batch * c.out_h * c.out_w;
  const size_t group_in = c.in_channels / c.groups;
  const size_t group_out = c.out_channels / c.groups;
  const size_t n = c.out_channels;
  const size_t k = c.kernel_h * c.kernel_w * group_in;
  Guarded<int16_t> in((c.batch * c.in_h * c.in_w - 1) * in_stride + c.in_channels,
                      random.one_in(2));
  Guarded<int8_t> w(n * k);
  random.fill<int16_t>(in);
  random.fill<int8_t>(w);
  if (t.extreme) {  // the largest sums, all of one sign or of both
    std::fill_n(in.data(), in.size(), static_cast<int16_t>(-32768));
    for (size_t i = 0; i < w.size(); ++i) w[i] = random.one_in(8) ? 127 : -128;
  }
  Guarded<int32_t> zero_points(n);
  Guarded<int64_t> bias(n);
  Guarded<double> scale(n);
  for (size_t o = 0; o < n; ++o) {
    zero_points[o] = t.extreme ? 127 : random.integer(-128, 127);
    bias[o] = random.integer(-(int64_t{1} << 45), int64_t{1} << 45);
    if (random.one_in(2)) bias[o] = random.integer(-1000, 1000);
    scale[o] = static_cast<double>(random.real(0.1f, 1)) * (random.one_in(2) ? 1e-9 : 1e-3);
  }
  WeightsS16 weights;
  weights.weights.n = n;
  weights.weights.k = weights.weights.n_stride = k;
  weights.weights.w = w.data();
  weights.weights.zero_points = zero_points.data();
  weights.weights.zero_point_step = random.one_in(2) ? 1 : 0;
  weights.bias = t.bias ? bias.data() : nullptr;
  weights.scale = scale.data();
  ConvS16 a;
  a.conv = c;
  a.in = in.data();
  a.in_stride = in_stride;
  a.in_zero_point = random.one_in(2) ? 0 : random.integer(-32768, 32767);
  a.out_stride = out_stride;
  a.zero_point = random.one_in(2) ? 0 : random.integer(-32768, 32767);
  if (t.clamp) a.min = a.zero_point;

  const test::RunState state;
  Guarded<int16_t> expected((pixels - 1) * out_stride + n);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t o = 0; o < n; ++o) {
      int64_t sum = t.bias ? bias[o] : 0;
      size_t at = o * k;
      for (size_t ky = 0; ky < c.kernel_h; ++ky) {
        for (size_t kx = 0; kx < c.kernel_w; ++kx) {
          const ptrdiff_t pixel = test::input_pixel(c, p, ky, kx);
          for (size_t i = 0; i < group_in; ++i, ++at) {
            if (pixel < 0) continue;
            const size_t channel = o / group_out * group_in + i;
            const int64_t x = in[static_cast<size_t>(pixel) * in_stride + channel];
            sum += (x - a.in_zero_point) * (w[at] - zero_point_of(weights.weights, o));
          }
        }
      }
      const double real = std::clamp<double>(static_cast<double>(sum) * scale[o],
                                             a.min - a.zero_point, a.max - a.zero_point);
      expected[p * out_stride + o] =
          static_cast<int16_t>(static_cast<int>(std::nearbyint(real)) + a.zero_point);
    }
  }

  ConvS16Problem problem;
  problem.isa = host_isa();
  problem.conv = c;
  for (const ConvS16Row& row : conv_s16_rows()) {
    if (!test::takes(row, problem)) continue;
    Block packed(row.kernel->packed_bytes(c));
    row.kernel->pack(c, weights, a.in_zero_point, packed.data());
    Block scratch(row.kernel->scratch_bytes(c));
    Guarded<int16_t> actual(expected.size(), random.one_in(2));
    a.weights = packed.data();
    a.out = actual.data();
    const size_t cut = random.integer<size_t>(0, pixels);
    row.kernel->run(a, cut, pixels, scratch.data());
    row.kernel->run(a, 0, cut, scratch.data());
    INFO(row.name << " seed " << seed << " " << test::text_of(c));
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("conv_s16: kernels, strides, dilations, paddings and groups at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) check(test::random_conv(seed), seed);
}

TEST_CASE("conv_s16: depthwise") {
  for (uint64_t seed = 1; seed <= test::seeds(200); ++seed) {
    check(test::random_conv(seed, true), seed);
  }
}

TEST_CASE("conv_s16: sums of more products than 32 bits hold") {
  for (uint64_t seed = 1; seed <= test::seeds(12); ++seed) {
    Random random(seed);
    ConvCase t;
    t.extreme = true;
    t.conv.in_w = t.conv.out_w = random.integer<size_t>(1, 5);
    t.conv.in_channels = random.integer<size_t>(200, 9000);
    t.conv.out_channels = 3;
    check(t, seed);
    t.conv.in_w = 520;
    t.conv.kernel_w = 511;
    t.conv.out_w = 10;
    t.conv.in_channels = t.conv.out_channels = t.conv.groups = random.integer<size_t>(2, 20);
    check(t, seed);
  }
}

}  // namespace
}  // namespace medulla
