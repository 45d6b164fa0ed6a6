// SPDX-License-Identifier: Apache-2.0
#include "src/ops/functions_f64.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace medulla {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;
// ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact.
constexpr double kLn2 = 0x1.62e42feep-1;
constexpr double kLn2Rest = 0x1.a39ef35793c76p-33;

// The series c[0] + c[1] x + ... of n terms.
template <size_t n>
struct Series {
  double c[n];
  double operator()(double x) const {
    double y = c[n - 1];
    for (size_t i = n - 1; i-- > 0;) y = std::fma(y, x, c[i]);
    return y;
  }
};

// 1 / (first + i step)! for i = 0 ..., times sign^i.
template <size_t n>
constexpr Series<n> factorials(int first, int step, double sign) {
  Series<n> s = {};
  double factorial = 1;
  int k = 1;
  double sign_i = 1;
  for (size_t i = 0; i < n; ++i, sign_i *= sign) {
    for (; k <= first + static_cast<int>(i) * step; ++k) factorial *= k;
    s.c[i] = sign_i / factorial;
  }
  return s;
}

// 1 / (first + 2 i), times sign^i.
template <size_t n>
constexpr Series<n> odd_quotients(int first, double sign) {
  Series<n> s = {};
  double sign_i = 1;
  for (size_t i = 0; i < n; ++i, sign_i *= sign) {
    s.c[i] = sign_i / (first + 2 * static_cast<double>(i));
  }
  return s;
}

double power_of_two(int64_t n) {
  return std::bit_cast<double>(static_cast<uint64_t>(1023 + n) << 52);
}

// (e^r - 1 - r) / r^2 for |r| <= 0.35.
constexpr auto kExpTail = factorials<13>(2, 1, 1);

// x = 2^e m with sqrt(1/2) <= m < sqrt(2), x positive and normal.
struct Split {
  double exponent;
  double mantissa;
};
Split split(double x) {
  constexpr uint64_t kSqrtHalf = 0x3FE6A09E667F3BCD;
  const uint64_t bits = std::bit_cast<uint64_t>(x) - kSqrtHalf;
  return {static_cast<double>(static_cast<int64_t>(bits) >> 52),
          std::bit_cast<double>((bits & ((uint64_t{1} << 52) - 1)) + kSqrtHalf)};
}

// 2 / pi, 32 bits a word, for arguments up to 2^1024.
constexpr uint32_t kTwoOverPi[] = {
    0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB, 0xDEBBC561,
    0xB7246E3A, 0x424DD2E0, 0x06492EEA, 0x09D1921C, 0xFE1DEB1C, 0xB129A73E, 0xE88235F5, 0x2EBB4484,
    0xE99C7026, 0xB45F7E41, 0x3991D639, 0x835339F4, 0x9C845F8B, 0xBDF9283B, 0x1FF897FF, 0xDE05980F,
    0xEF2F118B, 0x5A0A6D1F, 0x6D367ECF, 0x27CB09B7, 0x4F463F66, 0x9E5FEA2D, 0x7527BAC7, 0xEBE5F17B,
    0x3D0739F7, 0x8A5292EA, 0x6BFB5FB1, 0x1F8D5D08, 0x56033046, 0xFC7B6BAB,
};

// x = quadrant pi / 2 + r modulo 2 pi, |r| <= pi / 4.
struct Angle {
  uint32_t quadrant;
  double r;
};

