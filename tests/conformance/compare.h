// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_CONFORMANCE_COMPARE_H_
#define MEDULLA_TESTS_CONFORMANCE_COMPARE_H_

#include <string>

#include "tools/common/array.h"

namespace medulla::conformance {

// Empty when they agree within rtol 1e-3 and atol 1e-7, the tolerances of ONNX's own runner, and
// exactly for integers; else where they do not.
std::string compare(const tools::Array& found, tools::Array expected);

}  // namespace medulla::conformance

#endif  // MEDULLA_TESTS_CONFORMANCE_COMPARE_H_
