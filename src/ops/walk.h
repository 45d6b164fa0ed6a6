// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_OPS_WALK_H_
#define MEDULLA_SRC_OPS_WALK_H_

#include <cstdint>

#include "medulla/backend.h"

namespace medulla {

// Distances, in elements, between neighbors of each dimension.
struct Strides {
  int64_t of[MDL_MAX_RANK] = {};
};

inline Strides dense_strides(const mdl_shape& shape) {
  Strides strides;
  int64_t stride = 1;
  for (uint32_t d = shape.rank; d-- > 0; stride *= shape.dims[d]) strides.of[d] = stride;
  return strides;
}

// Visits the indices of `shape` in order, the last dimension fastest, and keeps N offsets:
//   for (Walk<2> w(shape, {a, b}); !w.done(); w.next()) y[w.offset[0]] = x[w.offset[1]];
template <uint32_t N>
class Walk {
 public:
  Walk(const mdl_shape& shape, const Strides (&strides)[N]) : shape_(shape) {
    for (uint32_t n = 0; n < N; ++n) strides_[n] = strides[n];
    for (uint32_t d = 0; d < shape.rank; ++d) done_ = done_ || shape.dims[d] == 0;
  }

  bool done() const { return done_; }

  void next() {
    for (uint32_t d = shape_.rank; d-- > 0;) {
      for (uint32_t n = 0; n < N; ++n) offset[n] += strides_[n].of[d];
      if (++index[d] < shape_.dims[d]) return;
      for (uint32_t n = 0; n < N; ++n) offset[n] -= strides_[n].of[d] * shape_.dims[d];
      index[d] = 0;
    }
    done_ = true;
  }

  int64_t index[MDL_MAX_RANK] = {};
  int64_t offset[N] = {};

 private:
  mdl_shape shape_;
  Strides strides_[N];
  bool done_ = false;
};

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_WALK_H_
