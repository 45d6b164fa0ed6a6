// SPDX-License-Identifier: Apache-2.0
#include "src/ops/recurrent.h"

#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/base/checked.h"

namespace medulla {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct ActivationRule {
  const char* name;
  bool has_alpha;
  bool has_beta;
  Activation otherwise;
};

constexpr ActivationRule kActivations[] = {
    {"Relu", false, false, {[](float x, float, float) { return clip_f32(x, 0, kInfinity); }, 0, 0}},
    {"Tanh", false, false, {[](float x, float, float) { return tanh_f32(x); }, 0, 0}},
    {"Sigmoid", false, false, {[](float x, float, float) { return sigmoid_f32(x); }, 0, 0}},
    {"Softsign", false, false, {[](float x, float, float) { return softsign_f32(x); }, 0, 0}},
    {"Softplus", false, false, {[](float x, float, float) { return softplus_f32(x); }, 0, 0}},
    {"LeakyRelu",
     true,
     false,
     {[](float x, float a, float) { return leaky_relu_f32(x, a); }, 0.01f, 0}},
    {"Elu", true, false, {[](float x, float a, float) { return elu_f32(x, a); }, 1, 0}},
    {"HardSigmoid", true, true, {hard_sigmoid_f32, 0.2f, 0.5f}},
    {"Affine", true, true, {[](float x, float a, float b) { return std::fma(a, x, b); }, 1, 0}},
    {"ScaledTanh",
     true,
     true,
     {[](float x, float a, float b) { return a * tanh_f32(b * x); }, 1, 1}},
    // x above alpha, else 0; NaN kept.
    {"ThresholdedRelu",
     true,
     false,
     {[](float x, float a, float) { return x <= a ? 0.0f : x; }, 1, 0}},
};

bool is(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

int64_t direction_count(const NodeView& node) {
  return is(node.string_or("direction", "forward"), "bidirectional") ? 2 : 1;
}

}  // namespace

Recurrent::Recurrent(const NodeView& node, std::span<const TensorType> inputs)
    : input(inputs[kX].dim(2)),
      hidden(inputs[kR].dim(2)),
      directions(direction_count(node)),
      reverse(is(node.string_or("direction", "forward"), "reverse")),
      batch_first(node.int_or("layout", 0) != 0) {
  time = inputs[kX].dim(batch_first ? 1 : 0);
  batch = inputs[kX].dim(batch_first ? 0 : 1);
}

mdl_status check_input(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                       mdl_dtype dtype, const mdl_shape& shape, mdl_error* error) {
  if (i >= inputs.size() || inputs[i].dtype == MDL_DTYPE_NONE) return MDL_OK;
  MDL_TRY(check_dtype(node, inputs, i, dtype, error));
  if (inputs[i].rank() == shape.rank &&
      std::memcmp(inputs[i].shape.dims, shape.dims, shape.rank * sizeof(int64_t)) == 0) {
    return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", inputs[i].shape,
                   ", should be ", shape);
}

mdl_status read_activations(const NodeView& node, int64_t d, uint32_t count,
                            Activation (&activations)[kMaxActivations], mdl_error* error) {
  constexpr const char* kDefaults[kMaxActivations] = {"Sigmoid", "Tanh", "Tanh"};
  const mdl_attribute* names = node.attribute("activations");
  const uint32_t total = count * static_cast<uint32_t>(direction_count(node));
  if (names != nullptr && names->count != total) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "activations has ", names->count,
                     " entries, should have ", total);
  }
  std::span<const double> alphas = node.floats("activation_alpha");
  std::span<const double> betas = node.floats("activation_beta");
  for (const char* name : {"activation_alpha", "activation_beta"}) {
    const std::span<const double> values = node.floats(name);
    for (size_t i = 0; i < values.size(); ++i) {
      if (is_float(values[i])) continue;
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, "[", i, "] is ", values[i],
                       ", should be a float32 and not NaN");
    }
  }
  const auto take = [](std::span<const double>& list, float otherwise) {
    if (list.empty()) return otherwise;
    const float value = static_cast<float>(list[0]);
    list = list.subspan(1);
    return value;
  };
  for (uint32_t i = 0; i < total; ++i) {
    const char* name = names != nullptr ? names->strings[i] : kDefaults[count > 1 ? i % count : 1];
    const ActivationRule* rule = nullptr;
    for (const ActivationRule& r : kActivations) {
      if (is(r.name, name)) rule = &r;
    }
    if (rule == nullptr) {
      return fail_node(error, MDL_ERROR_UNSUPPORTED, node, "activation '", name,
                       "' is none of those that ONNX names, such as Sigmoid and Tanh");
    }
    Activation activation = rule->otherwise;
    if (rule->has_alpha) activation.alpha = take(alphas, activation.alpha);
    if (rule->has_beta) activation.beta = take(betas, activation.beta);
    if (i / count == static_cast<uint32_t>(d)) activations[i % count] = activation;
  }
  return MDL_OK;
}

