// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise_f32/elementwise_f32.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise_f32/scalar.h"
#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::difference;
using test::Guarded;
using test::Random;
using Kernel = ElementwiseF32Kernel;

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<ElementwiseF32Row> host_rows() {
  std::vector<ElementwiseF32Row> rows;
  KernelRequest request;
  request.isa = host_isa();
  for (const ElementwiseF32Row& row : elementwise_f32_rows()) {
    if (row_refusal(row, request) == nullptr) rows.push_back(row);
  }
  return rows;
}

// A function by another route, in binary64.
struct Function {
  UnaryF32 f;
  const char* name;
  double ulps;    // what functions.h promises
  uint64_t hash;  // of the sweep below
  double (*value)(double x);
  float a = 0;
  float b = 0;
  double tiny = std::numeric_limits<float>::min();  // what is nearer to 0 may be 0
};

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double gelu_tanh_value(double x) {
  return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double clip_value(double x, double lo, double hi) { return lo > x ? lo : hi < x ? hi : x; }

const Function kFunctions[] = {
    {UnaryF32::abs, "abs", 0, 0x0B78F45361EDB3F4, [](double x) { return std::fabs(x); }},
    {UnaryF32::neg, "neg", 0, 0xEA75498361EDB3F4, [](double x) { return -x; }},
    {UnaryF32::reciprocal, "reciprocal", 0.5, 0xF6DE981C3D4AD1A2, [](double x) { return 1 / x; }},
    {UnaryF32::sqrt, "sqrt", 0.5, 0xC19D159B0E7EB26A, [](double x) { return std::sqrt(x); }},
    {UnaryF32::exp, "exp", 0.9, 0x8BD07FCA85F2C87B, [](double x) { return std::exp(x); }},
    {UnaryF32::log, "log", 0.9, 0x6A023BBB0D29E5CD, [](double x) { return std::log(x); }},
    {UnaryF32::erf, "erf", 2.3, 0x25E613F25A157448, [](double x) { return std::erf(x); }},
    {UnaryF32::sigmoid, "sigmoid", 2.5, 0xEEAAABAE32624DCC,
     [](double x) { return 1 / (1 + std::exp(-x)); }},
    {UnaryF32::tanh, "tanh", 2.7, 0xF550570EC1C586E9, [](double x) { return std::tanh(x); }},
    {UnaryF32::clip, "clip", 0, 0xEE5D14BAD3615339, [](double x) { return clip_value(x, -1, 6); },
     -1, 6},
    {UnaryF32::leaky_relu, "leaky_relu", 0.5, 0x016866E97006061E,
     [](double x) { return x < 0 ? x / 8 : x; }, 0.125f},
    {UnaryF32::elu, "elu", 2.5, 0x3D2ED9E185C8D274,
     [](double x) { return x < 0 ? std::expm1(x) / 2 : x; }, 0.5f},
    {UnaryF32::gelu, "gelu", 7.5, 0xE66E9EA738EA4192, [](double x) { return x * normal_below(x); },
     0, 0, 0x1p-122},
    {UnaryF32::gelu_tanh, "gelu_tanh", 220, 0x71396A2015EF0BB2, gelu_tanh_value, 0, 0, 0x1p-122},
    {UnaryF32::swish, "swish", 2.5, 0xD7292367BEC03D47,
     [](double x) { return x / (1 + std::exp(-x)); }, 0, 0, 0x1p-119},
    {UnaryF32::hard_sigmoid, "hard_sigmoid", 0.5, 0xD72858A259595E11,
     [](double x) { return clip_value(x / 4 + 0.5, 0, 1); }, 0.25f, 0.5f},
    {UnaryF32::hard_swish, "hard_swish", 1.5, 0xD8CDF022781CCA8E,
     [](double x) { return x * clip_value(x * 0x1.555556p-3 + 0.5, 0, 1); }},
    {UnaryF32::softplus, "softplus", 2.5, 0x8455453677B8F6D3,
     [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }},
    {UnaryF32::softsign, "softsign", 1.5, 0xCC61808CCCD20199,
     [](double x) { return x / (1 + std::fabs(x)); }},
};
static_assert(std::size(kFunctions) == kUnaryF32Count, "a function without a row here");

// The distance of `y` from `value` in ulps of `value`; what is smaller than `tiny` may be zero.
double ulps(float y, double value, double tiny) {
  if (std::isnan(value)) return std::isnan(y) ? 0 : INFINITY;
  if (y == 0 && std::fabs(value) < tiny) return 0;
  if (std::isinf(y) && static_cast<float>(value) == y) return 0;
  return std::fabs(y - value) / std::ldexp(1, std::ilogb(value) - 23);
}

struct Sweep {
  double worst = 0;
  float at = 0;
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a of the results' bits, 4 bytes a step

  void add(float x, float y, const Function& f) {
    const double error = ulps(y, f.value(x), f.tiny);
    if (!(error <= worst)) worst = error, at = x;
    // Not promised: what a NaN holds, and on which side of 2^-126 a result was rounded.
    uint32_t bits = std::isnan(y) ? 0x7FC00000 : std::bit_cast<uint32_t>(y);
    if ((bits & 0x7FFFFFFF) <= 0x00800000) bits &= 0x80000000;
    hash = (hash ^ bits) * 0x100000001B3;
  }
};

// Every `step`-th float through one row.
Sweep sweep(const Kernel::Unary run, const Function& f, uint64_t step) {
  constexpr size_t kBlock = 4096;
  std::vector<float> x(kBlock);
  std::vector<float> y(kBlock);
  Sweep result;
  for (uint64_t first = 0; first < uint64_t{1} << 32; first += kBlock * step) {
    for (size_t i = 0; i < kBlock; ++i) {
      const uint64_t bits = std::min<uint64_t>(first + i * step, 0xFFFFFFFF);
      x[i] = std::bit_cast<float>(static_cast<uint32_t>(bits));
    }
    {
      const test::RunState state;
      run(x.data(), y.data(), kBlock, f.a, f.b);
    }
    for (size_t i = 0; i < kBlock; ++i) {
      if (std::fpclassify(x[i]) != FP_SUBNORMAL) result.add(x[i], y[i], f);
    }
  }
  return result;
}

// Calls check(row, function, sweep) for the best row: that the portable one has its bytes is for
// other tests.
template <class Check>
void sweep_all(uint64_t step, const Check& check) {
  const ElementwiseF32Row row = host_rows().front();
  for (const Function& f : kFunctions) {
    const Sweep result = sweep(row.kernel->unary[static_cast<size_t>(f.f)], f, step);
    INFO(row.name << " " << f.name << " errs most at " << result.at);
    CHECK(result.worst <= f.ulps);
    check(f, result);
  }
}

// The hashes are those of x86-64 and of aarch64. They change only with the numerics version.
TEST_CASE("elementwise_f32: errors and bytes over every 4093rd float") {
  sweep_all(4093, [](const Function& f, const Sweep& result) { CHECK(result.hash == f.hash); });
}
TEST_CASE("elementwise_f32: errors over every 509th float", "[slow]") {
  sweep_all(509, [](const Function&, const Sweep&) {});
}

// Values where functions bend, saturate and overflow, beside random bits.
void fill_bits(Random& random, std::span<float> values) {
  static constexpr float kEdges[] = {0,    -0.0f, 0.5f,   -0.5f,   1,      -1,     9,     -9.5f, 14,
                                     -14,  88.7f, 88.8f,  -87.3f,  -87.4f, 104,    -104,  3,     -3,
                                     kInf, -kInf, 1e-38f, -1e-39f, 1e38f,  -1e38f, 1e-45f};
  for (float& v : values) {
    switch (random.integer(0, 3)) {
      case 0:
        v = kEdges[random.integer<size_t>(0, std::size(kEdges) - 1)];
        break;
      case 1:
        v = std::bit_cast<float>(random.integer<uint32_t>(0, 0xFFFFFFFF));
        break;
      default:
        v = random.real(-12, 12);
    }
  }
}

// Calls `run` with this row's kernel and the portable one on outputs between guarded pages.
template <class Run>
void compare_rows(uint64_t seed, const char* what, size_t n, size_t outputs, const Run& run) {
  const test::RunState state;
  const std::vector<ElementwiseF32Row> rows = host_rows();
  Guarded<float> expected(n * outputs);
  run(*rows.back().kernel, expected.data());
  for (const ElementwiseF32Row& row : rows) {
    Guarded<float> actual(n * outputs, seed % 2 == 0);
    run(*row.kernel, actual.data());
    INFO(row.name << " " << what << " n " << n << " seed " << seed);
    CHECK(difference(actual, expected) == "");
  }
}

TEST_CASE("elementwise_f32: rows are byte-equal at every length, and in place") {
  for (uint64_t seed = 1; seed <= test::seeds(200); ++seed) {
    Random random(seed);
    const size_t n = seed < 40 ? seed : random.integer<size_t>(1, 300);
    Guarded<float> x(n, random.one_in(2));
    Guarded<float> z(n, random.one_in(2));
    fill_bits(random, x);
    fill_bits(random, z);
    for (const Function& f : kFunctions) {
      compare_rows(seed, f.name, n, 2, [&](const Kernel& k, float* out) {
        const Kernel::Unary run = k.unary[static_cast<size_t>(f.f)];
        run(x.data(), out, n, f.a, f.b);
        std::copy_n(x.data(), n, out + n);
        run(out + n, out + n, n, f.a, f.b);
      });
    }
    const float lo = random.one_in(2) ? -kInf : -0.5f;
    const float hi = random.one_in(2) ? kInf : 0.5f;
    for (size_t f = 0; f < kBinaryF32Count; ++f) {
      for (size_t one = 0; one < kBroadcastF32Count; ++one) {
        INFO("broadcast " << one);
        compare_rows(seed, "binary", n, 2, [&](const Kernel& k, float* out) {
          k.binary[f][one](x.data(), z.data(), out, n, lo, hi);
          const bool into_a = one != static_cast<size_t>(BroadcastF32::a);
          std::copy_n(into_a ? x.data() : z.data(), n, out + n);
          k.binary[f][one](into_a ? out + n : x.data(), into_a ? z.data() : out + n, out + n, n, lo,
                           hi);
        });
      }
    }
  }
}

float binary_value(BinaryF32 f, float a, float b) {
  switch (f) {
    case BinaryF32::add:
      return a + b;
    case BinaryF32::sub:
      return a - b;
    case BinaryF32::mul:
      return a * b;
    case BinaryF32::div:
      return a / b;
    case BinaryF32::max:
      return max_f32(a, b);
    case BinaryF32::min:
      return min_f32(a, b);
  }
  return kNaN;
}

TEST_CASE("elementwise_f32: binary functions, broadcast and clamped") {
  const test::RunState state;
  Random random(7);
  constexpr size_t n = 203;
  std::vector<float> a(n);
  std::vector<float> b(n);
  std::vector<float> actual(n);
  std::vector<float> expected(n);
  random.fill_extreme(a);
  random.fill_extreme(b);
  for (const ElementwiseF32Row& row : host_rows()) {
    for (size_t f = 0; f < kBinaryF32Count; ++f) {
      for (size_t one = 0; one < kBroadcastF32Count; ++one) {
        row.kernel->binary[f][one](a.data(), b.data(), actual.data(), n, -0.5f, 0.75f);
        for (size_t i = 0; i < n; ++i) {
          const float left = a[one == static_cast<size_t>(BroadcastF32::a) ? 0 : i];
          const float right = b[one == static_cast<size_t>(BroadcastF32::b) ? 0 : i];
          expected[i] =
              clip_f32(binary_value(static_cast<BinaryF32>(f), left, right), -0.5f, 0.75f);
        }
        INFO(row.name << " function " << f << " broadcast " << one);
        CHECK(difference<float>(actual, expected) == "");
      }
    }
  }
}

TEST_CASE("elementwise_f32: special values") {
  const test::RunState state;
  CHECK(exp_f32(-kInf) == 0);
  CHECK(exp_f32(kInf) == kInf);
  CHECK(exp_f32(0) == 1);
  CHECK(std::isnan(exp_f32(kNaN)));
  CHECK(log_f32(0) == -kInf);
  CHECK(log_f32(1) == 0);
  CHECK(log_f32(kInf) == kInf);
  CHECK(std::isnan(log_f32(-1)));
  CHECK(std::isnan(log_f32(kNaN)));
  CHECK(sigmoid_f32(0) == 0.5f);
  CHECK(sigmoid_f32(-kInf) == 0);
  CHECK(sigmoid_f32(kInf) == 1);
  CHECK(tanh_f32(kInf) == 1);
  CHECK(tanh_f32(-kInf) == -1);
  CHECK(std::signbit(tanh_f32(-0.0f)));
  CHECK(std::isnan(tanh_f32(kNaN)));
  CHECK(erf_f32(kInf) == 1);
  CHECK(erf_f32(-kInf) == -1);
  CHECK(std::isnan(erf_f32(kNaN)));
  CHECK(gelu_f32(kInf) == kInf);
  CHECK(gelu_f32(-1e38f) == 0);
  CHECK(swish_f32(-1e38f) == 0);
  CHECK(elu_f32(-kInf, 1) == -1);
  CHECK(softplus_f32(kInf) == kInf);
  CHECK(std::isnan(clip_f32(kNaN, 0, 1)));
  CHECK(std::signbit(clip_f32(-0.0f, 0, kInf)));
  CHECK(std::isnan(max_f32(kNaN, 1)));
  CHECK(std::isnan(max_f32(1, kNaN)));
  CHECK(std::isnan(min_f32(kNaN, 1)));
}

TEST_CASE("elementwise_f32: the selector follows the ISA set") {
  KernelRequest request;
  CHECK(std::string(select_row(elementwise_f32_rows(), request)->name) ==
        "elementwise_f32_portable");
}

}  // namespace
}  // namespace medulla
