// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT}};

// Without an axis the elements are taken as one dimension.
mdl_status read_shape(const NodeView& node, const TensorType& x, mdl_shape* shape, uint32_t* axis,
                      mdl_error* error) {
  *shape = x.shape;
  *axis = 0;
  if (node.attribute("axis") != nullptr) {
    return resolve_axis(node, node.int_or("axis", 0), x.rank(), axis, error);
  }
  *shape = {1, {x.elements()}};
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_BOOL, error));
  if (inputs[1].rank() != 1) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 1 is ", inputs[1].shape,
                     ", should have one dimension");
  }
  mdl_shape shape;
  uint32_t axis;
  MDL_TRY(read_shape(node, inputs[0], &shape, &axis, error));
  shape.dims[axis] = std::min(shape.dims[axis], inputs[1].dim(0));
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

uint32_t found(const NodeView& node, size_t) { return 1u << axis_of(node, 0, node.input(0)->rank); }

// y keeps the indices along the axis at which input 1 is true; those behind its end are not.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  mdl_shape shape;
  uint32_t axis;
  MDL_TRY(read_shape(call.node, call.input_types[0], &shape, &axis, error));
  const uint8_t* keep = call.in<uint8_t>(1);
  const int64_t indices = std::min(shape.dims[axis], call.input_types[1].dim(0));
  const size_t bytes =
      static_cast<size_t>(extent(shape, axis + 1, shape.rank)) * element_bytes(call.input_types[0]);
  const uint8_t* from = call.in<uint8_t>(0);
  uint8_t* to = call.out<uint8_t>(0);
  for (int64_t o = extent(shape, 0, axis); o > 0; --o) {
    for (int64_t i = 0; i < indices; ++i) {
      if (keep[i] == 0) continue;
      std::memcpy(to, from + static_cast<size_t>(i) * bytes, bytes);
      to += bytes;
    }
    from += static_cast<size_t>(shape.dims[axis]) * bytes;
  }
  call.found[0].dims[axis] = indices - std::count(keep, keep + indices, 0);
  return MDL_OK;
}

}  // namespace

extern const Op op_Compress = {
    .name = "Compress",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
    .found = found,
};

}  // namespace medulla
