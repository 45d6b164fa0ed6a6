// SPDX-License-Identifier: Apache-2.0
// Elementwise operators in every dtype.
#include <cmath>
#include <limits>

#include "src/ops/number.h"
#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Doubles = std::vector<double>;

constexpr mdl_dtype kFloatDtypes[] = {MDL_FLOAT16, MDL_BFLOAT16, MDL_FLOAT32, MDL_FLOAT64};
constexpr mdl_dtype kSignedDtypes[] = {MDL_INT8, MDL_INT16, MDL_INT32, MDL_INT64};
constexpr mdl_dtype kUnsignedDtypes[] = {MDL_UINT8, MDL_UINT16, MDL_UINT32, MDL_UINT64};

Value row(mdl_dtype dtype, const Doubles& values) {
  Value value;
  value.dtype = dtype;
  value.dims = {static_cast<int64_t>(values.size())};
  value.bytes.resize(values.size() * mdl_dtype_bits(dtype) / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    store_number(dtype, value.bytes.data(), static_cast<int64_t>(i), values[i]);
  }
  return value;
}

Doubles numbers(const Result& r) {
  INFO(r.text);
  REQUIRE(r.status == MDL_OK);
  const Value& value = r.outputs[0];
  Doubles out(value.bytes.size() * 8 / mdl_dtype_bits(value.dtype));
  for (size_t i = 0; i < out.size(); ++i) {
    load_number(value.dtype, value.bytes.data(), static_cast<int64_t>(i),
                [&](auto number) { out[i] = static_cast<double>(number); });
  }
  return out;
}

Doubles unary(const char* op, mdl_dtype dtype, const Doubles& x) {
  return numbers(Case(op).input(row(dtype, x)).run());
}
Doubles binary(const char* op, mdl_dtype dtype, const Doubles& a, const Doubles& b) {
  return numbers(Case(op).input(row(dtype, a)).input(row(dtype, b)).run());
}

struct Function {
  const char* op;
  double (*exact)(double);
  double low, high;
};

constexpr Function kFunctions[] = {
    {"Sin", [](double x) { return std::sin(x); }, -1e9, 1e9},
    {"Cos", [](double x) { return std::cos(x); }, -1e9, 1e9},
    {"Tan", [](double x) { return std::tan(x); }, -1e9, 1e9},
    {"Asin", [](double x) { return std::asin(x); }, -1, 1},
    {"Acos", [](double x) { return std::acos(x); }, -1, 1},
    {"Atan", [](double x) { return std::atan(x); }, -50, 50},
    {"Sinh", [](double x) { return std::sinh(x); }, -80, 80},
    {"Cosh", [](double x) { return std::cosh(x); }, -80, 80},
    {"Asinh", [](double x) { return std::asinh(x); }, -1e4, 1e4},
    {"Acosh", [](double x) { return std::acosh(x); }, 1, 1e4},
    {"Atanh", [](double x) { return std::atanh(x); }, -1, 1},
    {"Exp", [](double x) { return std::exp(x); }, -80, 80},
    {"Log", [](double x) { return std::log(x); }, 0, 1e5},
    {"Erf", [](double x) { return std::erf(x); }, -7, 7},
    {"Tanh", [](double x) { return std::tanh(x); }, -20, 20},
    {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, -40, 40},
    {"Softplus", [](double x) { return std::log1p(std::exp(x)); }, -30, 30},
    {"Softsign", [](double x) { return x / (1 + std::fabs(x)); }, -30, 30},
    {"Sqrt", [](double x) { return std::sqrt(x); }, 0, 100},
    {"Reciprocal", [](double x) { return 1 / x; }, -100, 100},
    {"Floor", [](double x) { return std::floor(x); }, -100, 100},
    {"Ceil", [](double x) { return std::ceil(x); }, -100, 100},
    {"Round", [](double x) { return std::nearbyint(x); }, -100, 100},
};

