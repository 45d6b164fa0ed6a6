// SPDX-License-Identifier: Apache-2.0
#include "src/ops/rules.h"

#include <cstring>

#include "src/base/checked.h"

namespace medulla {

mdl_status check_dtype(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                       mdl_dtype dtype, mdl_error* error) {
  if (inputs[i].dtype == dtype) return MDL_OK;
  return fail_node(error, MDL_ERROR_DTYPE, node, "input ", i, " is ",
                   mdl_dtype_name(inputs[i].dtype), ", should be ", mdl_dtype_name(dtype));
}

mdl_status check_dtypes(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                        DtypeSet set, mdl_error* error) {
  if (has_dtype(set, inputs[i].dtype)) return MDL_OK;
  char names[128];
  Text text(names, sizeof names);
  for (uint32_t d = 0; set >> d != 0; ++d) {
    if ((set >> d & 1) == 0) continue;
    const DtypeSet below = set & ((1u << d) - 1);
    text << (below == 0      ? ""
             : set >> d == 1 ? " or "
                             : ", ")
         << mdl_dtype_name(static_cast<mdl_dtype>(d));
  }
  return fail_node(error, MDL_ERROR_DTYPE, node, "input ", i, " is ",
                   mdl_dtype_name(inputs[i].dtype), ", should be ", names);
}

mdl_status resolve_axis(const NodeView& node, int64_t axis, uint32_t rank, uint32_t* resolved,
                        mdl_error* error) {
  const int64_t r = rank;
  if (axis < -r || axis >= r) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "axis is ", axis, ", should be from ", -r,
                     " to ", r - 1, " at rank ", rank);
  }
  *resolved = static_cast<uint32_t>(axis < 0 ? axis + r : axis);
  return MDL_OK;
}

mdl_status resolve_axes(const NodeView& node, std::span<const int64_t> axes, uint32_t rank,
                        uint32_t* mask, mdl_error* error) {
  *mask = 0;
  for (const int64_t axis : axes) {
    uint32_t d;
    MDL_TRY(resolve_axis(node, axis, rank, &d, error));
    if ((*mask >> d & 1) != 0) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "axis ", axis, " stands twice in axes");
    }
    *mask |= 1u << d;
  }
  return MDL_OK;
}

float float_attribute(const NodeView& node, const char* name, float otherwise) {
  return static_cast<float>(node.float_or(name, static_cast<double>(otherwise)));
}

mdl_status check_float(const NodeView& node, const char* name, mdl_error* error) {
  const double value = node.float_or(name, 0);
  if (is_float(value)) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " is ", value,
                   ", should be a float32 and not NaN");
}

mdl_status set_output(const NodeView& node, std::span<TensorType> outputs, size_t o,
                      mdl_dtype dtype, const mdl_shape& shape, mdl_error* error) {
  int64_t bits = mdl_dtype_bits(dtype);
  for (uint32_t d = 0; d < shape.rank; ++d) {
    if (shape.dims[d] < 0) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "output ", o, " would have the shape ", shape,
                       ", should have no negative dimension");
    }
    // A dimension of 0 must not hide the overflow of the others.
    if (shape.dims[d] > 0 && !checked_mul(bits, shape.dims[d], &bits)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "output ", o, " would have the shape ", shape,
                       " of ", mdl_dtype_name(dtype), ", too large to address");
    }
  }
  outputs[o].dtype = dtype;
  outputs[o].shape = shape;
  return MDL_OK;
}

mdl_status check_movable(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                         mdl_error* error) {
  if (mdl_dtype_bits(inputs[i].dtype) >= 8) return MDL_OK;
  return fail_node(error, MDL_ERROR_DTYPE, node, "input ", i, " is ",
                   mdl_dtype_name(inputs[i].dtype), ", should have elements of whole bytes");
}

mdl_status check_same_quantization(const NodeView& node, const mdl_tensor& a, const mdl_tensor& b,
                                   mdl_error* error) {
  const mdl_quantization& p = a.quantization;
  const mdl_quantization& q = b.quantization;
  if (p.count == 0 && q.count == 0) return MDL_OK;
  if (p.count == 1 && q.count == 1 && std::memcmp(p.scales, q.scales, sizeof(float)) == 0 &&
      p.zero_points[0] == q.zero_points[0]) {
    return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "'", a.name, "' and '", b.name,
                   "' differ in quantization; should have none, or one equal scale and zero point");
}

mdl_status check_quantization_kept(const NodeView& node, mdl_error* error) {
  for (size_t o = 0; o < node.output_count(); ++o) {
    if (node.output(o) == nullptr) continue;
    MDL_TRY(check_same_quantization(node, *node.input(0), *node.output(o), error));
  }
  return MDL_OK;
}

}  // namespace medulla
