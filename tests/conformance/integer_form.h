// SPDX-License-Identifier: Apache-2.0
// Whether an operator is computed in INT8 when a model quantizes what is around it.
#ifndef MEDULLA_TESTS_CONFORMANCE_INTEGER_FORM_H_
#define MEDULLA_TESTS_CONFORMANCE_INTEGER_FORM_H_

#include "tests/conformance/suite.h"

namespace medulla::conformance {

// Puts QuantizeLinear and DequantizeLinear around the one node of the case's model, converts that,
// and looks whether anything between them is left in float. False for a case of several nodes or
// without float32 tensors.
bool has_integer_form(const Case& c, const onnx::ModelProto& model);

}  // namespace medulla::conformance

#endif  // MEDULLA_TESTS_CONFORMANCE_INTEGER_FORM_H_
