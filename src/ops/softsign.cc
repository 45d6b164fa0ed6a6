// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = fl(x / fl(1 + |x|)).
struct Softsign {
  static constexpr DtypeSet kTypes = kFloats;
  float operator()(float x) const { return softsign_f32(x); }
  double operator()(double x) const { return x / (1 + std::fabs(x)); }
};

}  // namespace

extern const Op op_Softsign = unary_op<Softsign>("Softsign");

}  // namespace medulla
