// SPDX-License-Identifier: Apache-2.0
// Operands that broadcast, row by row of the output: where each has the row that is computed.
#ifndef MEDULLA_BACKENDS_CPU_BROADCAST_H_
#define MEDULLA_BACKENDS_CPU_BROADCAST_H_

#include "backends/cpu/lowering.h"

namespace medulla::cpu {

// An operand. A constant has no place among the step's operands.
struct Source {
  int operand;
  const void* constant;
  mdl_shape shape;  // at most; a constant's own
};
Source read_source(const GroupView& group, const mdl_tensor* tensor);

inline const mdl_shape& shape_of(const Source& source, const mdl_shape* shapes) {
  return source.operand >= 0 ? shapes[source.operand] : source.shape;
}

inline const void* data_of(const Source& source, const mdl_operand* operands) {
  return source.operand >= 0 ? operands[source.operand].data : source.constant;
}

// How a source's rows are walked while the rows of the output go one by one.
struct RowWalk {
  mdl_shape output;
  int64_t step[MDL_MAX_RANK];  // rows to move when an outer index grows by one
  bool has_all;                // row r of the output is row r of the source

  // The row that the source has at the output's row `row`.
  size_t at(size_t row) const;
};
RowWalk row_walk(const mdl_shape& from, const mdl_shape& output);

// Whether an output may be written over the source: it has a place, and it is read where is
// written.
bool is_in_place(const Source& source, const mdl_shape& output);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_BROADCAST_H_
