// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/recurrent.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"direction", MDL_ATTRIBUTE_STRING},
                                         {"hidden_size", MDL_ATTRIBUTE_INT},
                                         {"activations", MDL_ATTRIBUTE_STRINGS},
                                         {"activation_alpha", MDL_ATTRIBUTE_FLOATS},
                                         {"activation_beta", MDL_ATTRIBUTE_FLOATS},
                                         {"clip", MDL_ATTRIBUTE_FLOAT},
                                         {"layout", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  return infer_recurrent(node, inputs, outputs, 1, 1, 1, error);
}

// h and its successor.
size_t scratch(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  return static_cast<size_t>(inputs[kR].dim(2)) * 2 * sizeof(float);
}

// For each unit j, with f the activation:
//   h' = f(clip(chain(x . W[j], then h . R[j], k ascending, from fl(Wb[j] + Rb[j]))))
// Without B a chain starts from +0.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const Recurrent r(call.node, call.input_types);
  const int64_t n = r.hidden;
  const float clip = float_attribute(call.node, "clip", std::numeric_limits<float>::infinity());
  Activation act[2][kMaxActivations];
  for (int64_t d = 0; d < r.directions; ++d) {
    MDL_TRY(read_activations(call.node, d, 1, act[d], error));
  }
  float* state = static_cast<float*>(call.scratch);
  float* next = state + n;
  const auto step = [&](int64_t d, const float* x, float* h, float*) {
    const float* w = call.in<float>(kW) + d * n * r.input;
    const float* recurrence = call.in<float>(kR) + d * n * n;
    const float* bias = call.in<float>(kB) ? call.in<float>(kB) + d * 2 * n : nullptr;
    for (int64_t j = 0; j < n; ++j) {
      const float from = bias ? start(bias[j] + bias[n + j]) : 0.0f;
      const float sum = chain(chain(from, x, w + j * r.input, r.input), h, recurrence + j * n, n);
      next[j] = act[d][0](clip_f32(sum, -clip, clip));
    }
    std::memcpy(h, next, static_cast<size_t>(n) * sizeof(float));
  };
  return walk_recurrent(call, r, state, 1, error, step);
}

uint64_t macs(const NodeView& node, std::span<const TensorType> inputs,
              std::span<const TensorType>) {
  return recurrent_macs(node, inputs, 1);
}

}  // namespace

// Inputs X, W, R, B?, sequence_lens?, initial_h?; outputs Y?, Y_h?.
extern const Op op_RNN = {
    .name = "RNN",
    .min_inputs = 3,
    .max_inputs = 6,
    .max_outputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .scratch = scratch,
    .macs = macs,
};

}  // namespace medulla
