// SPDX-License-Identifier: Apache-2.0
// conv_f32 and dwconv_f32 at layers of ResNet-50, MobileNetV2, a U-Net and an ECG network, beside
// what the FMA units can do in registers.
#include "kernels/conv_f32/conv_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/util.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace medulla {
namespace {

struct Layer {
  const char* name;
  size_t h, w, in, out, kernel_h, kernel_w, stride;
};

constexpr Layer kLayers[] = {
    {"resnet_conv1", 224, 224, 3, 64, 7, 7, 2}, {"resnet_2b", 56, 56, 64, 64, 3, 3, 1},
    {"resnet_3b", 28, 28, 128, 128, 3, 3, 1},   {"resnet_4b", 14, 14, 256, 256, 3, 3, 1},
    {"resnet_5b", 7, 7, 512, 512, 3, 3, 1},     {"mobilenet_conv1", 224, 224, 3, 32, 3, 3, 2},
    {"xray_conv1", 128, 128, 1, 16, 3, 3, 1},   {"unet_16", 128, 128, 16, 16, 3, 3, 1},
    {"unet_32", 64, 64, 32, 32, 3, 3, 1},       {"ecg_conv1", 1, 256, 1, 16, 1, 7, 1},
    {"ecg_conv2", 1, 128, 16, 32, 1, 5, 1}};

constexpr Layer kDepthwise[] = {
    {"dw_112x32", 112, 112, 32, 32, 3, 3, 1},  {"dw_112x96_s2", 112, 112, 96, 96, 3, 3, 2},
    {"dw_56x144", 56, 56, 144, 144, 3, 3, 1},  {"dw_28x192", 28, 28, 192, 192, 3, 3, 1},
    {"dw_14x576", 14, 14, 576, 576, 3, 3, 1},  {"dw_7x960", 7, 7, 960, 960, 3, 3, 1},
    {"dw5_28x120", 28, 28, 120, 120, 5, 5, 1}, {"dw7_14x384", 14, 14, 384, 384, 7, 7, 1},
    {"dw_1d_64", 1, 256, 64, 64, 1, 9, 1}};

ConvGeometry geometry(const Layer& l, size_t groups) {
  ConvGeometry c;
  c.in_h = l.h;
  c.in_w = l.w;
  c.out_h = (l.h - 1) / l.stride + 1;
  c.out_w = (l.w - 1) / l.stride + 1;
  c.kernel_h = l.kernel_h;
  c.kernel_w = l.kernel_w;
  c.stride_h = l.stride;
  c.stride_w = l.stride;
  c.pad_top = l.kernel_h / 2;
  c.pad_left = l.kernel_w / 2;
  c.groups = groups;
  c.in_channels = l.in;
  c.out_channels = l.out;
  return c;
}

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
  bench::measure(state, static_cast<double>(pixels * weights_count),
                 [&] { row.kernel->run(a, 0, pixels, scratch.data()); });
}

[[maybe_unused]] const bool registered = [] {
  for (const Layer& l : kLayers) {
    for (const ConvF32Row& row : conv_f32_rows()) {
      if (!host_isa().contains(isa_needs(row.isa))) continue;
      const ConvGeometry c = geometry(l, 1);
      benchmark::RegisterBenchmark((std::string("conv_f32/") + l.name + "/" + row.name).c_str(),
                                   conv<ConvF32, ConvF32Row>, row, c,
                                   conv_f32_packed_bytes(row.kernel->nr, c), conv_f32_pack)
          ->UseManualTime();
    }
  }
  for (const Layer& l : kDepthwise) {
    for (const DwConvF32Row& row : dwconv_f32_rows()) {
      if (!host_isa().contains(isa_needs(row.isa))) continue;
      const ConvGeometry c = geometry(l, l.in);
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
