// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_s8/conv_s8.h"

#include <algorithm>

#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/winograd_s8/winograd_s8.h"
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
  problem.weight_sum = largest_weight_sum_s8(weights);
  for (const ConvS8Row& row : rows) {
    if (!test::takes(row, problem)) continue;
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
    const size_t units = row.kernel->units(c);
    const size_t cut = random.integer<size_t>(0, units);
    row.kernel->run(a, cut, units, scratch.data());
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
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    check(conv_s8_rows(), test::random_conv(seed), seed);
  }
}

// Rows of outputs longer than a tile, now and then than what is computed of one at a time.
ConvCase random_wide(uint64_t seed) {
  Random random(seed ^ 0x11e5);
  ConvCase t = test::random_conv(seed);
  ConvGeometry& c = t.conv;
  c.dilation_w = 1;
  c.in_w = random.integer<size_t>(12, random.one_in(8) ? 700 : 40);
  c.out_w =
      (c.in_w + 2 * c.pad_left - (c.kernel_w < c.in_w ? c.kernel_w : c.in_w)) / c.stride_w + 1;
  c.groups = 1;
  c.in_channels = random.integer<size_t>(1, random.one_in(4) ? 40 : 5);
  c.out_channels = random.integer<size_t>(1, random.one_in(4) ? 110 : 20);
  return t;
}

TEST_CASE("conv_s8: wide pictures of few channels") {
  for (uint64_t seed = 1; seed <= test::seeds(100); ++seed) {
    check(conv_s8_rows(), random_wide(seed), seed);
  }
}

// Of a size that all rows take; every other kernel is a point, of channels that need no filling up.
ConvCase random_large(uint64_t seed) {
  ConvCase t = random_wide(seed);
  ConvGeometry& c = t.conv;
  Random random(seed ^ 0xa3);
  if (seed % 2 == 0) {
    c = {};
    c.in_h = c.out_h = random.integer<size_t>(1, 4);
    c.in_w = c.out_w = random.integer<size_t>(16, 70);
    c.in_channels = 4 * random.integer<size_t>(8, 16);
  } else {
    c.in_channels = random.integer<size_t>(16, random.one_in(2) ? 70 : 24);
  }
  c.out_channels = random.integer<size_t>(12, random.one_in(2) ? 70 : 24);
  return t;
}

TEST_CASE("conv_s8: larger products") {
  for (uint64_t seed = 1; seed <= test::seeds(480); ++seed) {
    check(conv_s8_rows(), random_large(seed), seed);
  }
}

TEST_CASE("dwconv_s8: kernels, strides, dilations, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    check(dwconv_s8_rows(), test::random_conv(seed, true), seed);
  }
}

// 3x3 of channels around the vectors, in rows now and then longer than a strip.
ConvCase random_depthwise_3x3(uint64_t seed) {
  Random random(seed ^ 0xd3);
  ConvCase t = test::random_conv(seed, true);
  ConvGeometry& c = t.conv;
  c.kernel_h = c.kernel_w = 3;
  c.dilation_w = 1;
  c.dilation_h = random.one_in(4) ? 2 : 1;
  c.stride_w = random.integer<size_t>(1, 2);
  c.stride_h = random.one_in(4) ? 3 - c.stride_w : c.stride_w;
  c.pad_top = random.integer<size_t>(0, 2);
  c.pad_left = random.integer<size_t>(0, 2);
  c.in_h = random.integer<size_t>(5, 9);
  c.in_w = random.integer<size_t>(3, random.one_in(8) ? 300 : 20);
  c.out_h =
      (c.in_h + c.pad_top + random.integer<size_t>(0, 2) - 2 * c.dilation_h - 1) / c.stride_h + 1;
  c.out_w = (c.in_w + c.pad_left + random.integer<size_t>(0, 2) - 3) / c.stride_w + 1;
  c.groups = c.in_channels = c.out_channels =
      random.integer<size_t>(1, random.one_in(2) ? 34 : 140);
  return t;
}

TEST_CASE("dwconv_s8: 3x3, strides of 1 and 2, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    check(dwconv_s8_rows(), random_depthwise_3x3(seed), seed);
  }
}

