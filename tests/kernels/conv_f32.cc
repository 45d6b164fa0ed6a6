// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_f32/conv_f32.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/dwconv_f32/dwconv_f32.h"
#include "tests/catch.h"
#include "tests/kernels/conv_cases.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Block;
using test::ConvCase;
using test::Guarded;
using test::Random;

// The two families, which have one formula.
struct Full {
  using Problem = ConvF32Problem;
  using Call = ConvF32;
  static constexpr auto rows = conv_f32_rows;
  static constexpr auto packed_bytes = conv_f32_packed_bytes;
  static constexpr auto pack = conv_f32_pack;
};
struct Depthwise {
  using Problem = DwConvF32Problem;
  using Call = DwConvF32;
  static constexpr auto rows = dwconv_f32_rows;
  static constexpr auto packed_bytes = dwconv_f32_packed_bytes;
  static constexpr auto pack = dwconv_f32_pack;
};

// Every row on one problem, by parts, against the formula of the header.
template <class Family>
void check(const ConvCase& t, uint64_t seed) {
  Random random(seed);
  const ConvGeometry& c = t.conv;
  const size_t in_stride = c.in_channels + t.in_extra;
  const size_t out_stride = c.out_channels + t.out_extra;
  const size_t residual_stride = t.in_place ? out_stride : c.out_channels + t.residual_extra;
  const size_t pixels = c.batch * c.out_h * c.out_w;
  const size_t group_in = c.in_channels / c.groups;
  const size_t group_out = c.out_channels / c.groups;
  Guarded<float> in((c.batch * c.in_h * c.in_w - 1) * in_stride + c.in_channels, random.one_in(2));
  Guarded<float> weights(c.out_channels * c.kernel_h * c.kernel_w * group_in);
  Guarded<float> bias(c.out_channels);
  Guarded<float> residual((pixels - 1) * residual_stride + c.out_channels, random.one_in(2));
  const auto fill = [&](Guarded<float>& v) { t.extreme ? random.fill_extreme(v) : random.fill(v); };
  fill(in), fill(weights), fill(bias), fill(residual);
  const float lo = t.clamp ? 0.0f : -std::numeric_limits<float>::infinity();
  const float hi = t.clamp ? 0.75f : std::numeric_limits<float>::infinity();

  const test::RunState state;
  Guarded<float> expected((pixels - 1) * out_stride + c.out_channels);
  if (t.in_place) std::copy_n(residual.data(), residual.size(), expected.data());
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t o = 0; o < c.out_channels; ++o) {
      float acc = t.bias ? bias[o] + 0.0f : 0.0f;
      const float* w = weights.data() + o * c.kernel_h * c.kernel_w * group_in;
      for (size_t ky = 0; ky < c.kernel_h; ++ky) {
        for (size_t kx = 0; kx < c.kernel_w; ++kx) {
          const ptrdiff_t pixel = test::input_pixel(c, p, ky, kx);
          for (size_t i = 0; i < group_in; ++i) {
            const size_t channel = o / group_out * group_in + i;
            const float x = pixel < 0 ? 0.0f : in[static_cast<size_t>(pixel) * in_stride + channel];
            acc = std::fma(x, *w++, acc);
          }
        }
      }
      if (t.residual) acc += residual[p * residual_stride + o];
      acc = lo > acc ? lo : acc;
      expected[p * out_stride + o] = hi < acc ? hi : acc;
    }
  }

  typename Family::Problem problem;
  problem.isa = host_isa();
  problem.conv = c;
  for (const auto& row : Family::rows()) {
    if (row_refusal(row, problem) != nullptr) continue;
    const size_t nr = row.kernel->nr;
    Block packed(Family::packed_bytes(nr, c));
    Family::pack(nr, c, weights.data(), t.bias ? bias.data() : nullptr, packed.data());
    Block scratch(row.kernel->scratch_bytes(c));
    Guarded<float> actual(expected.size(), random.one_in(2));
    if (t.in_place) std::copy_n(residual.data(), residual.size(), actual.data());
    typename Family::Call a;
    a.conv = c;
    a.in = in.data();
    a.in_stride = in_stride;
    a.weights = packed.data();
    a.residual = !t.residual ? nullptr : t.in_place ? actual.data() : residual.data();
    a.residual_stride = residual_stride;
    a.out = actual.data();
    a.out_stride = out_stride;
    a.lo = lo;
    a.hi = hi;
    const size_t cut = random.integer<size_t>(0, pixels);
    row.kernel->run(a, cut, pixels, scratch.data());
    row.kernel->run(a, 0, cut, scratch.data());
    INFO(row.name << " seed " << seed << " " << test::text_of(c));
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("conv_f32: kernels, strides, dilations, paddings and groups at random") {
  for (uint64_t seed = 1; seed <= test::seeds(600); ++seed)
    check<Full>(test::random_conv(seed), seed);
}

TEST_CASE("conv_f32: blocks of taps and of pixels keep the chain") {
  uint64_t seed = 1000;
  for (size_t channels : {60, 64, 65, 300}) {
    ConvCase t;
    t.conv = {.in_h = 12,
              .in_w = 11,
              .out_h = 12,
              .out_w = 11,
              .kernel_h = 3,
              .kernel_w = 3,
              .pad_top = 1,
              .pad_left = 1,
              .in_channels = channels,
              .out_channels = 21};
    check<Full>(t, seed++);
    t.in_extra = 3;
    check<Full>(t, seed++);
    t.residual = true;
    t.in_place = true;
    check<Full>(t, seed++);
  }
}

TEST_CASE("conv_f32: signals of one dimension") {
  uint64_t seed = 2000;
  for (size_t channels : {1, 2, 12, 70}) {
    for (size_t kernel : {1, 7, 16}) {
      ConvCase t;
      t.conv = {.batch = 2,
                .in_w = 150,
                .out_w = 75,
                .kernel_w = kernel,
                .stride_w = 2,
                .pad_left = kernel / 2,
                .in_channels = channels,
                .out_channels = 24};
      check<Full>(t, seed++);
    }
  }
}

TEST_CASE("conv_f32: the selector follows the ISA set and the limit of scratch") {
  ConvF32Problem problem;
  CHECK(std::string(select_row(conv_f32_rows(), problem)->name) == "conv_f32_portable");
  problem.isa = host_isa();
  problem.scratch_limit = 1;
  std::vector<const char*> reasons(conv_f32_rows().size());
  const ConvF32Row* row = select_row(conv_f32_rows(), problem, {}, reasons.data());
  CHECK(std::string(row->name) == "conv_f32_portable");
  for (size_t i = 0; i + 1 < reasons.size(); ++i) {
    if (!host_isa().contains(isa_needs(conv_f32_rows()[i].isa))) continue;
    CHECK(std::string(reasons[i]) == "needs more scratch than is allowed");
  }
}

TEST_CASE("dwconv_f32: kernels, strides, dilations, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(600); ++seed)
    check<Depthwise>(test::random_conv(seed, true), seed);
}

TEST_CASE("dwconv_f32: wide rows and many channels") {
  uint64_t seed = 1000;
  for (size_t kernel : {1, 2, 3, 4, 5, 7}) {
    for (size_t stride : {1, 2, 3}) {
      for (size_t channels : {8, 45, 64}) {
        ConvCase t;
        t.conv = {.in_h = 6,
                  .in_w = 40,
                  .out_h = (5 + stride) / stride,
                  .out_w = (39 + stride) / stride,
                  .kernel_h = kernel,
                  .kernel_w = kernel,
                  .stride_h = stride,
                  .stride_w = stride,
                  .pad_top = kernel / 2,
                  .pad_left = kernel / 2,
                  .groups = channels,
                  .in_channels = channels,
                  .out_channels = channels};
        t.residual = stride == 1;
        check<Depthwise>(t, seed++);
      }
    }
  }
}

TEST_CASE("dwconv_f32: the selector follows the ISA set") {
  DwConvF32Problem problem;
  CHECK(std::string(select_row(dwconv_f32_rows(), problem)->name) == "dwconv_f32_portable");
}

}  // namespace
}  // namespace medulla
