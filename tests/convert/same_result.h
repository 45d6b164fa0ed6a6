// SPDX-License-Identifier: Apache-2.0
// A pass and what it leaves of a graph.
#ifndef MEDULLA_TESTS_CONVERT_SAME_RESULT_H_
#define MEDULLA_TESTS_CONVERT_SAME_RESULT_H_

#include <cmath>

#include "tests/catch.h"
#include "tests/convert/run_graph.h"
#include "tools/passes/pass.h"

namespace medulla::tools {

inline size_t elements(const Graph& graph) {
  return graph.tensors[static_cast<size_t>(graph.inputs[0])].elements();
}

// Runs the pass; compares its graph's outputs with the old one's, to `bound` of the largest.
inline Graph same_result(const Graph& before, Graph (*pass)(const Graph&, PassContext&),
                         float bound) {
  constexpr uint32_t seed = 7;
  PassContext context;
  Graph after = pass(before, context);
  const auto x = as_bytes(random_floats(elements(before), seed));
  const auto expected = run_graph(before, {x});
  const auto found = run_graph(after, {x});
  REQUIRE(expected.size() == found.size());
  for (size_t o = 0; o < expected.size(); ++o) {
    CHECK(before.tensors[static_cast<size_t>(before.outputs[o])].name ==
          after.tensors[static_cast<size_t>(after.outputs[o])].name);
    if (bound == 0) {
      CHECK(expected[o] == found[o]);
      continue;
    }
    const Floats a = to_floats(expected[o]), b = to_floats(found[o]);
    REQUIRE(a.size() == b.size());
    float largest = 0, error = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(a[i]));
      error = std::max(error, std::abs(a[i] - b[i]));
    }
    INFO("seed " << seed << ", output " << o);
    CHECK(error <= bound * largest);
  }
  return after;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_SAME_RESULT_H_
