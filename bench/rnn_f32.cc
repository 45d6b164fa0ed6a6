// SPDX-License-Identifier: Apache-2.0
// Steps of rnn_f32 that follow one another, the sums over the input given, at widths of real nets.
#include "kernels/rnn_f32/rnn_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/util.h"

namespace medulla {
namespace {

constexpr size_t kSteps = 24;

void step(benchmark::State& state, const RnnF32Row& row, RnnCell cell, size_t n) {
  const size_t gates = rnn_gates(cell);
  bench::Buffer<float> r(gates * n * n), x(kSteps * gates * n), states(4 * n);
  bench::Buffer<char> packed(rnn_f32_packed_bytes(cell, row.kernel->lanes, n));
  rnn_f32_pack(cell, row.kernel->lanes, n, r.data(), nullptr, packed.data());
  float* const h[2] = {states.data(), states.data() + n};
  RnnF32Step call = {.n = n,
                     .r = packed.data(),
                     .c = states.data() + 2 * n,
                     .work = states.data() + 3 * n,
                     .bound = std::numeric_limits<float>::infinity()};
  bench::measure(state, row.isa, static_cast<double>(kSteps * gates * n * n), [&] {
    for (size_t i = 0; i < kSteps; ++i) {
      call.x = x.data() + i * gates * n;
      call.h = h[i % 2];
      call.y = h[(i + 1) % 2];
      call.down = i % 2 != 0;
      row.kernel->step[static_cast<size_t>(cell)](call);
    }
  });
}

[[maybe_unused]] const bool registered = [] {
  static constexpr const char* kCells[kRnnCellCount] = {"lstm", "gru", "gru_linear"};
  for (const RnnF32Row& row : rnn_f32_rows()) {
    if (!host_isa().contains(isa_needs(row.isa))) continue;
    for (size_t cell = 0; cell < kRnnCellCount; ++cell) {
      for (size_t n : {16, 32, 45, 64, 128, 256}) {
        const std::string name = std::string("rnn_f32/") + kCells[cell] + "/" + std::to_string(n);
        benchmark::RegisterBenchmark((name + "/" + row.name).c_str(), step, row, RnnCell(cell), n)
            ->UseManualTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