mdl_status infer_recurrent(const NodeView& node, std::span<const TensorType> inputs,
                           std::span<TensorType> outputs, uint32_t gates, uint32_t activations,
                           uint32_t states, mdl_error* error) {
  const char* direction = node.string_or("direction", "forward");
  if (!is(direction, "forward") && !is(direction, "reverse") && !is(direction, "bidirectional")) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "direction is '", direction,
                     "', should be 'forward', 'reverse' or 'bidirectional'");
  }
  for (const char* name : {"layout", "input_forget", "linear_before_reset"}) {
    const int64_t flag = node.int_or(name, 0);
    if (flag != 0 && flag != 1) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " is ", flag, ", should be 0 or 1");
    }
  }
  for (const char* name : {"clip", "cell_clip"}) {
    MDL_TRY(check_float(node, name, error));
    if (node.float_or(name, 0) < 0) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, name, " is ", node.float_or(name, 0),
                       ", should not be negative");
    }
  }
  Activation unused[kMaxActivations];
  MDL_TRY(read_activations(node, 0, activations, unused, error));

  for (size_t i = kX; i <= kR; ++i) {
    MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    if (inputs[i].rank() != 3) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", inputs[i].shape,
                       ", should have rank 3");
    }
  }
  const Recurrent r(node, inputs);
  if (r.input == 0 || r.hidden == 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input and hidden size are ", r.input, " and ",
                     r.hidden, ", should not be 0");
  }
  int64_t rows;
  int64_t biases;
  if (!checked_mul(r.hidden, int64_t{gates}, &rows) || !checked_mul(rows, int64_t{2}, &biases)) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "hidden size ", r.hidden, " is too large");
  }
  const int64_t hidden_size = node.int_or("hidden_size", r.hidden);
  if (hidden_size != r.hidden) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "hidden_size is ", hidden_size, ", input 2 ",
                     inputs[kR].shape, " has ", r.hidden);
  }
  const mdl_shape state = r.batch_first ? mdl_shape{3, {r.batch, r.directions, r.hidden}}
                                        : mdl_shape{3, {r.directions, r.batch, r.hidden}};
  const mdl_shape all = r.batch_first ? mdl_shape{4, {r.batch, r.time, r.directions, r.hidden}}
                                      : mdl_shape{4, {r.time, r.directions, r.batch, r.hidden}};
  const mdl_shape w = {3, {r.directions, rows, r.input}};
  const mdl_shape recurrence = {3, {r.directions, rows, r.hidden}};
  MDL_TRY(check_input(node, inputs, kW, MDL_FLOAT32, w, error));
  MDL_TRY(check_input(node, inputs, kR, MDL_FLOAT32, recurrence, error));
  MDL_TRY(check_input(node, inputs, kB, MDL_FLOAT32, {2, {r.directions, biases}}, error));
  MDL_TRY(check_input(node, inputs, kSequenceLens, MDL_INT32, {1, {r.batch}}, error));
  for (uint32_t s = 0; s < states; ++s) {
    MDL_TRY(check_input(node, inputs, kInitialH + s, MDL_FLOAT32, state, error));
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    MDL_TRY(set_output(node, outputs, o, MDL_FLOAT32, o == 0 ? all : state, error));
  }
  return MDL_OK;
}

uint64_t recurrent_macs(const NodeView& node, std::span<const TensorType> inputs, uint32_t gates) {
  const Recurrent r(node, inputs);
  return static_cast<uint64_t>(r.time) * static_cast<uint64_t>(r.batch) *
         static_cast<uint64_t>(r.directions) * gates * static_cast<uint64_t>(r.hidden) *
         (static_cast<uint64_t>(r.input) + static_cast<uint64_t>(r.hidden));
}

}  // namespace medulla
