// SPDX-License-Identifier: Apache-2.0
// Values as floats, to and from a tensor's own dtype.
#ifndef MEDULLA_SRC_GRAPH_CONVERT_H_
#define MEDULLA_SRC_GRAPH_CONVERT_H_

#include "medulla/backend.h"

namespace medulla {

// Whether the two functions below know the dtype.
bool converts(mdl_dtype dtype);

inline bool is_float_dtype(mdl_dtype dtype) {
  return dtype == MDL_FLOAT16 || dtype == MDL_BFLOAT16 || dtype == MDL_FLOAT32 ||
         dtype == MDL_FLOAT64;
}

// Writes all elements of a tensor of `shape`: with a scale by the rule of QuantizeLinear, integers
// without one rounded to nearest even and saturated, NaN to 0.
void floats_to_tensor(const mdl_tensor& tensor, const mdl_shape& shape, const float* values,
                      void* data);

// The reverse: (q - zero_point) * scale, or the value itself.
void tensor_to_floats(const mdl_tensor& tensor, const mdl_shape& shape, const void* data,
                      float* values);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_CONVERT_H_