// Of the fraction, 1 the hidden bit.
int bits_of(mdl_dtype dtype) {
  return dtype == MDL_FLOAT16 ? 11 : dtype == MDL_BFLOAT16 ? 8 : dtype == MDL_FLOAT32 ? 24 : 53;
}

TEST_CASE("Functions of every float dtype agree with the C library's") {
  const uint64_t seed = 31;
  Random random(seed);
  for (const Function& f : kFunctions) {
    for (const mdl_dtype dtype : kFloatDtypes) {
      Doubles x;
      // Denser towards the smaller end, or zero.
      for (int i = 0; i < 500; ++i) {
        const double u = static_cast<double>(random.real(0, 1));
        const double low = f.low < 0 && random.one_in(2) ? f.low : f.high;
        const double from = f.low < 0 ? 0 : f.low;
        x.push_back(from + (low - from) * std::pow(u, random.integer(1, 6)));
      }
      const Value v = row(dtype, x);
      const Doubles y = numbers(Case(f.op).input(v).run());
      for (size_t i = 0; i < x.size(); ++i) {
        double at = 0;
        load_number(dtype, v.bytes.data(), static_cast<int64_t>(i),
                    [&](auto number) { at = static_cast<double>(number); });
        if (std::isinf(at)) continue;
        const double exact = f.exact(at);
        if (std::fabs(exact) > 60000 || std::fabs(exact) < 1e-4) continue;
        const double ulp = std::ldexp(1, std::ilogb(exact) + 1 - bits_of(dtype));
        INFO("seed " << seed << ", " << f.op << ' ' << mdl_dtype_name(dtype) << " of " << at
                     << " is " << y[i] << ", should be " << exact);
        REQUIRE(std::fabs(y[i] - exact) <= (dtype == MDL_FLOAT64 ? 40 : 3) * ulp);
      }
    }
  }
}

TEST_CASE("Trigonometric functions of great and special arguments") {
  CHECK(unary("Sin", MDL_FLOAT32, {0, kInf, -kInf, kNan})[0] == 0);
  for (const char* op : {"Sin", "Cos", "Tan"}) {
    for (const double y : unary(op, MDL_FLOAT64, {kInf, -kInf, kNan})) CHECK(std::isnan(y));
  }
  // The float64 nearest to a multiple of pi / 2, and the greatest one; the cosines to 300 digits.
  const Doubles x = {0x1.6ac5b262ca1ffp+849, 1.7976931348623157e308};
  const Doubles exact = {-0x1.14ae72e6ba22fp-61, -0x1.fffe62ecfab75p-1};
  const Doubles y = unary("Cos", MDL_FLOAT64, x);
  for (size_t i = 0; i < x.size(); ++i) {
    INFO("cos(" << x[i] << ") is " << y[i] * 0x1p60 << " 2^-60");
    CHECK(std::fabs(y[i] - exact[i]) <= 4 * std::ldexp(1, std::ilogb(exact[i]) - 52));
  }
  CHECK(unary("Acosh", MDL_FLOAT32, {1, kInf}) == Doubles{0, kInf});
  CHECK(std::isnan(unary("Acosh", MDL_FLOAT32, {0.5})[0]));
  CHECK(unary("Atanh", MDL_FLOAT32, {1, -1}) == Doubles{kInf, -kInf});
  CHECK(std::isnan(unary("Asin", MDL_FLOAT32, {1.5})[0]));
  CHECK(unary("Acos", MDL_FLOAT64, {1, -1}) == Doubles{0, 0x1.921fb54442d18p+1});
  CHECK(unary("Sinh", MDL_FLOAT64, {kInf, -kInf}) == Doubles{kInf, -kInf});
}

