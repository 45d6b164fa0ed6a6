// SPDX-License-Identifier: Apache-2.0
// Small random graphs of integer nodes, as model files that the loader proves.
#ifndef MEDULLA_TESTS_CPU_INT8_GRAPH_H_
#define MEDULLA_TESTS_CPU_INT8_GRAPH_H_

#include <functional>

#include "tests/cpu/compare.h"
#include "tests/model_builder.h"

namespace medulla::test {

constexpr int64_t kMaxElements = 12000;  // of a tensor

inline int64_t count(const Dims& dims) {
  int64_t elements = 1;
  for (const int64_t d : dims) elements *= d;
  return elements;
}

// As the file stores it: a quotient in binary64, rounded once.
inline double rounded(double value) { return static_cast<double>(static_cast<float>(value)); }

inline double ratio(float x, float y, int64_t n = 1) {
  return rounded(static_cast<double>(x) / (static_cast<double>(y) * static_cast<double>(n)));
}

class Int8Graph {
 public:
  explicit Int8Graph(uint32_t seed);

  AlignedBytes bytes() { return builder_.bytes(); }

 private:
  using Attributes = ModelBuilder::Attributes;

  // Each adds what its name says, to tensors that there are; nothing where none suits.
  void conv();
  void gemm();
  void matmul();
  void sum();
  void product();
  void concat();
  void pool();
  void global_pool();
  void look_up();
  void resize();
  void normalize();
  void softmax();
  void move();
  void split();
  void float_island();

  // A layer with weights [O, ..., C] and all that it stores; its output has `outputs` elements.
  void layer(const char* op, int32_t x, Dims weights, int64_t outputs, Attributes attributes);

  static size_t index(int32_t i) { return static_cast<size_t>(i); }
  const Dims& dims(int32_t t) { return builder_.at(t).dims; }
  float scale(int32_t t) { return builder_.at(t).quantization->scales[0]; }
  int64_t size(int32_t t);
  bool same_quantization(int32_t a, int32_t b) {
    return builder_.at(a).quantization == builder_.at(b).quantization;
  }

  int32_t zero_point();
  // 0.5 to 2 times `around`.
  float near(float around);
  // Now and then the range of an activation.
  void add_range(Attributes* attributes);
  // One of the tensors that suit, often the latest; -1: there is none.
  int32_t pick(const std::function<bool(int32_t)>& suits);
  int32_t pick_image(size_t least_rank = 3);

  int32_t add_tensor(mdl_dtype dtype, std::optional<tools::Quantization> q);
  tools::Quantization quantization(float scale) { return {{scale}, {zero_point()}, 0}; }
  void add_input(Dims dims);
  // int8 outputs are there to be picked.
  std::vector<int32_t> add(const char* op, const std::vector<int32_t>& inputs,
                           Attributes attributes, const std::vector<int32_t>& outputs);
  int32_t add_int8(const char* op, const std::vector<int32_t>& inputs, Attributes attributes,
                   const tools::Quantization& q) {
    return add(op, inputs, std::move(attributes), {add_tensor(MDL_INT8, q)})[0];
  }
  // The output has the first input's quantization.
  int32_t add_moved(const char* op, const std::vector<int32_t>& inputs, Attributes attributes) {
    return add_int8(op, inputs, std::move(attributes), *builder_.at(inputs[0]).quantization);
  }
  template <class T>
  int32_t add_constant(mdl_dtype dtype, Dims dims, const std::vector<T>& values) {
    return builder_.graph().add_constant("c", dtype, std::move(dims), values);
  }

  ModelBuilder builder_;
  Random random_;
  std::vector<int32_t> live_;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_CPU_INT8_GRAPH_H_
