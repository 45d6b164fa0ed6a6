// SPDX-License-Identifier: Apache-2.0
#include "src/base/checked.h"
#include "src/ops/move.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"shape", MDL_ATTRIBUTE_INTS, true},
                                         {"allowzero", MDL_ATTRIBUTE_INT}};

// 0 copies the input's dimension (is 0, with allowzero); one -1 stands for what is left.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_shape& x = inputs[0].shape;
  const std::span<const int64_t> wanted = node.ints("shape");
  const bool allow_zero = node.int_or("allowzero", 0) != 0;
  if (wanted.size() > MDL_MAX_RANK) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "shape has ", wanted.size(),
                     " dimensions, should have at most ", MDL_MAX_RANK);
  }
  mdl_shape shape = {static_cast<uint32_t>(wanted.size()), {}};
  // A 0 among the copied dimensions says nothing about the others, so the counts leave them out.
  mdl_shape rest = x;
  bool copies_zero = false;
  int64_t known = 1;
  uint32_t open = MDL_MAX_RANK;
  for (uint32_t d = 0; d < shape.rank; ++d) {
    if (wanted[d] < -1 || (wanted[d] == -1 && open != MDL_MAX_RANK) ||
        (wanted[d] == 0 && !allow_zero && d >= x.rank)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "shape[", d, "] is ", wanted[d],
                       ", should be a size, one -1, or 0 to copy a dimension of ", x);
    }
    if (wanted[d] == -1) {
      open = d;
      continue;
    }
    const bool copied = wanted[d] == 0 && !allow_zero;
    shape.dims[d] = copied ? x.dims[d] : wanted[d];
    copies_zero = copies_zero || (copied && x.dims[d] == 0);
    if (copied) rest.dims[d] = 1;
    if (!checked_mul(known, copied ? 1 : wanted[d], &known)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "shape is too large at dimension ", d);
    }
  }
  const int64_t count = extent(rest, 0, rest.rank);
  if (open != MDL_MAX_RANK) {
    if (known == 0 || count % known != 0) {
      return fail_node(error, MDL_ERROR_SHAPE, node, count, " elements of ", x,
                       ", copied dimensions apart, should be a multiple of ", known, " for shape[",
                       open, "] = -1");
    }
    shape.dims[open] = count / known;
  } else if (known != count && !copies_zero) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "shape ", shape, " has ", known,
                     " elements, should have the ", count, " of ", x, ", copied dimensions apart");
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

}  // namespace

extern const Op op_Reshape = view_op("Reshape", infer, kAttributes);

}  // namespace medulla
