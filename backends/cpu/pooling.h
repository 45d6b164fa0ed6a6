// SPDX-License-Identifier: Apache-2.0
// What a pool's node says, as a kernel's geometry, and the rows that its step has.
#ifndef MEDULLA_BACKENDS_CPU_POOLING_H_
#define MEDULLA_BACKENDS_CPU_POOLING_H_

#include "backends/cpu/lowering.h"
#include "kernels/pool.h"

namespace medulla::cpu {

// The geometry at this shape of its input. A global pool is one window over the picture.
// UNSUPPORTED with the reason when the kernels cannot do it.
mdl_status read_pooling(const NodeView& node, const mdl_shape& input, PoolGeometry* geometry,
                        mdl_error* error);

// Whether the group is one of these pools, of float32 or not, that the kernels can do. UNSUPPORTED,
// with the reason where it is a pool.
mdl_status check_pooling(const GroupView& group, std::span<const char* const> pools, bool floats,
                         mdl_error* error);

// Output pixels, and how many of them make a row of the step.
struct PoolPixels {
  size_t count;
  size_t unit;

  int64_t rows() const { return units_of(count, unit); }
  size_t at(int64_t row) const {
    const size_t pixel = static_cast<size_t>(row) * unit;
    return pixel < count ? pixel : count;
  }
};

PoolPixels pixels_of(const PoolGeometry& geometry);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_POOLING_H_