// By Payne and Hanek: with x = m 2^e, seven words of 2 / pi from the first that is not a multiple
// of 4 in x 2 / pi hold its last two bits before the point and at least 106 behind it.
Angle reduce(double x) {
  if (std::fabs(x) <= kHalfPi / 2) return {0, x};
  constexpr int kWindow = 7;
  constexpr int kWords = kWindow + 2;
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const int e = static_cast<int>(bits >> 52 & 0x7FF) - 1075;
  const uint64_t m = (bits & ((uint64_t{1} << 52) - 1)) | uint64_t{1} << 52;
  const int first = e >= 2 ? (e - 2) / 32 : 0;
  uint32_t product[kWords] = {};  // the most significant word first
  for (int half = 0; half < 2; ++half) {
    const uint64_t factor = static_cast<uint32_t>(m >> (32 * half));
    uint64_t carry = 0;
    for (int i = kWindow; i-- > 0;) {
      uint32_t& word = product[i + 2 - half];
      carry += factor * kTwoOverPi[first + i] + word;
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    product[1 - half] = static_cast<uint32_t>(carry);
  }
  // Shifted so that the point stands behind the two bits of the quadrant.
  const int up = 32 * kWords - (32 * (first + kWindow) - e) - 2;
  for (int i = 0; i < kWords; ++i) {
    const int from = i + up / 32;
    const uint64_t high = from < kWords ? product[from] : 0;
    const uint64_t low = from + 1 < kWords ? product[from + 1] : 0;
    product[i] = static_cast<uint32_t>((high << 32 | low) >> (32 - up % 32));
  }
  uint32_t quadrant = product[0] >> 30;
  const bool above = (product[0] >> 29 & 1) != 0;  // half a quadrant: nearer to the next one
  const uint32_t flip = above ? ~uint32_t{0} : 0;
  double fraction = 0;
  for (int i = kWords; i-- > 1;) fraction = (fraction + (product[i] ^ flip)) * 0x1p-32;
  fraction = (fraction + ((product[0] ^ flip) & 0x3FFFFFFF)) * 0x1p-30;
  if (above) ++quadrant;
  const bool negative = std::signbit(x);
  const double r = fraction * kHalfPi;
  return {(negative ? 0 - quadrant : quadrant) & 3, above != negative ? -r : r};
}

double sin_small(double r) {
  constexpr auto kTail = factorials<8>(3, 2, -1);
  return std::fma(-r * r * r, kTail(r * r), r);
}
double cos_small(double r) {
  constexpr auto kTail = factorials<8>(4, 2, -1);
  const double square = r * r;
  return 1 - std::fma(square * square, -kTail(square), 0.5 * square);
}

double sin_of(Angle a) {
  const double y = (a.quadrant & 1) != 0 ? cos_small(a.r) : sin_small(a.r);
  return (a.quadrant & 2) != 0 ? -y : y;
}

// atan x for 0 <= x <= tan(pi / 8).
double atan_small(double x) {
  constexpr auto kTail = odd_quotients<22>(3, -1);
  return std::fma(-x * x * x, kTail(x * x), x);
}

}  // namespace

double exp_f64(double x) {
  if (x > 709.79) return kInfinity;
  if (x < -708.4) return 0;
  constexpr double kRound = 0x1.8p52;
  const double n = std::fma(x, 0x1.71547652b82fep0, kRound) - kRound;
  const double r = std::fma(-n, kLn2Rest, std::fma(-n, kLn2, x));
  const double y = 1 + std::fma(r * r, kExpTail(r), r);
  if (n != n) return n;
  // 2^1024 is infinite.
  const auto power = static_cast<int64_t>(n);
  return power > 1023 ? y * 2 * power_of_two(power - 1) : y * power_of_two(power);
}

double expm1_f64(double x) {
  if (std::fabs(x) < 0.35) return std::fma(x * x, kExpTail(x), x);
  return exp_f64(x) - 1;
}

double log_f64(double x) {
  if (!(x >= std::numeric_limits<double>::min())) return x < 0 || x != x ? kNan : -kInfinity;
  if (x == kInfinity) return x;
  constexpr auto kTail = odd_quotients<11>(3, 1);
  const auto [e, m] = split(x);
  // ln m = 2 atanh s.
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  return std::fma(e, kLn2, std::fma(2 * s * square, kTail(square), std::fma(e, kLn2Rest, 2 * s)));
}

// What 1 + x loses is made up for by the factor.
double log1p_f64(double x) {
  const double sum = 1 + x;
  if (sum == 1 || sum == kInfinity) return x;
  return sum == 0 ? -kInfinity : log_f64(sum) * (x / (sum - 1));
}

// 2 / sqrt(pi) e^(-x^2) times the sum of 2^n x^(2n + 1) / (2n + 1)!!, whose terms are positive.
double erf_f64(double x) {
  const double a = std::fabs(x);
  if (a > 6) return std::copysign(1.0, x);
  const double square = a * a;
  const double rest = std::fma(a, a, -square);
  double term = a;
  double sum = a;
  for (int n = 1; term > sum * 0x1p-54; ++n) {
    term *= 2 * square / (2 * n + 1);
    sum += term;
  }
  const double weight = exp_f64(-square);
  return std::copysign(0x1.20dd750429b6dp+0 * std::fma(weight, -rest, weight) * sum, x);
}

