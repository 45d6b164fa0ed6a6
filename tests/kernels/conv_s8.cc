// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"

#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "tests/catch.h"
#include "tests/kernels/conv_cases.h"
#include "tests/kernels/s8_cases.h"

namespace medulla {
namespace {

using test::Block;
using test::ConvCase;
using test::Guarded;
using test::Random;

// Every row on one problem, by parts, against the formula of the header in int64.
void check(std::span<const ConvS8Row> rows, const ConvCase& t, uint64_t seed) {
  Random random(seed);
  const ConvGeometry& c = t.conv;
  const size_t in_stride = c.in_channels + t.in_extra;
  const size_t out_stride = c.out_channels + t.out_extra;
  const size_t pixels = c.batch * c.out_h * c.out_w;
  const size_t size = (pixels - 1) * out_stride + c.out_channels;
  const size_t group_in = c.in_channels / c.groups;
  const size_t group_out = c.out_channels / c.groups;
  const size_t k = c.kernel_h * c.kernel_w * group_in;
  Guarded<int8_t> in((c.batch * c.in_h * c.in_w - 1) * in_stride + c.in_channels, random.one_in(2));
  random.fill<int8_t>(in);
  const test::LayerS8 layer(c.out_channels, k, random);
  const test::OutputCase output(random);

  const test::RunState state;
  Guarded<int8_t> expected(size);
  Guarded<float> expected_f32(size);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t o = 0; o < c.out_channels; ++o) {
      int64_t sum = layer.first_sum(o);
      size_t at = o * k;
      for (size_t ky = 0; ky < c.kernel_h; ++ky) {
        for (size_t kx = 0; kx < c.kernel_w; ++kx) {
          const ptrdiff_t pixel = test::input_pixel(c, p, ky, kx);
          for (size_t i = 0; i < group_in; ++i, ++at) {
            const size_t channel = o / group_out * group_in + i;
            if (pixel < 0) continue;
            const int x = in[static_cast<size_t>(pixel) * in_stride + channel];
            sum += (x - layer.in_zero_point) * layer.weight(o, at);
          }
        }
      }
      expected[p * out_stride + o] = output.quantized(sum, layer, o);
      expected_f32[p * out_stride + o] = output.real(sum, layer, o);
    }
  }

  ConvS8Problem problem;
  problem.isa = host_isa();
  problem.conv = c;
  problem.float_output = output.float_output;
  const WeightsS8 weights = layer.weights(c.out_channels, k);
  problem.narrow_weights = weights_fit_s8(weights);
  for (const ConvS8Row& row : rows) {
    if (row_refusal(row, problem) != nullptr) continue;
    Block packed(row.kernel->packed_bytes(c, weights));
    row.kernel->pack(c, weights, layer.in_zero_point, packed.data());
    Block scratch(row.kernel->scratch_bytes(c));
    Guarded<int8_t> actual(size, random.one_in(2));
    Guarded<float> actual_f32(size, random.one_in(2));
    ConvS8 a;
    a.conv = c;
    a.in = in.data();
    a.in_stride = in_stride;
    a.in_zero_point = layer.in_zero_point;
    a.weights = packed.data();
    a.out = output.out;
    a.out.stride = out_stride;
    if (output.float_output) {
      a.out.f32 = actual_f32.data();
    } else {
      a.out.s8 = actual.data();
    }
    const size_t cut = random.integer<size_t>(0, pixels);
    row.kernel->run(a, cut, pixels, scratch.data());
    row.kernel->run(a, 0, cut, scratch.data());
    INFO(row.name << " seed " << seed << " " << test::text_of(c));
    if (output.float_output) {
      CHECK(test::difference(actual_f32, expected_f32) == "");
    } else {
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

TEST_CASE("conv_s8: kernels, strides, dilations, paddings and groups at random") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    check(conv_s8_rows(), test::random_conv(seed), seed);
  }
}

TEST_CASE("dwconv_s8: kernels, strides, dilations, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    check(dwconv_s8_rows(), test::random_conv(seed, true), seed);
  }
}

}  // namespace
}  // namespace medulla
