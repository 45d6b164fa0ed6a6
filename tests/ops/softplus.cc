// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {

TEST_CASE("Softplus follows log(1 + exp(x)) and its ends", "[softplus]") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<float> x = {-kInf, -100.0f, -1.0f, -0.0f, 0.0f, 1.0f, 30.0f, 100.0f, kInf};
  for (int i = -400; i <= 400; ++i) x.push_back(static_cast<float>(i) / 16);
  const Result r = Case("Softplus").input(tensor({static_cast<int64_t>(x.size())}, x)).run();
  REQUIRE(r.status == MDL_OK);
  const std::vector<float> y = r.values();
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::log1p(std::exp(-std::fabs(static_cast<double>(x[i])))) +
                         std::fmax(static_cast<double>(x[i]), 0.0);
    CAPTURE(x[i], y[i], exact);
    if (std::isinf(exact)) {
      CHECK(y[i] == kInf);
    } else {
      // functions.h: at most 1.8 ulp; below the normal numbers an absolute bound.
      CHECK(std::fabs(static_cast<double>(y[i]) - exact) <= 2.5 * exact * 0x1p-23 + 0x1p-126);
    }
  }
}

TEST_CASE("Softplus refuses what is not float32", "[softplus]") {
  const Result r = Case("Softplus").input(tensor<int32_t>({2}, {1, 2})).run();
  CHECK(r.status == MDL_ERROR_DTYPE);
}

}  // namespace medulla::test
