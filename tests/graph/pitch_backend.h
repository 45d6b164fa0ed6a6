// SPDX-License-Identifier: Apache-2.0
// A backend for tests: float32 Relu, Add of equal shapes and Concat, over rows that may lie a pitch
// apart, in two phases, with counters; and it fuses Add with the Relu behind it.
#ifndef MEDULLA_TESTS_GRAPH_PITCH_BACKEND_H_
#define MEDULLA_TESTS_GRAPH_PITCH_BACKEND_H_

#include "medulla/backend.h"

namespace medulla::test {

// Says yes to strided operands when `strided`, leaves Concat to others unless `concat`; claims so
// much work that threads share each step.
const mdl_backend& pitch_backend(bool strided = true, bool concat = true);

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_PITCH_BACKEND_H_
