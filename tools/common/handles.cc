// SPDX-License-Identifier: Apache-2.0
#include "tools/common/handles.h"

#include <stdexcept>

namespace medulla::tools {
namespace {

template <class Count, class Get>
std::vector<mdl_tensor_info> list_tensors(const mdl_model* model, Count count, Get get) {
  std::vector<mdl_tensor_info> list(count(model), mdl_tensor_info MDL_TENSOR_INFO_INIT);
  mdl_error error = MDL_ERROR_INIT;
  for (size_t i = 0; i < list.size(); ++i) check(get(model, i, &list[i], &error), error);
  return list;
}

}  // namespace

void check(mdl_status status, const mdl_error& error) {
  if (status == MDL_OK) return;
  throw std::runtime_error(std::string(error.text) + " (" + mdl_status_name(status) + ")");
}

void run_session(mdl_session* session) {
  const mdl_status status = mdl_session_run(session);
  if (status == MDL_OK) return;
  throw std::runtime_error(std::string(mdl_session_error(session)) + " (" +
                           mdl_status_name(status) + ")");
}

std::string shape_text(const mdl_tensor_info& info) {
  std::vector<std::string> extents;
  for (uint32_t d = 0; d < info.rank; ++d) {
    extents.push_back(((info.dynamic >> d & 1) != 0 ? "<=" : "") + std::to_string(info.dims[d]));
  }
  return shape_text(extents);
}
std::string shape_text(const mdl_tensor& tensor) {
  std::vector<std::string> extents;
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const char* symbol = tensor.symbols[d];
    extents.push_back((symbol != nullptr ? std::string(symbol) + "<=" : "") +
                      std::to_string(tensor.dims[d]));
  }
  return shape_text(extents);
}

std::vector<mdl_tensor_info> inputs_of(const mdl_model* model) {
  return list_tensors(model, mdl_model_input_count, mdl_model_input);
}
std::vector<mdl_tensor_info> outputs_of(const mdl_model* model) {
  return list_tensors(model, mdl_model_output_count, mdl_model_output);
}
std::vector<mdl_tensor_info> states_of(const mdl_model* model) {
  return list_tensors(model, mdl_model_state_count, mdl_model_state);
}

mdl_preprocessing preprocessing_of(const mdl_model* model, size_t input) {
  mdl_preprocessing steps = MDL_PREPROCESSING_INIT;
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_model_preprocessing(model, input, &steps, &error), error);
  return steps;
}

}  // namespace medulla::tools
