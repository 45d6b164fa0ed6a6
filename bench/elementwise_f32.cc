// SPDX-License-Identifier: Apache-2.0
// elementwise_f32 on a row that stays in L1 and repeats often enough to be timed, beside memcpy.
#include "kernels/elementwise_f32/elementwise_f32.h"

#include <benchmark/benchmark.h>

#include <limits>
#include <string>

#include "bench/util.h"

namespace medulla {
namespace {

constexpr size_t kCount = 2048;
constexpr int kRepeats = 16;
constexpr float kInf = std::numeric_limits<float>::infinity();

void unary(benchmark::State& state, const ElementwiseF32Row& row, UnaryF32 f) {
  bench::Buffer<float> x(kCount);
  bench::Buffer<float> y(kCount);
  bench::measure_bytes(state, kRepeats * 2 * kCount * sizeof(float), [&] {
    for (int i = 0; i < kRepeats; ++i) {
      row.kernel->unary[static_cast<size_t>(f)](x.data(), y.data(), kCount, 0, 1);
    }
  });
}

void binary(benchmark::State& state, const ElementwiseF32Row& row, BinaryF32 f) {
  bench::Buffer<float> a(kCount);
  bench::Buffer<float> b(kCount);
  bench::Buffer<float> y(kCount);
  bench::measure_bytes(state, kRepeats * 3 * kCount * sizeof(float), [&] {
    for (int i = 0; i < kRepeats; ++i) {
      row.kernel->binary[static_cast<size_t>(f)][0](a.data(), b.data(), y.data(), kCount, -kInf,
                                                    kInf);
    }
  });
}

[[maybe_unused]] const bool registered = [] {
  static constexpr const char* kUnary[] = {
      "abs",     "neg",          "reciprocal", "sqrt",       "exp",     "log",  "erf",
      "sigmoid", "tanh",         "clip",       "leaky_relu", "elu",     "gelu", "gelu_tanh",
      "swish",   "hard_sigmoid", "hard_swish", "softplus",   "softsign"};
  static_assert(std::size(kUnary) == kUnaryF32Count);
  static constexpr const char* kBinary[kBinaryF32Count] = {"add", "sub", "mul",
                                                           "div", "max", "min"};
  for (const ElementwiseF32Row& row : elementwise_f32_rows()) {
    if (!host_isa().contains(isa_needs(row.isa))) continue;
    const auto name = [&](const char* function) {
      return std::string("elementwise_f32/") + function + "/" + row.name;
    };
    for (size_t f = 0; f < kUnaryF32Count; ++f) {
      benchmark::RegisterBenchmark(name(kUnary[f]).c_str(), unary, row, UnaryF32(f))
          ->UseManualTime();
    }
    for (size_t f = 0; f < kBinaryF32Count; ++f) {
      benchmark::RegisterBenchmark(name(kBinary[f]).c_str(), binary, row, BinaryF32(f))
          ->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace medulla

BENCHMARK_MAIN();
