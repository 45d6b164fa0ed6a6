// SPDX-License-Identifier: Apache-2.0
// gemm_f32 at the 1x1 convolutions of ResNet-50, beside what the row's ISA can do in registers.
#include "kernels/gemm_f32/gemm_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/layers.h"
#include "bench/util.h"

namespace medulla {
namespace {

void gemm(benchmark::State& state, const GemmF32Row& row, bench::Product s) {
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
  bench::measure(state, row.isa, static_cast<double>(s.m * s.n * s.k),
                 [&] { row.kernel->run(g, 0, s.m, 0, s.n); });
}

[[maybe_unused]] const bool registered = [] {
  for (const bench::Product& s : bench::kProducts) {
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
