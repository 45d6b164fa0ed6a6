// SPDX-License-Identifier: Apache-2.0
// What the operators that only move elements share.
#ifndef MEDULLA_SRC_OPS_MOVE_H_
#define MEDULLA_SRC_OPS_MOVE_H_

#include "src/ops/rules.h"
#include "src/ops/walk.h"

namespace medulla {

// Fills a dense `y` of `shape` in order with the elements of `x` that `strides` reach, each of
// `bytes` bytes: 1, 2, 4 or 8.
void copy_strided(size_t bytes, const mdl_shape& shape, const void* x, const Strides& strides,
                  void* y);

// The reference of a view: output 0 has the bytes of input 0.
mdl_status reference_view(const ReferenceCall& call, mdl_error* error);

// An operator whose output 0 is input 0 under another shape, which `infer` gives.
constexpr Op view_op(const char* name, decltype(Op::infer) infer,
                     std::span<const AttributeRule> attributes = {}) {
  return {.name = name,
          .attributes = attributes,
          .infer = infer,
          .check = check_quantization_kept,
          .reference = reference_view,
          .view = true};
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_MOVE_H_
