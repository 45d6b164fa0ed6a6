// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_KERNELS_UTIL_H_
#define MEDULLA_TESTS_KERNELS_UTIL_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <set>
#include <span>
#include <string>
#include <type_traits>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#include "kernels/row.h"

// What the tests of all kernel families share.
namespace medulla::test {

// How many random problems a test takes: fewer in the emulator, which is some hundred times slower.
constexpr uint64_t seeds(uint64_t count) {
#if defined(MEDULLA_EMULATED)
  return count / 16;
#else
  return count;
#endif
}

// The rows that a case has run.
inline std::set<std::string> rows_run;

// Whether `row` takes `problem`, which is run then.
template <class Kernel, class Problem>
bool takes(const Row<Kernel, Problem>& row, const Problem& problem) {
  if (row_refusal(row, problem) != nullptr) return false;
  rows_run.insert(row.name);
  return true;
}

// `count` elements between two pages that may not be touched: at the end of the room by default,
// so that reading one byte too far faults; at its beginning if `at_front`. Filled with 0xAA.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t count, bool at_front = false) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t room = (count * sizeof(T) + page) / page * page;
    size_ = room + 2 * page;
    map_ =
        static_cast<uint8_t*>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (map_ == MAP_FAILED || mprotect(map_ + page, room, PROT_READ | PROT_WRITE) != 0) {
      throw std::bad_alloc();
    }
    uint8_t* const first = map_ + page + (at_front ? 0 : room - count * sizeof(T));
    data_ = reinterpret_cast<T*>(first);
    std::memset(map_ + page, 0xAA, room);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(map_, size_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return count_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  operator std::span<T>() { return {data_, count_}; }

 private:
  size_t count_;
  size_t size_ = 0;
  uint8_t* map_ = nullptr;
  T* data_ = nullptr;
};

// Packed weights and scratch: aligned to 64 bytes and ending at a page that may not be touched.
class Block {
 public:
  explicit Block(size_t bytes) : bytes_((bytes + 63) / 64 * 64) {}
  void* data() { return bytes_.data(); }

 private:
  Guarded<uint8_t> bytes_;
};

// While it lives, the floating-point state is the one that `run` sets: subnormals count as zero.
class RunState {
 public:
#if defined(__x86_64__) || defined(__i386__)
  RunState() : saved_(_mm_getcsr()) { _mm_setcsr(0x9FC0); }
  ~RunState() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  RunState() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(uint64_t{1} << 24));
  }
  ~RunState() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  uint64_t saved_ = 0;
#endif
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;
};

// A generator that a failure message can name.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // Uniform in [low, high].
  template <class T>
  T integer(T low, T high) {
    using Wide = std::conditional_t<std::is_unsigned_v<T>, uint64_t, int64_t>;
    return static_cast<T>(std::uniform_int_distribution<Wide>(static_cast<Wide>(low),
                                                              static_cast<Wide>(high))(engine_));
  }
  float real(float low = -1, float high = 1) {
    return std::uniform_real_distribution<float>(low, high)(engine_);
  }
  bool one_in(int n) { return integer(1, n) == 1; }

  void fill(std::span<float> values, float low = -1, float high = 1) {
    for (float& v : values) v = real(low, high);
  }
  // One value in 16 is one that goes wrong most easily.
  void fill_extreme(std::span<float> values) {
    using Limits = std::numeric_limits<float>;
    static constexpr float kSpecial[] = {0.0f,
                                         -0.0f,
                                         Limits::infinity(),
                                         -Limits::infinity(),
                                         Limits::quiet_NaN(),
                                         Limits::denorm_min(),
                                         -Limits::min() / 2,
                                         Limits::min(),
                                         Limits::max(),
                                         Limits::lowest(),
                                         Limits::epsilon(),
                                         1.0f};
    for (float& v : values) v = one_in(16) ? kSpecial[integer(0, 11)] : real();
  }
  template <class T>
  requires std::is_integral_v<T>
  void fill(std::span<T> values, T low = std::numeric_limits<T>::min(),
            T high = std::numeric_limits<T>::max()) {
    for (T& v : values) v = integer(low, high);
  }

 private:
  std::mt19937_64 engine_;
};

inline bool same(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}
template <class T>
requires std::is_integral_v<T>
bool same(T a, T b) { return a == b; }

// Empty if all elements have equal bytes (any NaN equals any other), else the first that differ.
template <class T>
std::string difference(std::span<const T> actual, std::span<const T> expected) {
  if (actual.size() != expected.size()) return "sizes differ";
  for (size_t i = 0; i < actual.size(); ++i) {
    if (same(actual[i], expected[i])) continue;
    char text[96];
    std::snprintf(text, sizeof text, "[%zu of %zu] is %.9g, expected %.9g", i, actual.size(),
                  static_cast<double>(actual[i]), static_cast<double>(expected[i]));
    return text;
  }
  return {};
}
template <class T>
std::string difference(const Guarded<T>& actual, const Guarded<T>& expected) {
  return difference(std::span<const T>(actual.data(), actual.size()),
                    std::span<const T>(expected.data(), expected.size()));
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_KERNELS_UTIL_H_
