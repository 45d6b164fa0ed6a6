// SPDX-License-Identifier: Apache-2.0
#include "src/ops/control.h"

namespace medulla {

mdl_status check_taken(const NodeView& node, const char* what, const TensorType& given,
                       const mdl_tensor& declared, mdl_error* error) {
  if (given.dtype != declared.dtype) {
    return fail_node(error, MDL_ERROR_DTYPE, node, what, " is ", mdl_dtype_name(given.dtype),
                     ", the body's '", declared.name, "' is ", mdl_dtype_name(declared.dtype));
  }
  bool fits = given.rank() == declared.rank;
  for (uint32_t d = 0; fits && d < declared.rank; ++d) {
    fits = declared.symbols[d] != nullptr ? given.dim(d) <= declared.dims[d]
                                          : given.dim(d) == declared.dims[d];
  }
  if (fits) return MDL_OK;
  mdl_shape shape = {declared.rank, {}};
  for (uint32_t d = 0; d < declared.rank; ++d) shape.dims[d] = declared.dims[d];
  return fail_node(error, MDL_ERROR_SHAPE, node, what, " is ", given.shape, ", the body's '",
                   declared.name, "' is ", shape);
}

mdl_status check_same_meaning(const NodeView& node, const mdl_tensor* outside,
                              const mdl_tensor& inside, mdl_error* error) {
  return outside == nullptr ? MDL_OK : check_same_quantization(node, *outside, inside, error);
}

mdl_status read_loop(const NodeView& node, LoopShape* loop, mdl_error* error) {
  const int64_t carried = node.int_or("carried", 0);
  const int64_t scanned = node.int_or("scanned", 0);
  loop->body = node.attribute("body")->graph;
  loop->limit = node.int_or("limit", 0);
  loop->conditional = node.int_or("conditional", 0) != 0;
  const auto inputs = static_cast<int64_t>(node.input_count());
  if (loop->body == nullptr || carried < 0 || scanned < 0 || inputs < 2 || carried > inputs - 2 ||
      scanned > inputs - 2 - carried) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "has ", inputs, " inputs, should have 2, ",
                     carried, " that are carried and ", scanned, " that are scanned at least");
  }
  loop->carried = static_cast<size_t>(carried);
  loop->scanned = static_cast<size_t>(scanned);
  loop->captures = static_cast<size_t>(inputs - 2 - carried - scanned);
  if (loop->body->input_count != node.input_count()) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "its body has ", loop->body->input_count,
                     " inputs, should have ", inputs, ", one for each of the node's");
  }
  const size_t results = loop->body->output_count;
  if (results < loop->body_result() + loop->carried ||
      results - loop->body_result() != node.output_count()) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "its body has ", results,
                     " outputs, should have ", node.output_count() + loop->body_result(), ", ",
                     loop->body_result(), " of them the condition and ", carried, " carried");
  }
  loop->scans = node.output_count() - loop->carried;
  if (loop->limit < 0) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "limit is ", loop->limit,
                     ", should be at least 0");
  }
  return MDL_OK;
}

}  // namespace medulla
