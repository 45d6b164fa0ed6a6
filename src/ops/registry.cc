// SPDX-License-Identifier: Apache-2.0
// The table of operators, expanded from ops.inc at configure time.
#include <cstring>

#include "src/ops/op.h"

namespace medulla {

#define MDL_OP(name, stem) extern const Op op_##name;
#include "medulla_ops.inc"
#undef MDL_OP

namespace {

constexpr const Op* kBuilt[] = {
#define MDL_OP(name, stem) &op_##name,
#include "medulla_ops.inc"
#undef MDL_OP
};

constexpr const char* kKnown[] = {
#define MDL_OP(name, stem) #name,
#include "src/ops/ops.inc"
#undef MDL_OP
};

}  // namespace

std::span<const Op* const> all_ops() { return kBuilt; }

const Op* find_op(const char* name) {
  for (const Op* op : kBuilt) {
    if (std::strcmp(op->name, name) == 0) return op;
  }
  return nullptr;
}

bool is_known_op(const char* name) {
  for (const char* known : kKnown) {
    if (std::strcmp(known, name) == 0) return true;
  }
  return false;
}

}  // namespace medulla
