// SPDX-License-Identifier: Apache-2.0
// States: tensors that live from one run to the next.
#include <cstring>

#include "src/model/loader.h"

namespace medulla {
namespace {

template <class... Parts>
mdl_status fail_state(mdl_error* error, size_t index, const mdl_tensor& tensor,
                      const Parts&... parts) {
  return fail(error, MDL_ERROR_BAD_MODEL, "state ", index, " ('", tensor.name, "'): ", parts...);
}

mdl_shape shape_of(const mdl_tensor& tensor) {
  mdl_shape shape = {tensor.rank, {}};
  std::memcpy(shape.dims, tensor.dims, sizeof(shape.dims));
  return shape;
}

bool same_quantization(const mdl_quantization& a, const mdl_quantization& b) {
  return a.count == b.count && a.axis == b.axis &&
         (a.count == 0 ||
          (std::memcmp(a.scales, b.scales, a.count * sizeof(float)) == 0 &&
           std::memcmp(a.zero_points, b.zero_points, a.count * sizeof(int32_t)) == 0));
}

mdl_status decode_state(const GraphContext& context, uint32_t index, mdl_tensor* tensors,
                        mdl_state* state, mdl_error* error) {
  const format::State& from = *context.from->states()->Get(index);
  const int64_t count = static_cast<int64_t>(context.graph().tensor_count);
  *state = {from.tensor(), from.written(), MDL_STATE_REPLACE, from.axis(), nullptr};
  for (const int32_t t : {state->tensor, state->written}) {
    if (t >= 0 && t < count) continue;
    return fail(error, MDL_ERROR_BAD_MODEL, "state ", index, ": names tensor ", t,
                ", should be from 0 to ", count - 1);
  }
  mdl_tensor& tensor = tensors[state->tensor];
  const int kind = static_cast<int>(from.kind());
  if (kind > MDL_STATE_APPEND) {
    return fail_state(error, index, tensor, "kind is ", kind,
                      ", should be 0 (replace) or 1 (append)");
  }
  state->kind = static_cast<mdl_state_kind>(kind);
  if (tensor.data != nullptr || (tensor.flags & (MDL_TENSOR_INPUT | MDL_TENSOR_STATE)) != 0) {
    return fail_state(error, index, tensor, "the tensor is also ",
                      tensor.data != nullptr                   ? "a constant"
                      : (tensor.flags & MDL_TENSOR_INPUT) != 0 ? "an input"
                                                               : "another state's");
  }
  tensor.flags |= MDL_TENSOR_STATE;
  if (state->kind == MDL_STATE_REPLACE) {
    return find_buffer(context, from.initial(), tensor, "its initial value", &state->initial,
                       error);
  }
  if (state->axis < 0 || static_cast<uint32_t>(state->axis) >= tensor.rank) {
    return fail_state(error, index, tensor, "axis is ", state->axis, ", should be from 0 to below ",
                      tensor.rank);
  }
  if (tensor.symbols[state->axis] == nullptr) {
    return fail_state(error, index, tensor, "grows along dimension ", state->axis,
                      ", which should be dynamic");
  }
  if (mdl_dtype_bits(tensor.dtype) < 8) {
    return fail_state(error, index, tensor, "is ", mdl_dtype_name(tensor.dtype),
                      "; a state that grows should have values of whole bytes");
  }
  if (from.initial() != 0) {
    return fail_state(error, index, tensor,
                      "has an initial value; a state that grows should begin empty");
  }
  return MDL_OK;
}

mdl_status check_state(const mdl_graph& graph, size_t index, mdl_error* error) {
  const mdl_state& state = graph.states[index];
  const mdl_tensor& tensor = graph.tensors[state.tensor];
  const mdl_tensor& written = graph.tensors[state.written];
  if (written.producer < 0) {
    return fail_state(error, index, tensor, "is written from '", written.name,
                      "', which should be made by a node");
  }
  if (written.dtype != tensor.dtype ||
      !same_quantization(written.quantization, tensor.quantization)) {
    return fail_state(error, index, tensor, "is ", mdl_dtype_name(tensor.dtype), ", '",
                      written.name, "', which is written to it, is ", mdl_dtype_name(written.dtype),
                      "; dtype and quantization should be equal");
  }
  bool agree = written.rank == tensor.rank;
  for (uint32_t d = 0; agree && d < tensor.rank; ++d) {
    const bool grows = state.kind == MDL_STATE_APPEND && static_cast<int32_t>(d) == state.axis;
    agree = grows ? written.dims[d] <= tensor.dims[d] : written.dims[d] == tensor.dims[d];
  }
  if (agree) return MDL_OK;
  return fail_state(error, index, tensor, "is ", shape_of(tensor), ", '", written.name,
                    "', which is written to it, is ", shape_of(written), ", should ",
                    state.kind == MDL_STATE_APPEND ? "fit but for the axis" : "be the same");
}

}  // namespace

mdl_status decode_states(const GraphContext& context, mdl_tensor* tensors, mdl_state* states,
                         mdl_error* error) {
  const uint32_t count = size_of(context.from->states());
  if (count > 0 && context.index > 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has states, which only the main graph has");
  }
  for (uint32_t s = 0; s < count; ++s) {
    MDL_TRY(decode_state(context, s, tensors, &states[s], error));
  }
  return MDL_OK;
}

mdl_status check_states(const mdl_graph& graph, mdl_tensor* tensors, mdl_error* error) {
  for (size_t s = 0; s < graph.state_count; ++s) {
    MDL_TRY(check_state(graph, s, error));
    tensors[graph.states[s].written].flags |= MDL_TENSOR_WRITTEN;
  }
  return MDL_OK;
}

}  // namespace medulla
