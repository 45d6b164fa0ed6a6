// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ELEMENTWISE_F32_FUNCTIONS_H_
#define MEDULLA_KERNELS_ELEMENTWISE_F32_FUNCTIONS_H_

#include "kernels/f32x1.h"

// The functions of one float, each one sequence of IEEE operations, written once over the vector
// type V (f32x1.h): a row gives the same bytes for a value wherever it stands and on every ISA.
//
// Polynomials are minimax fits of ours: Remez exchange on 3001 Chebyshev points in binary64 against
// 40-digit values, relative error of the whole function; coefficients rounded to binary32, then
// moved by single ulps, two at a time, while the largest error fell. The rational function of
// normal_tail is a least-squares fit with Lawson's weights in 50 digits. Errors are in
// ulps of the result: the largest over every float of magnitude 2^-14 to 2^8 and every 509th other.
namespace medulla::functions {

// fma(...fma(c[0], x, c[1])..., x, c[n - 1]).
template <class V, size_t n>
static inline V horner(V x, const float (&c)[n]) {
  V y = V::all(c[0]);
#pragma GCC unroll 16
  for (size_t i = 1; i < n; ++i) y = fma(y, x, V::all(c[i]));
  return y;
}

// x = n ln 2 + r with n = rne(x / ln 2), |x| < 2^15: returns r, and kRoundF32 + n in *t. ln 2 is
// split in two floats; the first step is exact.
template <class V>
static inline V reduce_exp(V x, V* t) {
  *t = fma(x, V::all(0x1.715476p0f), V::all(kRoundF32));
  const V n = *t - V::all(kRoundF32);
  const V r = fma(n, V::all(-0x1.62e43p-1f), x);
  return fma(n, V::all(0x1.05c61p-29f), r);
}

// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, such that e^r comes out within 2^-28.2.
constexpr float kExpTail[] = {0x1.6a2408p-10f, 0x1.1239ccp-7f, 0x1.5558d2p-5f, 0x1.555492p-3f,
                              0x1.fffffcp-2f};

// e^x within 0.9 ulp; 0 below ln 2^-126, infinite above ln of the greatest float.
template <class V>
static inline V exp(V x) {
  V t;
  const V r = reduce_exp(x, &t);
  V y = fma(horner(r, kExpTail), r, V::all(1));
  y = scale_exponent(fma(y, r, V::all(1)), t);
  y = select(x < V::all(-0x1.5d589ep6f), V::all(0), y);
  return select(x <= V::all(0x1.62e42ep6f), y, x + V::all(kInfinityF32));
}

// e^x - 1 for -25 <= x <= 80.
template <class V>
static inline V expm1(V x) {
  V t;
  const V r = reduce_exp(x, &t);
  const V y = fma(horner(r, kExpTail), r * r, r);  // e^r - 1
  const V power = scale_exponent(V::all(1), t);
  return fma(power, y, power - V::all(1));
}

// ln(1 + f) + e ln 2 for sqrt(1/2) - 1 <= f <= sqrt(2) - 1, e an integer.
template <class V>
static inline V log_sum(V f, V e) {
  constexpr float kTail[] = {-0x1.38b5c4p-4f, 0x1.055baap-3f, -0x1.0d858ap-3f, 0x1.22da4ep-3f,
                             -0x1.54725ep-3f, 0x1.99a00cp-3f, -0x1.000226p-2f, 0x1.555554p-2f};
  const V square = f * f;
  V y = square * f * horner(f, kTail);
  y = fma(e, V::all(-0x1.05c61p-29f), y);
  y = fma(V::all(-0.5f), square, y);
  return fma(e, V::all(0x1.62e43p-1f), f + y);
}

// ln x within 0.9 ulp; -inf at zero, NaN below.
template <class V>
static inline V log(V x) {
  constexpr float kNormal = 0x1p-126f;
  V y = log_sum(log_mantissa(x) - V::all(1), log_exponent(x));
  y = select(x < V::all(kNormal), V::all(-kInfinityF32), y);
  y = select(x <= V::all(-kNormal), V::all(__builtin_nanf("")), y);
  return select(x < V::all(kInfinityF32), y, x);
}

// 1 / (1 + e^-x) within 2.5 ulp.
template <class V>
static inline V sigmoid(V x) {
  return V::all(1) / (V::all(1) + exp(-x));
}

// With u = e^2|x| - 1: u / (u + 2) with the sign of x, within 2.7 ulp.
template <class V>
static inline V tanh(V x) {
  const V a = min(V::all(9.5f), abs(x));
  const V u = expm1(a + a);
  return copysign(u / (u + V::all(2)), x);
}

// The weight of the normal distribution above b >= 0: e^(-b^2/2) * h(b). b^2 keeps its rounding
// error, which e^ would magnify; h(b) = erfcx(b / sqrt 2) / 2 on [0, 14] is a quotient of
// polynomials with positive coefficients, within 2^-27.4.
template <class V>
static inline V normal_tail(V b) {
  constexpr float kOver[] = {0x1.0b4664p-8f, 0x1.4ac58ep-5f, 0x1.75b63ap-3f, 0x1.bfc3fap-2f, 0.5f};
  constexpr float kUnder[] = {0x1.4ef9acp-7f, 0x1.9e96b6p-4f, 0x1.deafd8p-2f,
                              0x1.3308bep0f,  0x1.ac242cp0f,  1.0f};
  b = min(V::all(14), b);
  const V square = b * b;
  const V rest = fma(b, b, -square);
  V y = exp(V::all(-0.5f) * square);
  y = fma(y, V::all(-0.5f) * rest, y);
  return y * (horner(b, kOver) / horner(b, kUnder));
}

// Below 3/4 x + x P(x^2), above 1 - 2 normal_tail(sqrt 2 |x|), within 2.3 ulp.
template <class V>
static inline V erf(V x) {
  constexpr float kSmall[] = {-0x1.61de52p-11f, 0x1.4f2c8ap-8f,  -0x1.b7a888p-6f,
                              0x1.ce2accp-4f,   -0x1.81273ap-2f, 0x1.06eba8p-3f};
  const V a = abs(x);
  const V small = fma(horner(a * a, kSmall), a, a);
  const V large = fma(V::all(-2), normal_tail(V::all(0x1.6a09e6p0f) * a), V::all(1));
  return copysign(select(a < V::all(0.75f), small, large), x);
}

// x times the weight of the normal distribution below x, within 7.5 ulp; 0 nearer to 0 than 2^-122.
template <class V>
static inline V gelu(V x) {
  const V tail = normal_tail(abs(x));
  return x * select(x < V::all(0), tail, V::all(1) - tail);
}

// x / 2 * (1 + tanh(z / 2)) = x / (1 + e^-z), z = 2 sqrt(2 / pi) (x + 0.044715 x^3), within
// 220 ulp, an error of z that e^ magnifies where the result is tiny; 0 nearer to 0 than 2^-122.
template <class V>
static inline V gelu_tanh(V x) {
  const V z = x * fma(x * x, V::all(0x1.2444f2p-4f), V::all(0x1.988454p0f));
  return x / (V::all(1) + exp(-z));
}

// x * sigmoid(x), as x / (1 + e^-x), within 2.5 ulp; 0 nearer to 0 than 2^-119.
template <class V>
static inline V swish(V x) {
  return x / (V::all(1) + exp(-x));
}

// ln(1 + e^x) = max(x, 0) + ln(1 + u), u = e^-|x|; 1 + u is halved where it is above sqrt 2;
// within 2 ulp.
template <class V>
static inline V softplus(V x) {
  const V u = exp(-abs(x));
  const auto low = u < V::all(0x1.a8279ap-2f);
  const V f = select(low, u, V::all(0.5f) * (u - V::all(1)));
  return max(V::all(0), x) + log_sum(f, select(low, V::all(0), V::all(1)));
}

// x / (1 + |x|) within 1.5 ulp.
template <class V>
static inline V softsign(V x) {
  return x / (V::all(1) + abs(x));
}

// NaN if either is; b where they are equal.
template <class V>
static inline V max_nan(V a, V b) {
  return select(is_nan(a), a, max(a, b));
}
template <class V>
static inline V min_nan(V a, V b) {
  return select(is_nan(a), a, min(a, b));
}

// x = lo > x ? lo : x, then hi < x ? hi : x.
template <class V>
static inline V clip(V x, V lo, V hi) {
  return min(hi, max(lo, x));
}

// x, or alpha x below zero.
template <class V>
static inline V leaky_relu(V x, V alpha) {
  return select(x < V::all(0), alpha * x, x);
}

// x, or alpha (e^x - 1) below zero, within 2.5 ulp.
template <class V>
static inline V elu(V x, V alpha) {
  return select(x < V::all(0), alpha * expm1(max(V::all(-25), x)), x);
}

// clip(fma(alpha, x, beta), 0, 1).
template <class V>
static inline V hard_sigmoid(V x, V alpha, V beta) {
  return clip(fma(alpha, x, beta), V::all(0), V::all(1));
}

// x * hard_sigmoid(x, 1/6, 1/2).
template <class V>
static inline V hard_swish(V x) {
  return x * hard_sigmoid(x, V::all(0x1.555556p-3f), V::all(0.5f));
}

}  // namespace medulla::functions

#endif  // MEDULLA_KERNELS_ELEMENTWISE_F32_FUNCTIONS_H_
