// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

#include <cstring>

namespace medulla {
namespace {

template <class T>
void copy(const mdl_shape& shape, const void* from, const Strides& strides, void* to) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  mdl_shape rows = shape;
  int64_t count = 1;
  int64_t stride = 0;
  if (shape.rank > 0) {
    count = shape.dims[shape.rank - 1];
    stride = strides.of[shape.rank - 1];
    rows.dims[shape.rank - 1] = count > 0 ? 1 : 0;
  }
  for (Walk<1> w(rows, {strides}); !w.done(); w.next()) {
    for (int64_t i = 0; i < count; ++i) *y++ = x[w.offset[0] + i * stride];
  }
}

}  // namespace

void copy_strided(size_t bytes, const mdl_shape& shape, const void* x, const Strides& strides,
                  void* y) {
  switch (bytes) {
    case 1:
      return copy<uint8_t>(shape, x, strides, y);
    case 2:
      return copy<uint16_t>(shape, x, strides, y);
    case 4:
      return copy<uint32_t>(shape, x, strides, y);
    default:
      return copy<uint64_t>(shape, x, strides, y);
  }
}

mdl_status reference_view(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const size_t bits = static_cast<size_t>(x.elements()) * mdl_dtype_bits(x.dtype);
  if (bits != 0) std::memmove(call.outputs[0], call.inputs[0], (bits + 7) / 8);
  return MDL_OK;
}

}  // namespace medulla
