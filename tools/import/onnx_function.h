// SPDX-License-Identifier: Apache-2.0
// Functions: operators that the model or ONNX itself writes by other operators.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_FUNCTION_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_FUNCTION_H_

#include <onnx/onnx_pb.h>

#include <map>
#include <string>

namespace medulla::tools {

// Puts the body of a function in the place of every node that calls one: the model's own functions,
// and ONNX's operators that onnx_table.cc has no row for, where the installed ONNX library has a
// body. Tensors inside are called after the call's first output, nodes after the call:
// "loss/log_probability". Throws Refused: a function that calls itself.
// Returns the opsets of nodes, by their first outputs, that are not the model's.
std::map<std::string, int64_t> expand_functions(onnx::ModelProto& model, int64_t opset);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_FUNCTION_H_
