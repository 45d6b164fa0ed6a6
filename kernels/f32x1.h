// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_F32X1_H_
#define MEDULLA_KERNELS_F32X1_H_

#include <cstddef>
#include <cstdint>

// A vector of one float: what portable rows are made of. The header of an ISA has a vector type
// with the same functions, and code that is a template over the vector type V gives equal bytes
// with each of them: every function below is one IEEE operation or moves bits. They assume the
// floating-point state of `run`, in which subnormals count as zero.
//
// Vector types are unnamed to the linker: every file has its own, compiled for its ISA. So that
// none exports a weak symbol, builtins stand for the inline functions of std::.
namespace medulla {
namespace {

struct F32x1 {
  float v;

  using Mask = bool;
  static constexpr size_t kWidth = 1;

  static F32x1 all(float x) { return {x}; }
  static F32x1 load(const float* p) { return {*p}; }
  void store(float* p) const { *p = v; }
  // The first `count` lanes, count < kWidth; the others are +0, and their memory is not touched.
  static F32x1 load_part(const float*, size_t) { return {0}; }
  void store_part(float*, size_t) const {}
  F32x1 part(size_t) const { return *this; }  // with the lanes from `count` on +0

  // INT8 as exact floats; stored are integers of -128 to 127. Each byte is XORed with `flip`: 0, or
  // 0x80 for uint8, which stands 128 above.
  static F32x1 load_s8(const int8_t* p, uint8_t flip) {
    return {static_cast<float>(static_cast<int8_t>(static_cast<uint8_t>(*p) ^ flip))};
  }
  void store_s8(int8_t* p, uint8_t flip) const {
    *p = static_cast<int8_t>(static_cast<uint8_t>(static_cast<int8_t>(v)) ^ flip);
  }
  // kBatch vectors, |t| < 2^22, rounded to integers; with `zero_point` added they are in -128 to
  // 127.
  static constexpr size_t kBatch = 1;
  static void store_rounded_s8(const F32x1 (&t)[kBatch], float zero_point, int8_t* p, uint8_t flip);
  static F32x1 load_s8_part(const int8_t*, uint8_t, size_t) { return {0}; }
  void store_s8_part(int8_t*, uint8_t, size_t) const {}
};

inline F32x1 operator+(F32x1 a, F32x1 b) { return {a.v + b.v}; }
inline F32x1 operator-(F32x1 a, F32x1 b) { return {a.v - b.v}; }
inline F32x1 operator*(F32x1 a, F32x1 b) { return {a.v * b.v}; }
inline F32x1 operator/(F32x1 a, F32x1 b) { return {a.v / b.v}; }
inline F32x1 operator-(F32x1 a) { return {-a.v}; }
inline F32x1 fma(F32x1 a, F32x1 b, F32x1 c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
inline F32x1 sqrt(F32x1 a) { return {__builtin_sqrtf(a.v)}; }
inline F32x1 abs(F32x1 a) { return {__builtin_fabsf(a.v)}; }
inline F32x1 copysign(F32x1 a, F32x1 sign) { return {__builtin_copysignf(a.v, sign.v)}; }

// False where either is NaN.
inline bool operator<(F32x1 a, F32x1 b) { return a.v < b.v; }
inline bool operator<=(F32x1 a, F32x1 b) { return a.v <= b.v; }
inline bool is_nan(F32x1 a) { return a.v != a.v; }
inline F32x1 select(bool mask, F32x1 yes, F32x1 no) { return mask ? yes : no; }

inline uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// x86's maxps and minps: b where a and b are equal or either is NaN; a subnormal becomes a zero of
// its sign, which is written out here because a compiler may or may not use those instructions.
inline float flush(float x) {
  return (bits_of(x) & 0x7F800000u) == 0 ? float_of(bits_of(x) & 0x80000000u) : x;
}
inline F32x1 max(F32x1 a, F32x1 b) {
  const float x = flush(a.v);
  const float y = flush(b.v);
  return {x > y ? x : y};
}
inline F32x1 min(F32x1 a, F32x1 b) {
  const float x = flush(a.v);
  const float y = flush(b.v);
  return {x < y ? x : y};
}

constexpr float kInfinityF32 = __builtin_inff();

// kRoundF32 + x is kRoundF32 + rne(x) for |x| <= 2^22, and its lowest bits are that integer's.
constexpr float kRoundF32 = 12582912.0f;  // 1.5 * 2^23

inline void F32x1::store_rounded_s8(const F32x1 (&t)[kBatch], float zero_point, int8_t* p,
                                    uint8_t flip) {
  F32x1{t[0].v + kRoundF32 - kRoundF32 + zero_point}.store_s8(p, flip);
}

// x * 2^n where t = kRoundF32 + n, by adding n to the exponent: x and the result must be normal,
// else the result means nothing.
inline F32x1 scale_exponent(F32x1 x, F32x1 t) {
  return {float_of(bits_of(x.v) + (bits_of(t.v) << 23))};
}

// x = 2^e * m, e an integer, sqrt(1/2) <= m < sqrt(2); x must be positive and normal.
constexpr uint32_t kSqrtHalfBits = 0x3F3504F3;  // sqrt(1/2), rounded down
inline F32x1 log_exponent(F32x1 x) {
  return {static_cast<float>(static_cast<int32_t>(bits_of(x.v) - kSqrtHalfBits) >> 23)};
}
inline F32x1 log_mantissa(F32x1 x) {
  return {float_of(((bits_of(x.v) - kSqrtHalfBits) & 0x7FFFFFu) + kSqrtHalfBits)};
}

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_F32X1_H_
