// SPDX-License-Identifier: Apache-2.0
// Operators with a memory. Their variable tensors become states of the model, which a session keeps
// from run to run and resets. The arithmetic of the recurrence is float32, whatever the weights
// are.
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

// The state of input i.
TfliteState& state_of(TfliteNode& node, size_t i) {
  if (!node.has(i) || !node.scope.tensor(node.input(i)).is_variable()) {
    refuse("input " + std::to_string(i) + " should be a variable tensor");
  }
  return node.scope.state_of(node.input(i));
}

// The state of input i becomes `t`, for what reads the tensor from here on too.
void keep(TfliteNode& node, size_t i, int32_t t) {
  state_of(node, i).written = t;
  node.scope.values[static_cast<size_t>(node.input(i))] = {};
}

// What quantized elements of input i would hold of `t`: rounded to its scale.
int32_t rounded(TfliteNode& node, size_t i, int32_t t) {
  const Tensor declared = node.scope.declared(node.input(i));
  if (!declared.quantization) return t;
  return node.build.add(
      "DequantizeLinear",
      {node.build.add_typed("QuantizeLinear", {t}, {}, declared.dtype, declared.quantization)});
}

}  // namespace

// Gates stand in the order input, forget, cell, output; Medulla's is input, output, forget, cell.
void convert_lstm(TfliteNode& node) {
  enum : size_t {
    kX,
    kW = 1,
    kR = 5,
    kPeephole = 9,
    kBias = 12,
    kProjection = 16,
    kH = 18,
    kC,
    kNorm
  };
  const auto& options = node.options<tflite::UnidirectionalSequenceLSTMOptions>();
  Builder& build = node.build;
  if (!node.has(kW)) refuse("coupled input and forget gates are not taken", "export a full LSTM");
  for (size_t i = kPeephole; i < kBias; ++i) {
    if (node.has(i)) refuse("peepholes are not taken", "export without them");
  }
  if (node.has(kProjection)) refuse("a projection is not taken", "export without it");
  for (size_t i = kNorm; i < kNorm + 4; ++i) {
    if (node.has(i)) refuse("layer normalization is not taken", "export without it");
  }
  if (options.activation() != tflite::Activation::TANH) {
    refuse("an activation other than tanh is not taken", "export with tanh");
  }
  if (options.diagonal_recurrence()) refuse("diagonal recurrent weights are not taken");
  constexpr size_t kOrder[] = {0, 3, 1, 2};
  const auto joined = [&](size_t first) {
    std::vector<int32_t> parts;
    for (const size_t gate : kOrder) parts.push_back(node.value(first + gate));
    const int64_t axis = 0;
    return build.add("Unsqueeze", {build.add("Concat", parts, {{"axis", axis}})},
                     {{"axes", Dims{0}}});
  };
  const int32_t x = node.value(kX);
  if (build.rank(x) != 3) refuse("the input has rank " + std::to_string(build.rank(x)));
  const Dims& r = build.dims(node.value(kR));
  if (r.size() != 2) refuse("the recurrent weights are no matrix");
  const int64_t units = r[0];
  const bool time_major = options.time_major();
  int32_t bias = joined(kBias);
  const int32_t zeros = build.constant(MDL_FLOAT32, build.dims(bias),
                                       std::vector<float>(build.tensor(bias).elements()));
  bias = build.add("Concat", {bias, zeros}, {{"axis", int64_t{1}}});

  const int32_t h = state_of(node, kH).written, c = state_of(node, kC).written;
  // One direction stands in front of the batch, or behind it.
  const Dims direction = {time_major ? 0 : 1};
  Attributes attributes = {{"hidden_size", units}, {"layout", int64_t{time_major ? 0 : 1}}};
  if (options.cell_clip() > 0) {
    attributes["cell_clip"] = static_cast<double>(options.cell_clip());
  }
  node.scope.float_layers_of_integer_weights += node.quantized(kW) && !node.quantized(kX);
  const std::vector<int32_t> y = build.add_many(
      "LSTM",
      {x, joined(kW), joined(kR), bias, -1, build.add("Unsqueeze", {h}, {{"axes", direction}}),
       build.add("Unsqueeze", {c}, {{"axes", direction}})},
      std::move(attributes), {true, true, true});
  keep(node, kH, rounded(node, kH, build.add("Squeeze", {y[1]}, {{"axes", direction}})));
  keep(node, kC, rounded(node, kC, build.add("Squeeze", {y[2]}, {{"axes", direction}})));
  // [T, 1, B, H] or [B, T, 1, H]
  node.set(0, build.add("Squeeze", {y[0]}, {{"axes", Dims{time_major ? 1 : 2}}}));
}

// Each of the filters keeps its last products with the input, M of them, and weighs them by time:
//   s = [s[1:], x . feature]     y[u] = activation(sum over rank and time(s * time) + bias[u])
void convert_svdf(TfliteNode& node) {
  enum : size_t { kX, kFeature, kTime, kBias, kState };
  const auto& options = node.options<tflite::SVDFOptions>();
  Builder& build = node.build;
  const int32_t x = node.value(kX), feature = node.value(kFeature), time = node.value(kTime);
  if (build.rank(x) != 2 || build.rank(feature) != 2 || build.rank(time) != 2) {
    refuse("input and weights should be matrices");
  }
  node.require_static(x, "SVDF");
  const int64_t batch = build.dims(x)[0], filters = build.dims(time)[0],
                memory = build.dims(time)[1];
  const int64_t rank = options.rank();
  if (rank < 1 || filters % rank != 0) {
    refuse("rank " + std::to_string(rank) + " does not divide " + std::to_string(filters) +
           " filters");
  }
  node.scope.float_layers_of_integer_weights += node.quantized(kFeature) && !node.quantized(kX);
  const TfliteState state = state_of(node, kState);
  const int32_t before = build.reshape(state.written, {batch, filters, memory});
  const int32_t kept = build.add(
      "Slice", {before},
      {{"starts", Dims{1}}, {"ends", Dims{memory}}, {"axes", Dims{2}}, {"steps", Dims{1}}});
  const int32_t newest =
      rounded(node, kState, build.add("Gemm", {x, feature}, {{"transB", int64_t{1}}}));
  const int32_t after = build.add("Concat", {kept, build.reshape(newest, {batch, filters, 1})},
                                  {{"axis", int64_t{2}}});
  keep(node, kState, build.reshape(after, build.dims(state.tensor)));

  int32_t y = build.add("ReduceSum", {build.add("Mul", {after, time})},
                        {{"axes", Dims{2}}, {"keepdims", int64_t{0}}});
  if (rank > 1) {
    y = build.add("ReduceSum", {build.reshape(y, {batch, filters / rank, rank})},
                  {{"axes", Dims{2}}, {"keepdims", int64_t{0}}});
  }
  if (node.has(kBias)) y = build.add("Add", {y, node.value(kBias)});
  node.set(0, node.activated(y, options.activation()));
}

}  // namespace medulla::tools
