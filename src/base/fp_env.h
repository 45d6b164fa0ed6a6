// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that numbers are specified in (docs/numerics.md): nearest even,
// nothing traps, subnormals count as zero.
#ifndef MEDULLA_SRC_BASE_FP_ENV_H_
#define MEDULLA_SRC_BASE_FP_ENV_H_

#include <cstdint>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace medulla {

// Sets the environment of the calling thread, and puts the old one back at its end.
class FloatEnvironment {
 public:
  FloatEnvironment() : saved_(read()) { write(kSpecified); }
  ~FloatEnvironment() { write(saved_); }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__SSE__)
  using Word = uint32_t;
  static constexpr Word kSpecified = 0x9FC0;  // FTZ, DAZ, all exceptions masked
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = uint64_t;
  static constexpr Word kSpecified = Word{1} << 24;  // FZ
  static Word read() {
    Word word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { __asm__ volatile("msr fpcr, %0" : : "r"(word)); }
#elif defined(__ARM_FP)
  using Word = uint32_t;
  static constexpr Word kSpecified = Word{1} << 24;  // FZ
  static Word read() {
    Word word;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(word));
    return word;
  }
  static void write(Word word) { __asm__ volatile("vmsr fpscr, %0" : : "r"(word)); }
#else
#error "how to flush subnormals on this CPU is not known"
#endif

  Word saved_;
};

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_FP_ENV_H_
