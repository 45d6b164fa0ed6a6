// SPDX-License-Identifier: Apache-2.0
// A small model that has one of everything: a dynamic dimension, constants, quantized tensors,
// states of both kinds, attributes, labels, preprocessing, metadata.
#ifndef MEDULLA_TESTS_MODEL_MODELS_H_
#define MEDULLA_TESTS_MODEL_MODELS_H_

#include "tests/model_builder.h"

namespace medulla::test {

inline ModelBuilder whole_model() {
  ModelBuilder b;
  b.model.name = "whole";
  b.model.metadata = {{"author", "nobody"}, {"license", "none"}};
  b.model.labels = {{0, {"normal", "other"}}};
  b.model.preprocessing = {{0, "", {2}, {0.5f}}};
  const int32_t x = b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""});
  const int32_t q = b.input("q", {2}, MDL_INT8);
  const int32_t w = b.constant("w", {3}, {1, 2, 3});
  const int32_t v = b.constant("v", {1, 3}, {4, 5, 6});
  const int32_t replaced = b.state("replaced", {4, 3}, MDL_STATE_REPLACE, 0, {"n", ""});
  b.state("grown", {8, 3}, MDL_STATE_APPEND, 0, {"t", ""});
  const int32_t sum = b.node("Add", {x, replaced}, "sum");
  const int32_t more = b.node("Mul", {b.node("Add", {x, w}, "shifted"), v}, "more");
  b.graph().states[0].written = sum;
  b.graph().states[1].written = more;
  const int32_t turned =
      b.node("Transpose", {sum}, "turned", {{"perm", std::vector<int64_t>{1, 0}}});
  const int32_t kept = b.node("Identity", {q}, "kept");
  for (int32_t t : {q, kept}) b.at(t).quantization = tools::Quantization{{0.5f}, {3}, 0};
  b.output(turned);
  b.output(kept);
  return b;
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_MODEL_MODELS_H_
