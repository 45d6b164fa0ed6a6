// SPDX-License-Identifier: Apache-2.0
// The three objects of the C API with owners, and errors as exceptions.
#ifndef MEDULLA_TOOLS_COMMON_HANDLES_H_
#define MEDULLA_TOOLS_COMMON_HANDLES_H_

#include <memory>
#include <string>
#include <vector>

#include "medulla/backend.h"
#include "tools/common/shape_text.h"

namespace medulla::tools {

using ModelPtr = std::unique_ptr<mdl_model, decltype(&mdl_model_close)>;
using ProgramPtr = std::unique_ptr<mdl_program, decltype(&mdl_program_destroy)>;
using SessionPtr = std::unique_ptr<mdl_session, decltype(&mdl_session_destroy)>;

// Throws the error's text unless status is MDL_OK.
void check(mdl_status status, const mdl_error& error);

void run_session(mdl_session* session);

// "[1,28,28,3]", a dynamic dimension as "<=8", or with its symbol as "n<=8".
std::string shape_text(const mdl_tensor_info& info);
std::string shape_text(const mdl_tensor& tensor);
std::vector<mdl_tensor_info> inputs_of(const mdl_model* model);
std::vector<mdl_tensor_info> outputs_of(const mdl_model* model);
std::vector<mdl_tensor_info> states_of(const mdl_model* model);

// What the model says of an input's raw values; its count is 0 where that is nothing.
mdl_preprocessing preprocessing_of(const mdl_model* model, size_t input);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_HANDLES_H_