template <class KernelRow, class Problem>
void check_choice(std::span<const KernelRow> rows, const Problem& problem, std::string_view name) {
  const auto has_name = [&](const KernelRow& row) { return row.name == name; };
  if (std::none_of(rows.begin(), rows.end(), has_name)) return;  // of another architecture
  const KernelRow* const choice = select_row(rows, problem);
  INFO("wanted " << std::string(name));
  REQUIRE(choice != nullptr);
  CHECK(std::string(choice->name) == std::string(name));
}

TEST_CASE("gemm_s8, conv_s8: the rows that CPUs take, by name") {
  struct Choice {
    const char* isas;
    const char* gemm;
    const char* vector;  // a product of one row
    const char* wide;    // 3x3 of 64 channels at 56x56
    const char* narrow;  // of 256 at 14x14
  };
  constexpr Choice kChoices[] = {
      {"avx2", "gemm_s8_12x8_avx2", "gemm_s8_12x8_avx2", "conv_s8_lines_6x16_avx2",
       "conv_s8_12x8_avx2"},
      {"avxvnni", "gemm_s8_6x16_avxvnni", "gemm_s8_6x16_avxvnni", "conv_s8_lines_6x16_avxvnni",
       "conv_s8_lines_6x16_avxvnni"},
      {"avxvnni,avx512vnni", "gemm_s8_6x64_avx512vnni", "gemm_s8_6x64_avx512vnni",
       "conv_s8_lines_6x64_avx512vnni", "conv_s8_lines_6x64_avx512vnni"},
      {"avxvnni,avx512vnni,amx_int8", "gemm_s8_32x32_amx_int8", "gemm_s8_6x64_avx512vnni",
       "conv_s8_lines_32x32_amx_int8", "conv_s8_32x32_amx_int8"}};
  for (const Choice& c : kChoices) {
    GemmS8Problem gemm;
    ConvS8Problem conv;
    std::string_view unknown;
    REQUIRE(parse_isa_set(c.isas, &gemm.isa, &unknown));
    conv.isa = gemm.isa;
    gemm.narrow_weights = conv.narrow_weights = true;
    gemm.m = 196;
    gemm.n = gemm.k = 256;
    check_choice(gemm_s8_rows(), gemm, c.gemm);
    gemm.m = 1;
    check_choice(gemm_s8_rows(), gemm, c.vector);
    conv.conv.kernel_h = conv.conv.kernel_w = 3;
    conv.conv.pad_top = conv.conv.pad_left = 1;
    conv.conv.in_h = conv.conv.in_w = conv.conv.out_h = conv.conv.out_w = 56;
    conv.conv.in_channels = conv.conv.out_channels = 64;
    check_choice(conv_s8_rows(), conv, c.wide);
    conv.conv.in_h = conv.conv.in_w = conv.conv.out_h = conv.conv.out_w = 14;
    conv.conv.in_channels = conv.conv.out_channels = 256;
    check_choice(conv_s8_rows(), conv, c.narrow);
  }
}

TEST_CASE("dwconv_s8: the rows that CPUs take, by name") {
  ConvS8Problem problem;
  problem.narrow_weights = true;
  ConvGeometry& c = problem.conv;
  c.groups = c.in_channels = c.out_channels = 64;
  const auto check_size = [&](size_t height, size_t width, const char* avx2, const char* vnni) {
    c.kernel_h = height;
    c.kernel_w = width;
    std::string_view unknown;
    REQUIRE(parse_isa_set("avx2", &problem.isa, &unknown));
    check_choice(dwconv_s8_rows(), problem, avx2);
    REQUIRE(parse_isa_set("avx512vnni", &problem.isa, &unknown));
    check_choice(dwconv_s8_rows(), problem, vnni);
  };
  check_size(3, 3, "dwconv_s8_3x3_4x16c_avx2", "dwconv_s8_3x3_4x64c_avx512vnni");
  check_size(5, 5, "dwconv_s8_16c_avx2", "dwconv_s8_2x64c_avx512vnni");
  c.out_channels = 8;
  check_size(3, 3, "dwconv_s8_16c_avx2", "dwconv_s8_2x64c_avx512vnni");
}

