// SPDX-License-Identifier: Apache-2.0
// A session's inputs, outputs and named tensors.
#include <cmath>

#include "src/api/handles.h"
#include "src/api/options.h"
#include "src/api/tensor_info.h"
#include "src/base/fp_env.h"
#include "src/graph/convert.h"

namespace medulla {
namespace {

// The tensor of input or output `index`, or the failure.
mdl_status find_port(const mdl_session* session, bool output, size_t index, int32_t* tensor,
                     mdl_error* error) {
  if (session == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "the session is null");
  }
  const mdl_graph& graph = session->session().program().graph;
  const size_t count = output ? graph.output_count : graph.input_count;
  if (index >= count) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, output ? "output " : "input ", index,
                " asked for, the model has ", count);
  }
  *tensor = output ? graph.outputs[index] : graph.inputs[index];
  return MDL_OK;
}

mdl_status fail_null(const char* what, mdl_error* error) {
  return fail(error, MDL_ERROR_INVALID_ARGUMENT, what, " is null");
}

mdl_status check_buffer(const mdl_session& session, bool output, int32_t tensor, const void* data,
                        size_t bytes, mdl_error* error) {
  const mdl_tensor& info = session.session().program().graph.tensors[tensor];
  const char* what = output ? "output '" : "input '";
  const size_t rest = reinterpret_cast<uintptr_t>(data) % MDL_ALIGNMENT;
  if (rest != 0) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, what, info.name, "': the buffer is ", rest,
                " bytes off, should be aligned to ", MDL_ALIGNMENT);
  }
  if (data != nullptr && bytes < info.bytes) {
    return fail(error, MDL_ERROR_SHAPE, what, info.name, "': the buffer has ", bytes,
                " bytes, should have ", info.bytes);
  }
  return MDL_OK;
}

// A bound buffer that an output shares with another port, or with the session, would have two
// owners in a run.
mdl_status check_overlap(const mdl_session& handle, bool output, int32_t tensor, const void* data,
                         mdl_error* error) {
  if (data == nullptr) return MDL_OK;
  const Session& session = handle.session();
  const mdl_graph& graph = session.program().graph;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t end = begin + graph.tensors[tensor].bytes;
  if (begin == end) return MDL_OK;
  const uintptr_t own = reinterpret_cast<uintptr_t>(&handle);
  if (begin < own + handle.bytes && own < end) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, output ? "output '" : "input '",
                graph.tensors[tensor].name,
                "': the buffer is the session's own memory; give one of yours, or null to unbind");
  }
  for (const bool to_output : {true, false}) {
    if (!output && !to_output) break;  // inputs are only read
    const size_t count = to_output ? graph.output_count : graph.input_count;
    for (size_t i = 0; i < count; ++i) {
      const int32_t other = to_output ? graph.outputs[i] : graph.inputs[i];
      if (other == tensor || !session.is_bound(to_output, i)) continue;
      const uintptr_t first = reinterpret_cast<uintptr_t>(session.data(other));
      if (begin >= first + graph.tensors[other].bytes || first >= end) continue;
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, output ? "output '" : "input '",
                  graph.tensors[tensor].name, "': the buffer overlaps that of ",
                  to_output ? "output '" : "input '", graph.tensors[other].name,
                  "', which is bound; give each its own");
    }
  }
  return MDL_OK;
}

mdl_status check_floats(const Session& session, int32_t tensor, size_t count, mdl_error* error) {
  const mdl_tensor& info = session.program().graph.tensors[tensor];
  const mdl_shape shape = session.shape(tensor);
  if (!converts(info.dtype)) {
    return fail(error, MDL_ERROR_DTYPE, "'", info.name, "' is ", mdl_dtype_name(info.dtype),
                ", which is not converted from or to floats; use its memory");
  }
  size_t elements = 1;
  for (uint32_t d = 0; d < shape.rank; ++d) elements *= static_cast<size_t>(shape.dims[d]);
  if (count != elements) {
    return fail(error, MDL_ERROR_SHAPE, "'", info.name, "': ", count, " values, ", shape, " has ",
                elements);
  }
  return MDL_OK;
}

// What an integer cannot hold would become a number; a float input is looked at by the run.
mdl_status check_integers(const mdl_tensor& info, const float* values, size_t count,
                          mdl_error* error) {
  if (is_float_dtype(info.dtype)) return MDL_OK;
  for (size_t i = 0; i < count; ++i) {
    if (std::isfinite(values[i])) continue;
    return fail(error, MDL_ERROR_NOT_FINITE, "input '", info.name, "' is ",
                mdl_dtype_name(info.dtype), ", its value is not finite at element ", i);
  }
  return MDL_OK;
}

// What a run makes is there when the last one succeeded.
mdl_status check_answer(const Session& session, const char* name, mdl_error* error) {
  if (session.has_answer()) return MDL_OK;
  return fail(error, MDL_ERROR_STATE, "'", name,
              session.last_error().status == MDL_OK
                  ? "': the session has not run since it was created, resized or an output bound"
                  : "': the last run failed, see mdl_session_error");
}

