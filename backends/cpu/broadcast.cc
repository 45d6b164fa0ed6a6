// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/broadcast.h"

#include <algorithm>

namespace medulla::cpu {

Source read_source(const GroupView& group, const mdl_tensor* tensor) {
  return {group.operand(tensor), tensor->data, max_shape(*tensor)};
}

size_t RowWalk::at(size_t row) const {
  if (has_all) return row;
  int64_t at = 0;
  for (uint32_t d = output.rank > 0 ? output.rank - 1 : 0; d-- > 0;) {
    const size_t extent = static_cast<size_t>(output.dims[d]);
    at += static_cast<int64_t>(row % extent) * step[d];
    row /= extent;
  }
  return static_cast<size_t>(at);
}

RowWalk row_walk(const mdl_shape& from, const mdl_shape& output) {
  RowWalk walk = {.output = output, .step = {}, .has_all = rows_of(from) == rows_of(output)};
  int64_t rows = 1;
  for (uint32_t i = 1; i < from.rank; ++i) {
    const uint32_t d = from.rank - 1 - i;
    if (from.dims[d] > 1) walk.step[output.rank - 1 - i] = rows;
    rows *= from.dims[d];
  }
  return walk;
}

bool is_in_place(const Source& source, const mdl_shape& output) {
  return source.operand >= 0 && source.shape.rank == output.rank &&
         std::equal(output.dims, output.dims + output.rank, source.shape.dims);
}

}  // namespace medulla::cpu