// Kernels of 3x3, stride 1; channels around the vectors, more of them than a block of U.
ConvCase random_winograd(uint64_t seed) {
  Random random(seed ^ 0x3aa3);
  ConvCase t = test::random_conv(seed);
  ConvGeometry& c = t.conv;
  const auto size = [&](size_t low, size_t high) { return random.integer<size_t>(low, high); };
  c = {};
  c.batch = size(1, 2);
  c.kernel_h = c.kernel_w = 3;
  c.in_h = size(1, 14);
  c.in_w = size(1, 14);
  c.pad_top = size(c.in_h < 3 ? 3 - c.in_h : 0, 3);
  c.pad_left = size(c.in_w < 3 ? 3 - c.in_w : 0, 3);
  c.out_h = c.in_h + c.pad_top + size(0, 2) - 2;
  c.out_w = c.in_w + c.pad_left + size(0, 2) - 2;
  c.in_channels = random.one_in(8) ? size(200, 300) : size(1, 50);
  c.out_channels = size(1, 40);
  return t;
}

TEST_CASE("winograd_s8: pictures, paddings and channels at random") {
  for (uint64_t seed = 1; seed <= test::seeds(200); ++seed) {
    check(winograd_s8_rows(), random_winograd(seed), seed);
  }
}

TEST_CASE("winograd_s8 takes sums below 2^25 and refuses larger ones") {
  ConvS8Problem problem;
  problem.isa = host_isa();
  problem.conv.kernel_h = problem.conv.kernel_w = 3;
  problem.narrow_weights = true;
  problem.weight_sum = (1u << 18) - 1;
  for (const ConvS8Row& row : winograd_s8_rows()) CHECK(row.fits(problem) == nullptr);
  problem.weight_sum = 1u << 18;
  for (const ConvS8Row& row : winograd_s8_rows()) CHECK(row.fits(problem) != nullptr);
}

TEST_CASE("winograd_s8: the largest sums that are proved") {
  // 227 channels of -128 * -128, and 128 more sums of weights: 2^25 less one step of a weight.
  ConvGeometry c;
  c.kernel_h = c.kernel_w = 3;
  c.in_h = c.in_w = 6;
  c.out_h = c.out_w = 4;
  c.in_channels = 228;
  c.out_channels = 16;
  const size_t k = 9 * c.in_channels;
  for (const int sign : {-1, 1}) {
    // sum |w| = 2^18 - 1 = 2047 * 128 + 127.
    std::vector<int8_t> w(c.out_channels * k);
    for (size_t n = 0; n < c.out_channels; ++n) {
      for (size_t i = 0; i < 2047; ++i) w[n * k + i] = sign < 0 ? -128 : 127;
      w[n * k + 2047] = static_cast<int8_t>(sign * 127);
    }
    const std::vector<int8_t> in(c.in_h * c.in_w * c.in_channels, -128);
    const float one = 1;
    WeightsS8 weights;
    weights.n = c.out_channels;
    weights.k = k;
    weights.w = w.data();
    weights.n_stride = k;
    weights.scale = &one;
    weights.scale_step = 0;
    ConvS8Problem problem;
    problem.isa = host_isa();
    problem.conv = c;
    problem.float_output = true;
    problem.narrow_weights = true;
    problem.weight_sum = largest_weight_sum_s8(weights);
    if (sign < 0) REQUIRE(problem.weight_sum == (1u << 18) - 1);
    const float expected = static_cast<float>(-128 * (sign < 0 ? -((1 << 18) - 1) : 2048 * 127));
    for (const ConvS8Row& row : winograd_s8_rows()) {
      if (!test::takes(row, problem)) continue;
      Block packed(row.kernel->packed_bytes(c, weights));
      row.kernel->pack(c, weights, 0, packed.data());
      Block scratch(row.kernel->scratch_bytes(c));
      std::vector<float> to(c.out_h * c.out_w * c.out_channels);
      ConvS8 a;
      a.conv = c;
      a.in = in.data();
      a.in_stride = c.in_channels;
      a.weights = packed.data();
      a.out.f32 = to.data();
      a.out.lo = -std::numeric_limits<float>::infinity();
      a.out.hi = std::numeric_limits<float>::infinity();
      a.out.stride = c.out_channels;
      row.kernel->run(a, 0, row.kernel->units(c), scratch.data());
      INFO(row.name);
      CHECK(to == std::vector<float>(to.size(), expected));
    }
  }
}

}  // namespace
}  // namespace medulla
