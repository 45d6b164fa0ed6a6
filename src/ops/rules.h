// SPDX-License-Identifier: Apache-2.0
// Rules that many operators share. Each refuses with a text that names the node.
#ifndef MEDULLA_SRC_OPS_RULES_H_
#define MEDULLA_SRC_OPS_RULES_H_

#include <initializer_list>

#include "src/ops/op.h"

namespace medulla {

mdl_status check_dtype(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                       mdl_dtype dtype, mdl_error* error);

// Dtypes as bits, for operators that take several.
using DtypeSet = uint32_t;
constexpr DtypeSet set_of(std::initializer_list<mdl_dtype> dtypes) {
  DtypeSet set = 0;
  for (const mdl_dtype dtype : dtypes) set |= 1u << dtype;
  return set;
}
inline constexpr DtypeSet kSingles = set_of({MDL_FLOAT16, MDL_BFLOAT16, MDL_FLOAT32});
inline constexpr DtypeSet kFloats = kSingles | set_of({MDL_FLOAT64});
inline constexpr DtypeSet kSigned = set_of({MDL_INT8, MDL_INT16, MDL_INT32, MDL_INT64});
inline constexpr DtypeSet kUnsigned = set_of({MDL_UINT8, MDL_UINT16, MDL_UINT32, MDL_UINT64});
inline constexpr DtypeSet kIntegers = kSigned | kUnsigned;
inline constexpr DtypeSet kNumbers = kFloats | kIntegers;
inline constexpr DtypeSet kBool = set_of({MDL_BOOL});
constexpr bool has_dtype(DtypeSet set, mdl_dtype dtype) { return (set >> dtype & 1) != 0; }
mdl_status check_dtypes(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                        DtypeSet set, mdl_error* error);

// `axis` of a tensor of that rank, negative ones counted from the end.
mdl_status resolve_axis(const NodeView& node, int64_t axis, uint32_t rank, uint32_t* resolved,
                        mdl_error* error);
// The attribute `axis`, `otherwise` when absent, of a node for which it is known to be in range.
inline uint32_t axis_of(const NodeView& node, int64_t otherwise, uint32_t rank) {
  const int64_t axis = node.int_or("axis", otherwise);
  return static_cast<uint32_t>(axis < 0 ? axis + rank : axis);
}
// As resolve_axis, for a list, in which no axis may stand twice, as bits.
mdl_status resolve_axes(const NodeView& node, std::span<const int64_t> axes, uint32_t rank,
                        uint32_t* mask, mdl_error* error);

// A float attribute as it takes part in arithmetic. check_float refuses what is no float32, or NaN.
inline bool is_float(double value) {
  return static_cast<double>(static_cast<float>(value)) == value;
}
float float_attribute(const NodeView& node, const char* name, float otherwise);
mdl_status check_float(const NodeView& node, const char* name, mdl_error* error);

// Sets outputs[o], unless a dimension is negative or the size in bits overflows.
mdl_status set_output(const NodeView& node, std::span<TensorType> outputs, size_t o,
                      mdl_dtype dtype, const mdl_shape& shape, mdl_error* error);

// For operators that move elements without a look at them: whole bytes.
mdl_status check_movable(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                         mdl_error* error);
inline size_t element_bytes(const TensorType& type) { return mdl_dtype_bits(type.dtype) / 8; }
// Elements of both mean the same: no quantization, or one equal scale and zero point.
mdl_status check_same_quantization(const NodeView& node, const mdl_tensor& a, const mdl_tensor& b,
                                   mdl_error* error);
// An Op.check: that is so for input 0 and each output.
mdl_status check_quantization_kept(const NodeView& node, mdl_error* error);

// The product of the dimensions [begin, end).
inline int64_t extent(const mdl_shape& shape, uint32_t begin, uint32_t end) {
  int64_t count = 1;
  for (uint32_t d = begin; d < end; ++d) count *= shape.dims[d];
  return count;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_RULES_H_