TEST_CASE("Rounding goes to even and keeps the sign of zero") {
  for (const mdl_dtype dtype : kFloatDtypes) {
    CHECK(unary("Round", dtype, {0.5, 1.5, 2.5, -0.5, -1.5, -2.5}) == Doubles{0, 2, 2, 0, -2, -2});
    CHECK(std::signbit(unary("Round", dtype, {-0.25})[0]));
    CHECK(unary("Floor", dtype, {-1.5, 1.5, kInf}) == Doubles{-2, 1, kInf});
    CHECK(unary("Ceil", dtype, {-1.5, 1.5, -kInf}) == Doubles{-1, 2, -kInf});
  }
}

TEST_CASE("Signs, magnitudes and Relu of every dtype") {
  for (const mdl_dtype dtype : kSignedDtypes) {
    CHECK(unary("Sign", dtype, {-7, 0, 9}) == Doubles{-1, 0, 1});
    CHECK(unary("Abs", dtype, {-7, 0, 9}) == Doubles{7, 0, 9});
    CHECK(unary("Neg", dtype, {-7, 0, 9}) == Doubles{7, 0, -9});
    CHECK(unary("Relu", dtype, {-7, 0, 9}) == Doubles{0, 0, 9});
    CHECK(unary("BitwiseNot", dtype, {-1, 0}) == Doubles{0, -1});
  }
  CHECK(unary("Abs", MDL_INT8, {-128}) == Doubles{-128});
  CHECK(unary("Neg", MDL_INT8, {-128}) == Doubles{-128});
  CHECK(unary("Sign", MDL_UINT8, {0, 200}) == Doubles{0, 1});
  CHECK(unary("BitwiseNot", MDL_UINT8, {1}) == Doubles{254});
  CHECK(unary("Not", MDL_BOOL, {0, 1}) == Doubles{1, 0});
  for (const mdl_dtype dtype : kFloatDtypes) {
    CHECK(unary("Sign", dtype, {-7, 0, 9, -kInf}) == Doubles{-1, 0, 1, -1});
    CHECK(std::isnan(unary("Sign", dtype, {kNan})[0]));
    CHECK(unary("IsNaN", dtype, {1, kNan, kInf}) == Doubles{0, 1, 0});
    CHECK(unary("IsInf", dtype, {1, kNan, kInf, -kInf}) == Doubles{0, 0, 1, 1});
    CHECK(unary("LeakyRelu", dtype, {-100, 2})[0] == Approx(-1).epsilon(0.01));
  }
  CHECK(numbers(
            Case("IsInf").input(row(MDL_FLOAT32, {kInf, -kInf})).set("detect_positive", 0).run()) ==
        Doubles{0, 1});
}

TEST_CASE("Arithmetic of every dtype") {
  const Doubles a = {7, 9, 100, 3}, b = {2, 3, 50, 3};
  const auto check = [&](mdl_dtype dtype) {
    INFO(mdl_dtype_name(dtype));
    CHECK(binary("Add", dtype, a, b) == Doubles{9, 12, 150, 6});
    CHECK(binary("Sub", dtype, a, b) == Doubles{5, 6, 50, 0});
    CHECK(binary("Max", dtype, a, b) == Doubles{7, 9, 100, 3});
    CHECK(binary("Min", dtype, a, b) == Doubles{2, 3, 50, 3});
    CHECK(binary("Equal", dtype, a, b) == Doubles{0, 0, 0, 1});
    CHECK(binary("Greater", dtype, a, b) == Doubles{1, 1, 1, 0});
    CHECK(binary("GreaterOrEqual", dtype, a, b) == Doubles{1, 1, 1, 1});
    CHECK(binary("Less", dtype, b, a) == Doubles{1, 1, 1, 0});
    CHECK(binary("LessOrEqual", dtype, a, b) == Doubles{0, 0, 0, 1});
  };
  for (const mdl_dtype dtype : kFloatDtypes) {
    check(dtype);
    CHECK(binary("Div", dtype, a, b)[0] == 3.5);
    CHECK(std::isnan(binary("Max", dtype, {kNan}, {1})[0]));
    CHECK(std::isnan(binary("Min", dtype, {1}, {kNan})[0]));
    CHECK(binary("LessOrEqual", dtype, {kNan}, {1}) == Doubles{0});
  }
  for (const mdl_dtype dtype : kUnsignedDtypes) {
    check(dtype);
    CHECK(binary("Div", dtype, {7, 9, 5}, {2, 3, 0}) == Doubles{3, 3, 0});
  }
  for (const mdl_dtype dtype : kSignedDtypes) {
    if (dtype != MDL_INT8) check(dtype);
    CHECK(binary("Div", dtype, {-7, 9, 5}, {2, -3, 0}) == Doubles{-3, -3, 0});
    CHECK(binary("Mul", dtype, {-7, 9}, {2, -3}) == Doubles{-14, -27});
  }
  CHECK(binary("Add", MDL_INT8, {127}, {1}) == Doubles{-128});
  CHECK(binary("Div", MDL_INT8, {-128}, {-1}) == Doubles{-128});
  CHECK(binary("Sub", MDL_UINT8, {1}, {2}) == Doubles{255});
  CHECK(binary("Mul", MDL_UINT64, {0x1p63}, {2}) == Doubles{0});
}