mdl_status give_shape(const mdl_session* session, bool output, size_t index, int64_t* dims,
                      uint32_t* rank, mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, output, index, &tensor, error));
  if (dims == nullptr || rank == nullptr) return fail_null("dims or rank", error);
  const mdl_shape shape = session->session().shape(tensor);
  std::copy_n(shape.dims, shape.rank, dims);
  *rank = shape.rank;
  return MDL_OK;
}

}  // namespace
}  // namespace medulla

using namespace medulla;

mdl_status mdl_session_input(mdl_session* session, size_t index, void** data, size_t* bytes,
                             mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, false, index, &tensor, error));
  if (data == nullptr) return fail_null("data", error);
  *data = session->session().data(tensor);
  if (bytes != nullptr) *bytes = session->session().bytes(tensor);
  return MDL_OK;
}

mdl_status mdl_session_output(mdl_session* session, size_t index, const void** data, size_t* bytes,
                              mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, true, index, &tensor, error));
  if (data == nullptr) return fail_null("data", error);
  *data = session->session().data(tensor);
  if (bytes != nullptr) *bytes = session->session().bytes(tensor);
  return MDL_OK;
}

mdl_status mdl_session_bind_input(mdl_session* session, size_t index, const void* data,
                                  size_t bytes, mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, false, index, &tensor, error));
  MDL_TRY(check_buffer(*session, false, tensor, data, bytes, error));
  MDL_TRY(check_overlap(*session, false, tensor, data, error));
  const FloatEnvironment environment;
  // No step writes to an input.
  return session->session().bind_input(index, const_cast<void*>(data), error);
}

mdl_status mdl_session_bind_output(mdl_session* session, size_t index, void* data, size_t bytes,
                                   mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, true, index, &tensor, error));
  MDL_TRY(check_buffer(*session, true, tensor, data, bytes, error));
  MDL_TRY(check_overlap(*session, true, tensor, data, error));
  const FloatEnvironment environment;
  return session->session().bind_output(index, data, error);
}

mdl_status mdl_session_set_input(mdl_session* session, size_t index, const float* values,
                                 size_t count, mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, false, index, &tensor, error));
  if (values == nullptr && count > 0) return fail_null("values", error);
  const Session& s = session->session();
  const mdl_tensor& info = s.program().graph.tensors[tensor];
  MDL_TRY(check_floats(s, tensor, count, error));
  if (s.is_bound(false, index)) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "input '", info.name,
                "' is bound to a buffer of the caller, who has to write it");
  }
  if (s.checks_finite()) MDL_TRY(check_integers(info, values, count, error));
  floats_to_tensor(info, s.shape(tensor), values, s.data(tensor));
  return MDL_OK;
}

mdl_status mdl_session_get_output(const mdl_session* session, size_t index, float* values,
                                  size_t count, mdl_error* error) {
  int32_t tensor = -1;
  MDL_TRY(find_port(session, true, index, &tensor, error));
  if (values == nullptr && count > 0) return fail_null("values", error);
  const Session& s = session->session();
  MDL_TRY(check_floats(s, tensor, count, error));
  MDL_TRY(check_answer(s, s.program().graph.tensors[tensor].name, error));
  tensor_to_floats(s.program().graph.tensors[tensor], s.shape(tensor), s.data(tensor), values);
  return MDL_OK;
}

mdl_status mdl_session_input_shape(const mdl_session* session, size_t index, int64_t* dims,
                                   uint32_t* rank, mdl_error* error) {
  return give_shape(session, false, index, dims, rank, error);
}

mdl_status mdl_session_output_shape(const mdl_session* session, size_t index, int64_t* dims,
                                    uint32_t* rank, mdl_error* error) {
  return give_shape(session, true, index, dims, rank, error);
}

mdl_status mdl_session_tensor(const mdl_session* session, const char* name, mdl_tensor_info* info,
                              const void** data, mdl_error* error) {
  if (session == nullptr || name == nullptr || data == nullptr) {
    return fail_null("session, name or data", error);
  }
  if (info != nullptr && info->struct_size < sizeof(size_t)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "info: its struct_size is not set");
  }
  const Session& s = session->session();
  const mdl_graph& graph = s.program().graph;
  constexpr uint32_t kReadable =
      MDL_TENSOR_INPUT | MDL_TENSOR_OUTPUT | MDL_TENSOR_STATE | MDL_TENSOR_KEEP;
  for (size_t t = 0; t < graph.tensor_count; ++t) {
    const mdl_tensor& tensor = graph.tensors[t];
    if ((tensor.flags & kReadable) == 0 || std::strcmp(tensor.name, name) != 0) continue;
    const int32_t index = static_cast<int32_t>(t);
    const void* pointer = s.data(index);
    if (pointer == nullptr) break;
    if ((tensor.flags & (MDL_TENSOR_INPUT | MDL_TENSOR_STATE)) == 0) {
      MDL_TRY(check_answer(s, name, error));
    }
    mdl_shape shape = s.shape(index);
    for (size_t k = 0; k < graph.state_count; ++k) {
      if (graph.states[k].tensor == index) shape = s.state_shape(k);
    }
    if (info != nullptr) fill_info(tensor, shape, info);
    *data = pointer;
    return MDL_OK;
  }
  NameList known;
  list_names(graph, kReadable, known);
  return fail(error, MDL_ERROR_NOT_FOUND, "'", name,
              "' is no input, output, state, or tensor that is kept (options.keep); there are ",
              known.text());
}
