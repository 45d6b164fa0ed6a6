// SPDX-License-Identifier: Apache-2.0
// gemm_s8, conv_s8, dwconv_s8, and conv_s16 of int16 inputs, at the shapes of layers.h, beside what
// float32 of the same ISA does in registers: of_peak is how many times that; of_bound is the share
// of what the instructions of a depthwise row allow.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/layers.h"
#include "bench/util.h"
#include "kernels/conv_s16/conv_s16.h"
#include "kernels/conv_s8/conv_s8.h"
#include "kernels/dwconv_s8/dwconv_s8.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/winograd_s8/winograd_s8.h"

namespace medulla {
namespace {

// Weights, and an output of `size` elements with the parameters of the tensor that follows.
struct Layer {
  bench::Buffer<int8_t> w;
  bench::Buffer<int32_t> bias;
  bench::Buffer<int8_t> to;
  float scale = 1e-3f;
  WeightsS8 weights;
  OutputS8 out;

  Layer(size_t n, size_t k, size_t size) : w(n * k), bias(n), to(size) {
    // As trained weights are distributed, each channel scaled to its largest.
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> channel(k);
    for (size_t i = 0; i < n; ++i) {
      float most = 0;
      for (float& x : channel) most = std::max(most, std::fabs(x = normal(random)));
      for (size_t j = 0; j < k; ++j) {
        w.data()[i * k + j] = static_cast<int8_t>(std::lrint(channel[j] / most * 127));
      }
    }
    weights.n = n;
    weights.k = k;
    weights.w = w.data();
    weights.n_stride = k;
    weights.scale = &scale;
    weights.scale_step = 0;
    out.s8 = to.data();
    out.stride = n;
  }
};

void gemm(benchmark::State& state, const GemmS8Row& row, bench::Product s) {
  bench::Buffer<int8_t> a(s.m * s.k);
  Layer layer(s.n, s.k, s.m * s.n);
  bench::Buffer<int8_t> packed(row.kernel->packed_bytes(layer.weights));
  row.kernel->pack(layer.weights, 0, packed.data());
  bench::Buffer<int8_t> scratch(row.kernel->scratch_bytes(s.k));
  GemmS8 g;
  g.n = s.n;
  g.k = s.k;
  g.a = a.data();
  g.lda = s.k;
  g.b = packed.data();
  g.c = layer.out;
  bench::measure(state, row.isa, static_cast<double>(s.m * s.n * s.k),
                 [&] { row.kernel->run(g, 0, s.m, 0, s.n, scratch.data()); });
}

// What a 3x3 row of dwconv_s8 does for `outputs` times `channels`, as its file counts.
struct Work {
  std::string_view row;
  size_t stride;
  double outputs, channels, lanes;  // lanes of float32
  double multiplications;
  double loads, stores;
  double instructions;  // on vectors, those included
};
constexpr Work kWork[] = {{"dwconv_s8_3x3_4x64c_avx512vnni", 1, 4, 64, 16, 64, 52, 4, 148},
                          {"dwconv_s8_3x3_4x64c_avx512vnni", 2, 2, 64, 16, 32, 40, 2, 110},
                          {"dwconv_s8_3x3_4x16c_avx2", 1, 4, 16, 8, 48, 53, 4, 158},
                          {"dwconv_s8_3x3_4x16c_avx2", 2, 4, 16, 8, 48, 63, 4, 178}};

// The most products for each fused multiply-add in registers: in the time of one a CPU does another
// multiplication, a load, half a store or two instructions on vectors. 0 where nothing was counted.
double bound_of(const ConvS8Row& row, const ConvGeometry& c) {
  for (const Work& w : kWork) {
    if (w.row != row.name || w.stride != c.stride_w) continue;
    const double time = std::max({w.multiplications, w.loads + 2 * w.stores, w.instructions / 2});
    return 9 * w.outputs * w.channels / w.lanes / time;
  }
  return 0;
}

void conv(benchmark::State& state, const ConvS8Row& row, const ConvGeometry& c) {
  const size_t pixels = c.out_h * c.out_w;
  const size_t k = c.kernel_h * c.kernel_w * c.in_channels / c.groups;
  bench::Buffer<int8_t> in(c.in_h * c.in_w * c.in_channels);
  Layer layer(c.out_channels, k, pixels * c.out_channels);
  bench::Buffer<int8_t> packed(row.kernel->packed_bytes(c, layer.weights));
  row.kernel->pack(c, layer.weights, 0, packed.data());
  bench::Buffer<int8_t> scratch(row.kernel->scratch_bytes(c));
  ConvS8 a;
  a.conv = c;
  a.in = in.data();
  a.in_stride = c.in_channels;
  a.weights = packed.data();
  a.out = layer.out;
  bench::measure(
      state, row.isa, static_cast<double>(pixels * c.out_channels * k),
      [&] { row.kernel->run(a, 0, row.kernel->units(c), scratch.data()); }, bound_of(row, c));
}

void conv_s16(benchmark::State& state, const ConvS16Row& row, const ConvGeometry& c) {
  const size_t pixels = c.out_h * c.out_w;
  const size_t k = c.kernel_h * c.kernel_w * c.in_channels / c.groups;
  bench::Buffer<int16_t> in(c.in_h * c.in_w * c.in_channels);
  bench::Buffer<int16_t> to(pixels * c.out_channels);
  const Layer layer(c.out_channels, k, 1);
  const std::vector<double> scales(c.out_channels, 1e-3);
  const WeightsS16 weights = {layer.weights, nullptr, scales.data()};
  bench::Buffer<int8_t> packed(row.kernel->packed_bytes(c));
  row.kernel->pack(c, weights, 0, packed.data());
  bench::Buffer<int8_t> scratch(row.kernel->scratch_bytes(c));
  ConvS16 a;
  a.conv = c;
  a.in = in.data();
  a.in_stride = c.in_channels;
  a.weights = packed.data();
  a.out = to.data();
  a.out_stride = c.out_channels;
  bench::measure(state, row.isa, static_cast<double>(pixels * c.out_channels * k),
                 [&] { row.kernel->run(a, 0, pixels, scratch.data()); });
}

template <class KernelRow, class Function, class Problem>
void add(const std::string& name, Function* function, std::span<const KernelRow> rows,
         const Problem& problem) {
  for (const KernelRow& row : rows) {
    if (!host_isa().contains(isa_needs(row.isa))) continue;
    benchmark::RegisterBenchmark((name + "/" + row.name).c_str(), function, row, problem)
        ->UseManualTime();
  }
}

void add_products(std::span<const bench::Product> products) {
  for (const bench::Product& p : products) {
    const std::string shape =
        std::to_string(p.m) + "x" + std::to_string(p.k) + "x" + std::to_string(p.n);
    add("gemm_s8/" + shape, gemm, gemm_s8_rows(), p);
  }
}

void add_convolutions(std::span<const bench::Layer> layers) {
  for (const bench::Layer& l : layers) {
    const ConvGeometry c = bench::geometry(l, 1);
    add(std::string("conv_s8/") + l.name, conv, conv_s8_rows(), c);
    add(std::string("conv_s16/") + l.name, conv_s16, conv_s16_rows(), c);
    if (winograd_s8_pays(Isa::avx2, c)) {
      add(std::string("winograd_s8/") + l.name, conv, winograd_s8_rows(), c);
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  add_products(bench::kProducts);
  add_products(bench::kPrunedProducts);
  add_convolutions(bench::kConvolutions);
  add_convolutions(bench::kPruned);
  for (const bench::Layer& l : bench::kDepthwise) {
    ConvS8Problem problem;
    problem.conv = bench::geometry(l, l.in);
    problem.narrow_weights = true;
    add(std::string("conv_s16/depthwise_") + l.name, conv_s16, conv_s16_rows(), problem.conv);
    for (const ConvS8Row& row : dwconv_s8_rows()) {
      if (row.fits(problem) != nullptr) continue;
      add(std::string("dwconv_s8/") + l.name, conv, std::span(&row, 1), problem.conv);
    }
  }
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
