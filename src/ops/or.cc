// SPDX-License-Identifier: Apache-2.0
#include "src/ops/binary.h"

namespace medulla {
namespace {

// a | b.
struct Or {
  static constexpr DtypeSet kTypes = kBool;
  int64_t operator()(int64_t a, int64_t b) const { return a | b; }
};

}  // namespace

extern const Op op_Or = binary_op<Or>("Or");

}  // namespace medulla
