// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_LINES_H_
#define MEDULLA_SRC_OPS_LINES_H_

#include "src/ops/rules.h"

namespace medulla {

// The lines of a dense tensor along one axis: line l has the elements first(l) + i * inner for
// i < length.
struct Lines {
  Lines(const mdl_shape& shape, uint32_t axis)
      : length(shape.dims[axis]),
        inner(extent(shape, axis + 1, shape.rank)),
        count(extent(shape, 0, axis) * inner) {}

  int64_t first(int64_t line) const { return line / inner * length * inner + line % inner; }

  int64_t length;
  int64_t inner;
  int64_t count;
};

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_LINES_H_
