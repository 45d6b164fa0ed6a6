// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

using Floats = std::vector<float>;

Value row(const Floats& values) { return tensor({static_cast<int64_t>(values.size())}, values); }

Floats unary(const char* op, const Floats& x) {
  const Result r = Case(op).input(row(x)).run();
  REQUIRE(r.status == MDL_OK);
  return r.values();
}

// Distance in units of the last place of `expected`.
double ulps(float actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual) ? 0 : 1e9;
  const float rounded = static_cast<float>(expected);
  if (std::isinf(rounded) || std::isinf(actual)) return actual == rounded ? 0 : 1e9;
  if (std::fabs(expected) < 0x1p-126) return std::fabs(actual) < 0x1p-125f ? 0 : 1e9;
  const double ulp = std::ldexp(1, std::ilogb(expected) - 23);
  return std::fabs(static_cast<double>(actual) - expected) / ulp;
}

struct Function {
  const char* op;
  double (*exact)(double);
  double bound;  // ulps
};

constexpr Function kFunctions[] = {
    {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, 3},
    {"Tanh", [](double x) { return std::tanh(x); }, 3},
    {"Exp", [](double x) { return std::exp(x); }, 1},
    {"Log", [](double x) { return std::log(x); }, 2},
    {"Erf", [](double x) { return std::erf(x); }, 2},
    {"Swish", [](double x) { return x / (1 + std::exp(-x)); }, 4},
    {"Gelu", [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }, 8},
    {"Elu", [](double x) { return x < 0 ? std::expm1(x) : x; }, 4},
    {"Sqrt", [](double x) { return std::sqrt(x); }, 0.5},
    {"Reciprocal", [](double x) { return 1 / x; }, 0.5},
    {"Abs", [](double x) { return std::fabs(x); }, 0},
    {"Neg", [](double x) { return -x; }, 0},
    {"Relu", [](double x) { return x < 0 ? 0 : x; }, 0},
};

TEST_CASE("Functions agree with binary64") {
  const uint64_t seed = 8;
  Random random(seed);
  Floats x = {1, -1, 0.5f, 2, 1e-3f, -1e-3f, 87.0f, 30, -30, kNan};
  for (int i = 0; i < 4000; ++i) {
    x.push_back(random.real(-10, 10) * std::ldexp(1.0f, random.integer(-20, 2)));
  }
  for (const Function& f : kFunctions) {
    const Floats y = unary(f.op, x);
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = f.exact(static_cast<double>(x[i]));
      if (std::fabs(exact) < 0x1p-120) continue;
      INFO("seed " << seed << ", " << f.op << "(" << x[i] << ") is " << y[i] << ", exactly "
                   << exact);
      REQUIRE(ulps(y[i], exact) <= f.bound);
    }
  }
}

TEST_CASE("Functions at their ends") {
  CHECK(difference<float>(unary("Sigmoid", {-kInf, 0, kInf}), Floats{0, 0.5f, 1}) == "");
  CHECK(difference<float>(unary("Tanh", {-kInf, -0.0f, kInf}), Floats{-1, -0.0f, 1}) == "");
  CHECK(difference<float>(unary("Exp", {-kInf, 0, 89, kInf}), Floats{0, 1, kInf, kInf}) == "");
  CHECK(difference<float>(unary("Log", {-1, 0, 1, kInf}), Floats{kNan, -kInf, 0, kInf}) == "");
  CHECK(difference<float>(unary("Sqrt", {-1, -0.0f, kInf}), Floats{kNan, -0.0f, kInf}) == "");
  CHECK(difference<float>(unary("Reciprocal", {-0.0f, kInf}), Floats{-kInf, 0}) == "");
  CHECK(difference<float>(unary("Abs", {-0.0f, -kInf}), Floats{0, kInf}) == "");
  CHECK(difference<float>(unary("Relu", {-kInf, kNan, kInf}), Floats{0, kNan, kInf}) == "");
  CHECK(unary("HardSwish", {-4, -3, 0, 3, 4}) == Floats{0, 0, 0, 3, 4});
}

