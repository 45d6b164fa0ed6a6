// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = x < 0 ? 0 : x; NaN and both zeros stay.
struct Relu {
  static constexpr DtypeSet kTypes = kNumbers;
  float operator()(float x) const { return clip_f32(x, 0, std::numeric_limits<float>::infinity()); }
  template <class T>
  T operator()(T x) const {
    return x < 0 ? T(0) : x;
  }
};

}  // namespace

extern const Op op_Relu = unary_op<Relu>("Relu");

}  // namespace medulla
