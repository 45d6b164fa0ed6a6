// SPDX-License-Identifier: Apache-2.0
// gemm_f32 at the 1x1 convolutions of ResNet-50, beside what the FMA units can do in registers.
#include "kernels/gemm_f32/gemm_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/util.h"

namespace medulla {
namespace {

struct Shape {
  size_t m, k, n;
};

void gemm(benchmark::State& state, const GemmF32Row& row, Shape s) {
  bench::Buffer<float> a(s.m * s.k);
  bench::Buffer<float> b(s.k * s.n);
  bench::Buffer<float> bias(s.n);
  bench::Buffer<float> c(s.m * s.n);
  const size_t nr = row.kernel->nr;
  bench::Buffer<float> packed(gemm_f32_packed_bytes(nr, s.n, s.k) / sizeof(float));
  gemm_f32_pack(nr, s.n, s.k, b.data(), s.n, 1, bias.data(), packed.data());
  GemmF32 g;
  g.n = s.n;
  g.k = s.k;
  g.a = a.data();
  g.lda = s.k;
  g.b = packed.data();
  g.c = c.data();
  g.ldc = s.n;
  g.lo = 0;
  g.hi = std::numeric_limits<float>::infinity();
  bench::measure(state, static_cast<double>(s.m * s.n * s.k),
                 [&] { row.kernel->run(g, 0, s.m, 0, s.n); });
}

[[maybe_unused]] const bool registered = [] {
  static constexpr Shape kShapes[] = {{3136, 64, 256}, {784, 512, 128}, {196, 1024, 256},
                                      {49, 2048, 512}, {3136, 64, 64},  {196, 256, 1024},
                                      {1, 2048, 1000}, {1, 128, 128}};
  for (const Shape& s : kShapes) {
    for (const GemmF32Row& row : gemm_f32_rows()) {
      if (!host_isa().contains(isa_needs(row.isa))) continue;
      const std::string name = "gemm_f32/" + std::to_string(s.m) + "x" + std::to_string(s.k) + "x" +
                               std::to_string(s.n) + "/" + row.name;
      benchmark::RegisterBenchmark(name.c_str(), gemm, row, s)->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
