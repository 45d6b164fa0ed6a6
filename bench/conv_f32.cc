// SPDX-License-Identifier: Apache-2.0
// conv_f32 and dwconv_f32 at the layers of layers.h, beside what the row's ISA can do in
// registers.
#include "kernels/conv_f32/conv_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/layers.h"
#include "bench/util.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla {
namespace {

template <class Args, class KernelRow>
void conv(benchmark::State& state, const KernelRow& row, const ConvGeometry& c, size_t packed_bytes,
          void (*pack)(size_t, const ConvGeometry&, const float*, const float*, void*)) {
  const size_t pixels = c.out_h * c.out_w;
  const size_t weights_count = c.out_channels * c.kernel_h * c.kernel_w * c.in_channels / c.groups;
  bench::Buffer<float> in(c.in_h * c.in_w * c.in_channels);
  bench::Buffer<float> out(pixels * c.out_channels);
  bench::Buffer<float> weights(weights_count);
  bench::Buffer<float> bias(c.out_channels);
  bench::Buffer<float> packed(packed_bytes / sizeof(float));
  pack(row.kernel->nr, c, weights.data(), bias.data(), packed.data());
  bench::Buffer<float> scratch(row.kernel->scratch_bytes(c) / sizeof(float) + 1);
  Args a;
  a.conv = c;
  a.in = in.data();
  a.in_stride = c.in_channels;
  a.weights = packed.data();
  a.out = out.data();
  a.out_stride = c.out_channels;
  a.lo = 0;
  a.hi = std::numeric_limits<float>::infinity();
  bench::measure(state, row.isa, static_cast<double>(pixels * weights_count),
                 [&] { row.kernel->run(a, 0, pixels, scratch.data()); });
}

[[maybe_unused]] const bool registered = [] {
  for (const bench::Layer& l : bench::kConvolutions) {
    for (const ConvF32Row& row : conv_f32_rows()) {
      if (!host_isa().contains(isa_needs(row.isa))) continue;
      const ConvGeometry c = bench::geometry(l, 1);
      benchmark::RegisterBenchmark((std::string("conv_f32/") + l.name + "/" + row.name).c_str(),
                                   conv<ConvF32, ConvF32Row>, row, c,
                                   conv_f32_packed_bytes(row.kernel->nr, c), conv_f32_pack)
          ->UseManualTime();
    }
  }
  for (const bench::Layer& l : bench::kDepthwise) {
    for (const DwConvF32Row& row : dwconv_f32_rows()) {
      if (!host_isa().contains(isa_needs(row.isa))) continue;
      const ConvGeometry c = bench::geometry(l, l.in);
      benchmark::RegisterBenchmark((std::string("dwconv_f32/") + l.name + "/" + row.name).c_str(),
                                   conv<DwConvF32, DwConvF32Row>, row, c,
                                   dwconv_f32_packed_bytes(row.kernel->nr, c), dwconv_f32_pack)
          ->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