TEST_CASE("Mod has the sign of the divisor, with fmod of the dividend") {
  const Doubles a = {-4, 7, 5, 4, -7, 8}, b = {2, -3, 8, -2, 3, 5};
  for (const mdl_dtype dtype : kSignedDtypes) {
    CHECK(binary("Mod", dtype, a, b) == Doubles{0, -2, 5, 0, 2, 3});
    const Result r = Case("Mod").input(row(dtype, a)).input(row(dtype, b)).set("fmod", 1).run();
    CHECK(numbers(r) == Doubles{0, 1, 5, 0, -1, 3});
    CHECK(binary("Mod", dtype, {5, -128, -128}, {0, -1, 0}) == Doubles{0, 0, 0});
  }
  for (const mdl_dtype dtype : kUnsignedDtypes) {
    CHECK(binary("Mod", dtype, {7, 9, 5}, {4, 3, 0}) == Doubles{3, 0, 0});
  }
  const uint64_t seed = 5;
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    const double x = std::ldexp(static_cast<double>(random.real(-1, 1)), random.integer(-60, 60));
    const double y = std::ldexp(static_cast<double>(random.real(-1, 1)), random.integer(-60, 60));
    INFO("seed " << seed << ", " << x << " mod " << y);
    const Result r =
        Case("Mod").input(row(MDL_FLOAT64, {x})).input(row(MDL_FLOAT64, {y})).set("fmod", 1).run();
    REQUIRE(numbers(r)[0] == std::fmod(x, y));
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const mdl_dtype dtype : {MDL_FLOAT16, MDL_FLOAT32, MDL_FLOAT64}) {
    const Doubles x = {-4.5, 7, 5, 4, -7, 3, -3}, y = {2, -3, 8, -2, 3, kInfinity, kInfinity};
    const Doubles rest = binary("Mod", dtype, x, y);
    CHECK(rest == Doubles{1.5, -2, 5, 0, 2, 3, kInfinity});
    CHECK(std::signbit(rest[3]));
    for (const double v : binary("Mod", dtype, {1, kInfinity}, {0, 2})) CHECK(std::isnan(v));
  }
}

