// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_BENCH_UTIL_H_
#define MEDULLA_BENCH_UTIL_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <type_traits>

#include "bench/peak.h"

namespace medulla::bench {

// Random elements, aligned to 64 bytes.
template <class T>
class Buffer {
 public:
  explicit Buffer(size_t count) {
    const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
    data_.reset(static_cast<T*>(std::aligned_alloc(64, std::max<size_t>(bytes, 64))));
    std::mt19937 random(1);
    for (size_t i = 0; i < count; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        data_.get()[i] = std::uniform_real_distribution<T>(-1, 1)(random);
      } else {
        data_.get()[i] = static_cast<T>(random());
      }
    }
  }
  T* data() { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
};

inline double seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Times `call`, a kernel for `isa` that does `macs` multiply-adds, in turn with a loop of float32
// that keeps the multipliers busy from registers, as wide as that ISA's vectors, and reports the
// best of both (GMAC/s) and how much of the second the first is: that holds on a machine whose
// speed changes under other work. Where it is known how many times those float32 multiply-adds the
// kernel's instructions allow at best, `bound`, also the share of that.
template <class Call>
void measure(benchmark::State& state, Isa isa, double macs, Call&& call, double bound = 0) {
  double best = std::numeric_limits<double>::infinity();
  double best_peak = 0;
  for (auto _ : state) {
    const double begin = seconds();
    call();
    const double end = seconds();
    state.SetIterationTime(end - begin);
    best = std::min(best, end - begin);
    const double peak_macs = spin(isa);
    best_peak = std::max(best_peak, peak_macs / (seconds() - end));
  }
  state.counters["GMAC/s"] = macs / best * 1e-9;
  state.counters["peak"] = best_peak * 1e-9;
  state.counters["of_peak"] = macs / best / best_peak;
  if (bound > 0) {
    state.counters["bound"] = best_peak * bound * 1e-9;
    state.counters["of_bound"] = macs / best / (best_peak * bound);
  }
}

// Times `call`, which reads and writes `bytes` in all, in turn with a memcpy that moves as many,
// and reports the best of both (GB/s) and how much of the second the first is.
template <class Call>
void measure_bytes(benchmark::State& state, size_t bytes, Call&& call) {
  Buffer<char> from(bytes / 2);
  Buffer<char> to(bytes / 2);
  double best = std::numeric_limits<double>::infinity();
  double best_copy = best;
  for (auto _ : state) {
    const double begin = seconds();
    call();
    const double end = seconds();
    state.SetIterationTime(end - begin);
    best = std::min(best, end - begin);
    std::memcpy(to.data(), from.data(), bytes / 2);
    benchmark::ClobberMemory();
    best_copy = std::min(best_copy, seconds() - end);
  }
  state.counters["GB/s"] = static_cast<double>(bytes) / best * 1e-9;
  state.counters["memcpy"] = static_cast<double>(bytes) / best_copy * 1e-9;
  state.counters["of_memcpy"] = best_copy / best;
}

}  // namespace medulla::bench

#endif  // MEDULLA_BENCH_UTIL_H_