double sigmoid_f64(double x) { return 1 / (1 + exp_f64(-x)); }

double softplus_f64(double x) { return (x < 0 ? 0 : x) + log1p_f64(exp_f64(-std::fabs(x))); }

double sin_f64(double x) { return std::isfinite(x) ? sin_of(reduce(x)) : kNan; }

double cos_f64(double x) {
  if (!std::isfinite(x)) return kNan;
  const Angle a = reduce(x);
  return sin_of({a.quadrant + 1, a.r});
}

double tan_f64(double x) {
  if (!std::isfinite(x)) return kNan;
  const Angle a = reduce(x);
  const double y = sin_small(a.r) / cos_small(a.r);
  return (a.quadrant & 1) != 0 ? -1 / y : y;
}

double asin_f64(double x) { return atan_f64(x / std::sqrt((1 - x) * (1 + x))); }

double acos_f64(double x) { return 2 * atan_f64(std::sqrt((1 - x) / (1 + x))); }

double atan_f64(double x) {
  constexpr double kTanEighth = 0x1.a827999fcef32p-2;
  const double a = std::fabs(x);
  double y;
  if (a <= kTanEighth) {
    y = atan_small(a);
  } else if (a * kTanEighth < 1) {
    const double t = (a - 1) / (a + 1);
    y = kHalfPi / 2 + (std::copysign(atan_small(std::fabs(t)), t) + kHalfPiRest / 2);
  } else {
    y = kHalfPi - (atan_small(1 / a) - kHalfPiRest);
  }
  return x != x ? x : std::copysign(y, x);
}

double sinh_f64(double x) {
  constexpr auto kTail = factorials<9>(3, 2, 1);
  if (std::fabs(x) < 1) return std::fma(x * x * x, kTail(x * x), x);
  const double a = std::fabs(x);
  const double root = exp_f64(0.5 * a);
  const double y = a < 40 ? 0.5 * (exp_f64(a) - exp_f64(-a)) : 0.5 * root * root;
  return std::copysign(y, x);
}

double cosh_f64(double x) {
  const double a = std::fabs(x);
  const double root = exp_f64(0.5 * a);
  return a < 40 ? 0.5 * (exp_f64(a) + exp_f64(-a)) : 0.5 * root * root;
}

double tanh_f64(double x) {
  const double a = std::fabs(x);
  if (a > 20) return std::copysign(1.0, x);
  const double u = expm1_f64(2 * a);
  return std::copysign(u / (u + 2), x);
}

double asinh_f64(double x) {
  const double a = std::fabs(x);
  const double y = a > 0x1p30 ? log_f64(a) + (kLn2 + kLn2Rest)
                              : log1p_f64(a + a * a / (1 + std::sqrt(std::fma(a, a, 1.0))));
  return std::copysign(y, x);
}

double acosh_f64(double x) {
  if (x > 0x1p30) return log_f64(x) + (kLn2 + kLn2Rest);
  const double t = x - 1;
  return log1p_f64(t + std::sqrt(std::fma(t, t, 2 * t)));
}

double atanh_f64(double x) {
  const double a = std::fabs(x);
  return std::copysign(0.5 * log1p_f64(2 * a / (1 - a)), x);
}

double fmod_f64(double x, double y) {
  double rest = std::fabs(x);
  const double b = std::fabs(y);
  // Subnormal divisors count as zero, as everywhere in a run.
  if (!(rest < kInfinity) || !(b >= std::numeric_limits<double>::min())) return kNan;
  const auto exponent = [](double v) { return static_cast<int>(std::bit_cast<uint64_t>(v) >> 52); };
  while (rest >= b) {
    // The greatest b 2^k that is not above the rest; the difference is exact.
    const int k = exponent(rest) - exponent(b);
    double part = k > 0 ? std::ldexp(b, k - 1) : b;
    if (k > 0 && part <= rest - part) part += part;
    rest -= part;
  }
  return std::copysign(rest, x);
}

}  // namespace medulla