TEST_CASE("Logic, bits and shifts") {
  CHECK(binary("And", MDL_BOOL, {0, 0, 1, 1}, {0, 1, 0, 1}) == Doubles{0, 0, 0, 1});
  CHECK(binary("Or", MDL_BOOL, {0, 0, 1, 1}, {0, 1, 0, 1}) == Doubles{0, 1, 1, 1});
  CHECK(binary("Xor", MDL_BOOL, {0, 0, 1, 1}, {0, 1, 0, 1}) == Doubles{0, 1, 1, 0});
  CHECK(binary("Equal", MDL_BOOL, {0, 1}, {1, 1}) == Doubles{0, 1});
  CHECK(binary("BitwiseAnd", MDL_INT16, {12, -1}, {10, 5}) == Doubles{8, 5});
  CHECK(binary("BitwiseOr", MDL_UINT8, {12, 0}, {10, 5}) == Doubles{14, 5});
  CHECK(binary("BitwiseXor", MDL_INT8, {12, -1}, {10, 5}) == Doubles{6, -6});
  const auto shift = [](const char* direction, mdl_dtype dtype, const Doubles& a,
                        const Doubles& b) {
    return Case("BitShift").input(row(dtype, a)).input(row(dtype, b)).set("direction", direction);
  };
  CHECK(numbers(shift("LEFT", MDL_UINT8, {16, 4, 1, 1}, {1, 2, 8, 200}).run()) ==
        Doubles{32, 16, 0, 0});
  CHECK(numbers(shift("RIGHT", MDL_UINT64, {16, 4, 1}, {1, 2, 64}).run()) == Doubles{8, 1, 0});
  const Doubles some = {-8, 100, 1, -1, 5}, by = {1, 2, 7, 8, -1};
  CHECK(numbers(shift("RIGHT", MDL_INT8, some, by).run()) == Doubles{-4, 25, 0, -1, 0});
  CHECK(numbers(shift("LEFT", MDL_INT8, some, by).run()) == Doubles{-16, -112, -128, 0, 0});
  CHECK(numbers(shift("RIGHT", MDL_INT64, {-8, 8}, {-1, 64}).run()) == Doubles{-1, 0});
  CHECK(shift("UP", MDL_UINT8, {1}, {1}).run().says("should be 'LEFT' or 'RIGHT'"));
}

TEST_CASE("Pow of other dtypes") {
  const auto pow = [](mdl_dtype a, mdl_dtype b, const Doubles& x, const Doubles& y) {
    return numbers(Case("Pow").input(row(a, x)).input(row(b, y)).run());
  };
  CHECK(pow(MDL_INT32, MDL_INT32, {2, -3, 0, -1, 1, 2}, {10, 3, 0, -3, -2, -1}) ==
        Doubles{1024, -27, 1, -1, 1, 0});
  CHECK(pow(MDL_INT64, MDL_FLOAT32, {3, 4, 2}, {6, 0.5, -1}) == Doubles{729, 2, 0});
  CHECK(pow(MDL_UINT8, MDL_UINT8, {2, 3}, {8, 5}) == Doubles{0, 243});
  CHECK(pow(MDL_FLOAT32, MDL_INT64, {1.5, -2}, {2, 3}) == Doubles{2.25, -8});
  CHECK(pow(MDL_FLOAT16, MDL_FLOAT16, {2, 4}, {3, 0.5}) == Doubles{8, 2});
  CHECK(pow(MDL_FLOAT64, MDL_FLOAT64, {3, 2}, {0.5, 1023.5})[0] ==
        Approx(std::sqrt(3.0)).epsilon(1e-15));
  CHECK(pow(MDL_FLOAT64, MDL_FLOAT64, {2}, {1023})[0] == 0x1p1023);
}

TEST_CASE("Where takes any dtype and broadcasts three ways") {
  Value condition = row(MDL_BOOL, {1, 0});
  condition.dims = {2, 1};
  for (const mdl_dtype dtype : {MDL_INT8, MDL_BFLOAT16, MDL_FLOAT32, MDL_INT64}) {
    const Result r =
        Case("Where").input(condition).input(row(dtype, {1, 2, 3})).input(row(dtype, {-1})).run();
    CHECK(numbers(r) == Doubles{1, 2, 3, -1, -1, -1});
    CHECK(r.dims() == std::vector<int64_t>{2, 3});
  }
  CHECK(Case("Where")
            .input(row(MDL_INT8, {1}))
            .input(row(MDL_INT8, {1}))
            .input(row(MDL_INT8, {1}))
            .run()
            .says("input 0 is int8, should be bool"));
}

}  // namespace
}  // namespace medulla::test
