// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/recurrent.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"direction", MDL_ATTRIBUTE_STRING},       {"hidden_size", MDL_ATTRIBUTE_INT},
    {"activations", MDL_ATTRIBUTE_STRINGS},    {"activation_alpha", MDL_ATTRIBUTE_FLOATS},
    {"activation_beta", MDL_ATTRIBUTE_FLOATS}, {"clip", MDL_ATTRIBUTE_FLOAT},
    {"cell_clip", MDL_ATTRIBUTE_FLOAT},        {"layout", MDL_ATTRIBUTE_INT},
    {"input_forget", MDL_ATTRIBUTE_INT}};

enum Gate : int64_t { kI, kO, kF, kC };  // the order of rows in W, R and B
constexpr uint32_t kGates = 4;
constexpr uint32_t kStates = 2;

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(infer_recurrent(node, inputs, outputs, kGates, 3, kStates, error));
  const Recurrent r(node, inputs);
  return check_input(node, inputs, kP, MDL_FLOAT32, {2, {r.directions, 3 * r.hidden}}, error);
}

size_t scratch(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  return static_cast<size_t>(inputs[kR].dim(2)) * (kStates + kGates) * sizeof(float);
}

// For each unit j and each gate g (rows of W, R and B in the order i, o, f, c), with f1, f2, f3 the
// three activations and P the peepholes (i, o, f):
//   a[g] = chain(x . W[g][j], then h . R[g][j], k ascending, from fl(Wb[g][j] + Rb[g][j]))
//   i  = f1(clip(fma(Pi[j], c[j], a[i])))
//   f  = f1(clip(fma(Pf[j], c[j], a[f])))      input_forget: f = fl(1 - i)
//   c' = fma(f, c[j], fl(i * f2(clip(a[c]))))       cut to [-cell_clip, cell_clip]
//   o  = f1(clip(fma(Po[j], c', a[o])))
//   h' = fl(o * f3(c'))
// Without B a chain starts from +0; without P, or without clip, a stays what it is.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const Recurrent r(call.node, call.input_types);
  const int64_t n = r.hidden;
  const float clip = float_attribute(call.node, "clip", std::numeric_limits<float>::infinity());
  const float cell_clip =
      float_attribute(call.node, "cell_clip", std::numeric_limits<float>::infinity());
  const bool coupled = call.node.int_or("input_forget", 0) != 0;
  Activation act[2][kMaxActivations];
  for (int64_t d = 0; d < r.directions; ++d) {
    MDL_TRY(read_activations(call.node, d, 3, act[d], error));
  }
  float* state = static_cast<float*>(call.scratch);
  float* gates = state + kStates * n;

  const auto step = [&](int64_t d, const float* x, float* h, float* c) {
    const float* w = call.in<float>(kW) + d * kGates * n * r.input;
    const float* recurrence = call.in<float>(kR) + d * kGates * n * n;
    const float* bias = call.in<float>(kB) ? call.in<float>(kB) + d * 2 * kGates * n : nullptr;
    const float* p = call.in<float>(kP) ? call.in<float>(kP) + d * 3 * n : nullptr;
    const auto& [f1, f2, f3] = act[d];
    for (int64_t row = 0; row < kGates * n; ++row) {
      const float from = bias ? start(bias[row] + bias[kGates * n + row]) : 0.0f;
      gates[row] = chain(chain(from, x, w + row * r.input, r.input), h, recurrence + row * n, n);
    }
    for (int64_t j = 0; j < n; ++j) {
      const auto gate = [&](Gate g, float cell) {
        const float a = gates[g * n + j];
        return clip_f32(p && g != kC ? std::fma(p[g * n + j], cell, a) : a, -clip, clip);
      };
      const float i = f1(gate(kI, c[j]));
      const float f = coupled ? 1 - i : f1(gate(kF, c[j]));
      c[j] = clip_f32(std::fma(f, c[j], i * f2(gate(kC, 0))), -cell_clip, cell_clip);
      const float o = f1(gate(kO, c[j]));
      h[j] = o * f3(c[j]);
    }
  };
  return walk_recurrent(call, r, state, kStates, error, step);
}

uint64_t macs(const NodeView& node, std::span<const TensorType> inputs,
              std::span<const TensorType>) {
  return recurrent_macs(node, inputs, kGates);
}

}  // namespace

// Inputs X, W, R, B?, sequence_lens?, initial_h?, initial_c?, P?; outputs Y?, Y_h?, Y_c?.
extern const Op op_LSTM = {
    .name = "LSTM",
    .min_inputs = 3,
    .max_inputs = 8,
    .max_outputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .scratch = scratch,
    .macs = macs,
};

}  // namespace medulla
