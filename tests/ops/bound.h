// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_OPS_BOUND_H_
#define MEDULLA_TESTS_OPS_BOUND_H_

#include <cmath>

namespace medulla::test {

// A sum of products in binary64, and how far a chain of binary32 operations may be from it.
struct Exact {
  double sum = 0;
  double size = 0;  // the sum of magnitudes
  int terms = 0;

  void add(double term) {
    sum += term;
    size += std::fabs(term);
    ++terms;
  }
  bool near(float value) const {
    const double u = (terms + 2) * 0x1p-24;
    return std::fabs(static_cast<double>(value) - sum) <= 2 * u / (1 - u) * size;
  }
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_OPS_BOUND_H_