TEST_CASE("Functions with attributes") {
  const Floats x = {-3, -0.5f, 0, 0.25f, 4, kNan};
  const Value v = row(x);
  const auto equal = [](const Result& r, const Floats& y) {
    return difference<float>(r.values(), y);
  };
  CHECK(equal(Case("Clip").input(v).run(), x) == "");
  CHECK(equal(Case("Clip").input(v).set("min", -1.0).run(), {-1, -0.5f, 0, 0.25f, 4, kNan}) == "");
  CHECK(equal(Case("Clip").input(v).set("min", 0.0).set("max", 6.0).run(),
              {0, 0, 0, 0.25f, 4, kNan}) == "");
  CHECK(equal(Case("Clip").input(v).set("min", 2.0).set("max", 1.0).run(), {1, 1, 1, 1, 1, kNan}) ==
        "");
  CHECK(equal(Case("LeakyRelu").input(v).run(), {0.01f * -3, 0.01f * -0.5f, 0, 0.25f, 4, kNan}) ==
        "");
  CHECK(equal(Case("LeakyRelu").input(v).set("alpha", 2.0).run(), {-6, -1, 0, 0.25f, 4, kNan}) ==
        "");
  CHECK(equal(Case("HardSigmoid").input(v).set("alpha", 0.5).run(),
              {0, 0.25f, 0.5f, 0.625f, 1, kNan}) == "");
  const Floats elu = Case("Elu").input(v).set("alpha", 2.0).run().values();
  CHECK(ulps(elu[0], 2 * std::expm1(-3.0)) <= 4);
  CHECK(elu[4] == 4);
  const Floats gelu = Case("Gelu").input(v).set("approximate", "tanh").run().values();
  CHECK(gelu[3] == Approx(0.1496753));
  CHECK(gelu[0] == Approx(-0.0036374).epsilon(1e-4));
}

TEST_CASE("Pow agrees with binary64") {
  const uint64_t seed = 9;
  Random random(seed);
  Floats x, y;
  for (int i = 0; i < 20000; ++i) {
    x.push_back(std::fabs(random.real(-3, 3)) * std::ldexp(1.0f, random.integer(-8, 8)));
    y.push_back(random.one_in(2) ? random.real(-20, 20)
                                 : static_cast<float>(random.integer(-9, 9)));
    if (y.back() == std::floor(y.back()) && random.one_in(2)) x.back() = -x.back();
  }
  const Floats z = Case("Pow").input(row(x)).input(row(y)).run().values();
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::pow(static_cast<double>(x[i]), static_cast<double>(y[i]));
    if (std::fabs(exact) < 0x1p-125) continue;
    INFO("seed " << seed << ", " << x[i] << "^" << y[i] << " is " << z[i] << ", exactly " << exact);
    REQUIRE(ulps(z[i], exact) <= 0.501);
  }
}

TEST_CASE("Pow at its special cases, as C has them") {
  const Floats specials = {0,     -0.0f, 1,     -1,   2,        -2,       3,         -3,    0.5f,
                           -0.5f, kInf,  -kInf, kNan, 16777215, 16777216, -16777215, 3e38f, 1e-30f};
  for (const float x : specials) {
    for (const float y : specials) {
      const float z = Case("Pow").input(row({x})).input(row({y})).run().values()[0];
      const double exact = std::pow(static_cast<double>(x), static_cast<double>(y));
      const float expected = static_cast<float>(exact);
      INFO(x << "^" << y << " is " << z << ", exactly " << exact);
      if (expected != 0 && std::fabs(expected) < 0x1p-126f) continue;
      REQUIRE(difference<float>(Floats{z}, Floats{expected}) == "");
    }
  }
}

TEST_CASE("Unary operators say what they refuse") {
  CHECK(Case("Sigmoid").input(counted<int8_t>({2})).run().text ==
        "node 'n' (Sigmoid): input 0 is int8, should be float16, bfloat16, float32 or float64");
  CHECK(Case("Clip")
            .input(row({1}))
            .set("min", 0.1)
            .run()
            .says("min is 0.1, should be a float32 and not NaN"));
  CHECK(Case("Elu").input(row({1})).set("alpha", std::nan("")).run().status == MDL_ERROR_BAD_MODEL);
  CHECK(Case("Gelu")
            .input(row({1}))
            .set("approximate", "erf")
            .run()
            .says("approximate is 'erf', should be 'none' or 'tanh'"));
  CHECK(Case("Tanh").input(row({1})).set("alpha", 1.0).run().says("attribute 'alpha' is not one"));
}

}  // namespace
}  // namespace medulla::test
