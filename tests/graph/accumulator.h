// SPDX-License-Identifier: Apache-2.0
// A small model with a state, and a run of a session on it.
#ifndef MEDULLA_TESTS_GRAPH_ACCUMULATOR_H_
#define MEDULLA_TESTS_GRAPH_ACCUMULATOR_H_

#include "tests/catch.h"
#include "tests/graph/builder.h"

namespace medulla::test {

// h' = h + x; y = Relu(h').
struct Accumulator {
  Accumulator() {
    const int32_t x = b.input("x", {3});
    const int32_t h = b.state("h", {3}, MDL_STATE_REPLACE, 0, initial.data());
    const int32_t next = b.node("Add", {h, x}, {}, "next");
    b.write(h, next);
    b.output(b.node("Relu", {next}, {}, "y"));
  }
  std::vector<float> initial = {10, 20, 30};
  GraphBuilder b;
};

inline std::vector<float> step(mdl_session* session, const std::vector<float>& x) {
  set_input(session, 0, x);
  if (mdl_session_run(session) != MDL_OK) throw std::runtime_error(mdl_session_error(session));
  return get_output(session, 0);
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_ACCUMULATOR_H_
