// SPDX-License-Identifier: Apache-2.0
#include "src/ops/unary.h"

namespace medulla {
namespace {

// y = 1 - x.
struct Not {
  static constexpr DtypeSet kTypes = kBool;
  int64_t operator()(int64_t x) const { return 1 - x; }
};

}  // namespace

extern const Op op_Not = unary_op<Not>("Not");

}  // namespace medulla
