// SPDX-License-Identifier: Apache-2.0
// A small network with what quantisation has to tell apart, and samples for it.
#ifndef MEDULLA_TESTS_QUANTIZE_SMALL_MODEL_H_
#define MEDULLA_TESTS_QUANTIZE_SMALL_MODEL_H_

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tools/quantize/quantize.h"

namespace medulla::tools {

inline std::vector<float> normal_numbers(size_t count, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

// x [1,3,8,8] -> convolutions with a residual, a depthwise one, a joint of two branches, pools, a
// dense layer -> logits [1,4].
inline OnnxModel small_model() {
  OnnxModel model(13);
  uint32_t seed = 1;
  const auto conv = [&](const std::string& x, const std::string& y, int64_t from, int64_t to,
                        int64_t kernel, int64_t groups) {
    const int64_t depth = from / groups;
    const auto count = static_cast<size_t>(to * depth * kernel * kernel);
    const float deviation = 1.2f / std::sqrt(static_cast<float>(depth * kernel * kernel));
    model.floats(y + "_w", {to, depth, kernel, kernel}, normal_numbers(count, deviation, ++seed));
    model.floats(y + "_b", {to}, normal_numbers(static_cast<size_t>(to), 0.1f, ++seed));
    auto* node = model.node("Conv", {x, y + "_w", y + "_b"}, {y});
    set_ints(node, "pads", {kernel / 2, kernel / 2, kernel / 2, kernel / 2});
    set_int(node, "group", groups);
  };
  model.input("x", {1, 3, 8, 8});
  conv("x", "stem", 3, 8, 3, 1);
  model.node("Relu", {"stem"}, {"stem_relu"});
  conv("stem_relu", "depthwise", 8, 8, 3, 8);
  model.node("Relu", {"depthwise"}, {"depthwise_relu"});
  conv("depthwise_relu", "point", 8, 8, 1, 1);
  model.node("Add", {"point", "stem_relu"}, {"sum"});
  model.node("Sigmoid", {"sum"}, {"gate"});
  conv("gate", "left", 8, 8, 3, 1);
  model.node("Concat", {"left", "sum"}, {"both"});
  set_int(model.proto.mutable_graph()->mutable_node(model.proto.graph().node_size() - 1), "axis",
          1);
  auto* pool = model.node("MaxPool", {"both"}, {"pooled"});
  set_ints(pool, "kernel_shape", {2, 2});
  set_ints(pool, "strides", {2, 2});
  model.node("GlobalAveragePool", {"pooled"}, {"mean"});
  model.node("Flatten", {"mean"}, {"flat"});
  model.floats("dense_w", {16, 4}, normal_numbers(64, 0.5f, ++seed));
  model.floats("dense_b", {4}, normal_numbers(4, 0.1f, ++seed));
  model.node("Gemm", {"flat", "dense_w", "dense_b"}, {"logits"});
  model.output("logits", {1, 4});
  return model;
}

inline constexpr int64_t kSampleSize = 3 * 8 * 8;

template <class T>
void write_npy(const std::string& path, mdl_dtype dtype, std::vector<int64_t> shape,
               const std::vector<T>& values) {
  Array array{dtype, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(array.data.data(), values.data(), array.data.size());
  tools::write_npy(path, array);
}

// Options that quantise the model with `count` samples of normal numbers.
inline QuantizeOptions options_for(const OnnxModel& model, const Folder& folder,
                                   int64_t count = 16) {
  QuantizeOptions options;
  options.convert = model.write(folder);
  write_npy(folder.file("x.npy"), MDL_FLOAT32, {count, 3, 8, 8},
            normal_numbers(static_cast<size_t>(count * kSampleSize), 1, 77));
  options.calibration = {folder.file("x.npy")};
  return options;
}

inline QuantizeReport done(const QuantizeOptions& options) {
  QuantizeReport report = quantize(options);
  for (const Refusal& refusal : report.convert.refusals) UNSCOPED_INFO(refusal.text());
  UNSCOPED_INFO(report.error);
  REQUIRE(report.convert.refusals.empty());
  REQUIRE(report.error.empty());
  return report;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_QUANTIZE_SMALL_MODEL_H_
