// SPDX-License-Identifier: Apache-2.0
// The families whose kernels pass over rows or bytes once, at sizes of real layers, beside memcpy.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/util.h"
#include "kernels/add_s8/add_s8.h"
#include "kernels/batch_norm_s8/batch_norm_s8.h"
#include "kernels/layer_norm_s8/layer_norm_s8.h"
#include "kernels/lut_s8/lut_s8.h"
#include "kernels/mul_s8/mul_s8.h"
#include "kernels/norm_f32/norm_f32.h"
#include "kernels/pool_f32/pool_f32.h"
#include "kernels/pool_s8/pool_s8.h"
#include "kernels/requant_s8/requant_s8.h"
#include "kernels/sha256/sha256.h"
#include "kernels/softmax_f32/softmax_f32.h"
#include "kernels/softmax_s8/softmax_s8.h"
#include "kernels/transpose/transpose.h"

namespace medulla {
namespace {

// The pool behind ResNet-50's first convolution, and a 2x2 pool of a U-Net.
constexpr PoolGeometry kResNetPool = {.in_h = 112,
                                      .in_w = 112,
                                      .out_h = 56,
                                      .out_w = 56,
                                      .kernel_h = 3,
                                      .kernel_w = 3,
                                      .stride_h = 2,
                                      .stride_w = 2,
                                      .pad_top = 1,
                                      .pad_left = 1,
                                      .channels = 64};
constexpr PoolGeometry kUNetPool = {.in_h = 64,
                                    .in_w = 64,
                                    .out_h = 32,
                                    .out_w = 32,
                                    .kernel_h = 2,
                                    .kernel_w = 2,
                                    .stride_h = 2,
                                    .stride_w = 2,
                                    .channels = 64};
constexpr size_t kPixels = 49;  // of ResNet-50's last pool
constexpr size_t kChannels = 2048;
constexpr size_t kBytes = 25088;  // 14 * 14 * 128

template <class Rows, class Run>
void add(const std::string& name, const Rows& rows, Run run) {
  for (const auto& row : rows) {
    if (!host_isa().contains(isa_needs(row.isa))) continue;
    benchmark::RegisterBenchmark((name + "/" + row.name).c_str(), [kernel = row.kernel,
                                                                   run](benchmark::State& state) {
      run(state, *kernel);
    })->UseManualTime();
  }
}

void add_softmax(size_t rows, size_t n) {
  add("softmax_f32/" + std::to_string(rows) + "x" + std::to_string(n), softmax_f32_rows(),
      [=](benchmark::State& state, const SoftmaxF32Kernel& kernel) {
        bench::Buffer<float> x(rows * n);
        bench::Buffer<float> y(rows * n);
        SoftmaxF32 a;
        a.rows = rows;
        a.n = n;
        a.x = x.data();
        a.x_stride = n;
        a.y = y.data();
        a.y_stride = n;
        bench::measure_bytes(state, 2 * rows * n * sizeof(float), [&] { kernel.softmax(a); });
      });
}

size_t inputs(const PoolGeometry& g) { return g.in_h * g.in_w * g.channels; }
size_t outputs(const PoolGeometry& g) { return g.out_h * g.out_w * g.channels; }

void add_pools(const std::string& name, const PoolGeometry& g) {
  for (bool average : {false, true}) {
    const std::string kind = average ? "/average/" : "/max/";
    add("pool_f32" + kind + name, pool_f32_rows(),
        [=](benchmark::State& state, const PoolF32Kernel& kernel) {
          bench::Buffer<float> in(inputs(g));
          bench::Buffer<float> out(outputs(g));
          PoolF32 a;
          a.pool = g;
          a.in = in.data();
          a.in_stride = g.channels;
          a.out = out.data();
          a.out_stride = g.channels;
          bench::measure_bytes(state, (inputs(g) + outputs(g)) * sizeof(float), [&] {
            (average ? kernel.average : kernel.max)(a, 0, g.out_h * g.out_w);
          });
        });
    add("pool_s8" + kind + name, pool_s8_rows(),
        [=](benchmark::State& state, const PoolS8Kernel& kernel) {
          bench::Buffer<int8_t> in(inputs(g));
          bench::Buffer<int8_t> out(outputs(g));
          const std::vector<float> multipliers(g.kernel_h * g.kernel_w, 0.1f);
          PoolS8 a;
          a.pool = g;
          a.in = in.data();
          a.in_stride = g.channels;
          a.out = out.data();
          a.out_stride = g.channels;
          a.multipliers = multipliers.data();
          bench::measure_bytes(state, inputs(g) + outputs(g), [&] {
            (average ? kernel.average : kernel.max_s8)(a, 0, g.out_h * g.out_w);
          });
        });
  }
}

void add_mean() {
  add("pool_f32/mean/49x2048", pool_f32_rows(),
      [](benchmark::State& state, const PoolF32Kernel& kernel) {
        bench::Buffer<float> x(kPixels * kChannels);
        bench::Buffer<float> y(kChannels);
        ReduceF32 a;
        a.outer = 1;
        a.n = kPixels;
        a.inner = kChannels;
        a.x = x.data();
        a.stride = kChannels;
        a.y = y.data();
        bench::measure_bytes(state, (kPixels + 1) * kChannels * sizeof(float),
                             [&] { kernel.mean(a); });
      });
}

// The norms of a small vision transformer, of a DenseNet, and a group norm of a U-Net.
void add_norms() {
  const auto add_runs = [](const char* name, RunNormF32 p) {
    add(name, norm_f32_rows(), [=](benchmark::State& state, const NormF32Kernel& kernel) {
      bench::Buffer<float> x(p.runs * p.stride);
      bench::Buffer<float> y(p.runs * p.stride);
      bench::Buffer<float> scale(p.n);
      RunNormF32 call = p;
      call.epsilon = 1e-5f;
      call.scale = call.bias = scale.data();
      bench::measure_bytes(state, 2 * p.runs * p.n * sizeof(float),
                           [&] { kernel.runs(call, x.data(), y.data()); });
    });
  };
  add_runs("norm_f32/layer/192", {.runs = 1, .n = 192, .stride = 192});
  add_runs("norm_f32/group/1024x8", {.runs = 1024, .n = 8, .stride = 64});
  add("norm_f32/batch/196x128", norm_f32_rows(),
      [](benchmark::State& state, const NormF32Kernel& kernel) {
        bench::Buffer<float> x(kBytes);
        bench::Buffer<float> y(kBytes);
        bench::Buffer<float> constants(128);
        BatchNormF32 p;
        p.n = p.x_stride = p.y_stride = 128;
        p.mean = p.k = p.bias = constants.data();
        bench::measure_bytes(state, 2 * kBytes * sizeof(float),
                             [&] { kernel.batch(p, x.data(), y.data(), 196); });
      });
}

void add_rows() {
  add("add_s8/25088", add_s8_rows(), [](benchmark::State& state, const AddS8Kernel& kernel) {
    bench::Buffer<int8_t> a(kBytes);
    bench::Buffer<int8_t> b(kBytes);
    bench::Buffer<int8_t> y(kBytes);
    AddS8 p;
    p.k_a = 0.7f;
    p.k_b = 0.4f;
    bench::measure_bytes(state, 3 * kBytes,
                         [&] { kernel.add(p, a.data(), b.data(), y.data(), kBytes); });
  });
  add("mul_s8/25088", mul_s8_rows(), [](benchmark::State& state, const MulS8Kernel& kernel) {
    bench::Buffer<int8_t> a(kBytes);
    bench::Buffer<int8_t> b(kBytes);
    bench::Buffer<int8_t> y(kBytes);
    MulS8 p;
    p.k = 0.01f;
    bench::measure_bytes(state, 3 * kBytes,
                         [&] { kernel.mul(p, a.data(), b.data(), y.data(), kBytes); });
  });
  add("batch_norm_s8/196x128", batch_norm_s8_rows(),
      [](benchmark::State& state, const BatchNormS8Kernel& kernel) {
        bench::Buffer<int8_t> x(kBytes);
        bench::Buffer<int8_t> y(kBytes);
        bench::Buffer<float> constants(2 * 128);
        BatchNormS8 p;
        p.n = 128;
        p.multiplier = constants.data();
        p.bias = constants.data() + 128;
        bench::measure_bytes(state, 2 * kBytes, [&] { kernel.run(p, x.data(), y.data(), 196); });
      });
  add("lut_s8/25088", lut_s8_rows(), [](benchmark::State& state, const LutS8Kernel& kernel) {
    bench::Buffer<int8_t> table(256);
    bench::Buffer<int8_t> x(kBytes);
    bench::Buffer<int8_t> y(kBytes);
    bench::measure_bytes(state, 2 * kBytes,
                         [&] { kernel.look_up(table.data(), x.data(), y.data(), kBytes); });
  });
  add("quantize/25088", requant_s8_rows(),
      [](benchmark::State& state, const RequantS8Kernel& kernel) {
        bench::Buffer<float> x(kBytes);
        bench::Buffer<int8_t> y(kBytes);
        QuantizedS8 q;
        q.scale = 0.01f;
        bench::measure_bytes(state, 5 * kBytes,
                             [&] { kernel.quantize(q, x.data(), y.data(), kBytes); });
      });
  add("dequantize/25088", requant_s8_rows(),
      [](benchmark::State& state, const RequantS8Kernel& kernel) {
        bench::Buffer<int8_t> x(kBytes);
        bench::Buffer<float> y(kBytes);
        QuantizedS8 q;
        q.scale = 0.01f;
        bench::measure_bytes(state, 5 * kBytes,
                             [&] { kernel.dequantize(q, x.data(), y.data(), kBytes); });
      });
}

// The attention and the norms of a small vision transformer, as integers.
void add_transformer_rows() {
  constexpr size_t kTokens = 197;
  constexpr size_t kWidth = 192;
  add("softmax_s8/197x197", softmax_s8_rows(),
      [](benchmark::State& state, const SoftmaxS8Kernel& kernel) {
        constexpr size_t kAll = kTokens * kTokens;
        bench::Buffer<int8_t> x(kAll);
        bench::Buffer<int8_t> y(kAll);
        std::vector<uint32_t> table(256);
        for (uint32_t i = 0; i < 256; ++i) table[i] = (1u << 23) / (i + 1);
        SoftmaxS8 p;
        p.n = kTokens;
        p.table = table.data();
        p.inverse_scale = 256;
        p.zero_point = -128;
        bench::measure_bytes(state, 2 * kAll, [&] { kernel.run(p, x.data(), y.data(), kTokens); });
      });
  add("layer_norm_s8/197x192", layer_norm_s8_rows(),
      [](benchmark::State& state, const LayerNormS8Kernel& kernel) {
        constexpr size_t kAll = kTokens * kWidth;
        bench::Buffer<int8_t> x(kAll);
        bench::Buffer<int8_t> y(kAll);
        bench::Buffer<float> scale(kWidth);
        bench::Buffer<float> bias(kWidth);
        LayerNormS8 p;
        p.n = kWidth;
        p.epsilon = 1e-3;
        p.scale = scale.data();
        p.bias = bias.data();
        bench::measure_bytes(state, 2 * kAll, [&] { kernel.run(p, x.data(), y.data(), kTokens); });
      });
  for (size_t log = 0; log < 4; ++log) {
    add("transpose/" + std::to_string(8u << log) + "bit/197x192", transpose_rows(),
        [log](benchmark::State& state, const TransposeKernel& kernel) {
          const size_t bytes = (kTokens * kWidth) << log;
          bench::Buffer<char> x(bytes);
          bench::Buffer<char> y(bytes);
          Transpose t;
          t.rows = t.y_stride = kTokens;
          t.columns = t.x_stride = kWidth;
          t.x = x.data();
          t.y = y.data();
          bench::measure_bytes(state, 2 * bytes, [&] { kernel.run[log](t); });
        });
  }
}

// A file's digest; memcpy reads half of the bytes and writes the other.
void add_digest() {
  add("sha256/1MB", sha256_rows(), [](benchmark::State& state, const Sha256Kernel& kernel) {
    constexpr size_t kFile = size_t{1} << 20;
    bench::Buffer<uint8_t> file(kFile);
    bench::Buffer<uint32_t> digest(8);
    bench::measure_bytes(state, kFile,
                         [&] { kernel.run(digest.data(), file.data(), kFile / kSha256Block); });
  });
}

[[maybe_unused]] const bool registered = [] {
  add_softmax(1, 1000);
  add_softmax(197, 197);
  add_softmax(1, 5);
  add_pools("resnet", kResNetPool);
  add_pools("unet", kUNetPool);
  add_mean();
  add_norms();
  add_rows();
  add_transformer_rows();
  add_digest();
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
