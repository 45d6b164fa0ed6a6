// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "src/ops/order.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"k", MDL_ATTRIBUTE_INT, true},
    {"axis", MDL_ATTRIBUTE_INT},
    {"largest", MDL_ATTRIBUTE_INT},
};

// A dimension that is shorter than k at run time is given whole.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), inputs[0].rank(), &axis, error));
  const int64_t k = node.int_or("k", 0);
  if (k < 1) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "k is ", k, ", should be at least 1");
  }
  mdl_shape shape = inputs[0].shape;
  shape.dims[axis] = std::min(shape.dims[axis], k);
  MDL_TRY(set_output(node, outputs, 0, inputs[0].dtype, shape, error));
  if (outputs.size() < 2) return MDL_OK;
  return set_output(node, outputs, 1, MDL_INT64, shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  uint32_t axis;
  const mdl_tensor& x = *node.input(0);
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), x.rank, &axis, error));
  if (node.int_or("k", 0) > x.dims[axis]) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "k is ", node.int_or("k", 0),
                     ", should be at most ", x.dims[axis], ", the extent of dimension ", axis);
  }
  if (node.output(0) == nullptr) return MDL_OK;
  return check_same_quantization(node, x, *node.output(0), error);
}

size_t scratch(const NodeView& node, std::span<const TensorType> inputs,
               std::span<const TensorType>) {
  uint32_t axis;
  if (resolve_axis(node, node.int_or("axis", -1), inputs[0].rank(), &axis, nullptr) != MDL_OK) {
    return 0;
  }
  return static_cast<size_t>(inputs[0].dim(axis)) * sizeof(int64_t);
}

// The k greatest (or least) elements along the axis, in order, and their indices; of equal ones
// that with the lower index comes first.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), x.rank(), &axis, error));
  const int sign = call.node.int_or("largest", 1) != 0 ? -1 : 1;
  const int64_t size = x.dim(axis);
  const int64_t k = std::min(size, call.node.int_or("k", 0));
  const int64_t inner = extent(x.shape, axis + 1, x.rank());
  const size_t bytes = element_bytes(x);
  const uint8_t* from = call.in<uint8_t>(0);
  int64_t* order = static_cast<int64_t*>(call.scratch);
  for (int64_t o = 0; o < extent(x.shape, 0, axis); ++o) {
    for (int64_t r = 0; r < inner; ++r) {
      const auto at = [&](int64_t i) { return (o * size + i) * inner + r; };
      for (int64_t i = 0; i < size; ++i) order[i] = i;
      std::partial_sort(order, order + k, order + size, [&](int64_t a, int64_t b) {
        const int by_value = sign * compare_elements(x.dtype, from, at(a), at(b));
        return by_value != 0 ? by_value < 0 : a < b;
      });
      for (int64_t i = 0; i < k; ++i) {
        const int64_t to = (o * k + i) * inner + r;
        if (uint8_t* values = call.out<uint8_t>(0)) {
          std::memcpy(values + static_cast<size_t>(to) * bytes,
                      from + static_cast<size_t>(at(order[i])) * bytes, bytes);
        }
        if (int64_t* indices = call.out<int64_t>(1)) indices[to] = order[i];
      }
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_TopK = {
    .name = "TopK",
    .max_outputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .scratch = scratch,
};

}  // namespace medulla
