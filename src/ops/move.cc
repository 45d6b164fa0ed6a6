// SPDX-License-Identifier: Apache-2.0
#include "src/ops/move.h"

#include <cstring>

namespace medulla {
namespace {

template <class T>
void copy(const mdl_shape& shape, const T* x, const Strides& strides, T* y) {
  // What lies together goes together: the dimensions from the last one on that are dense in x.
  mdl_shape rows = shape;
  int64_t count = 1;
  while (rows.rank > 0 && strides.of[rows.rank - 1] == count) count *= rows.dims[--rows.rank];
  if (count > 1) {
    for (Walk<1> w(rows, {strides}); !w.done(); w.next(), y += count) {
      std::memcpy(y, x + w.offset[0], static_cast<size_t>(count) * sizeof(T));
    }
    return;
  }
  int64_t stride = 0;
  rows = shape;
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
  const auto copy_as = [&]<class T>(T) {
    copy(shape, static_cast<const T*>(x), strides, static_cast<T*>(y));
  };
  switch (bytes) {
    case 1:
      return copy_as(uint8_t{});
    case 2:
      return copy_as(uint16_t{});
    case 4:
      return copy_as(uint32_t{});
    default:
      return copy_as(uint64_t{});
  }
}

mdl_status reference_view(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const size_t bits = static_cast<size_t>(x.elements()) * mdl_dtype_bits(x.dtype);
  if (bits != 0) std::memmove(call.outputs[0], call.inputs[0], (bits + 7) / 8);
  return MDL_OK;
}

}  // namespace medulla
