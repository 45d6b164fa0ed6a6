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
                                         {"layout", MDL_ATTRIBUTE_INT},
                                         {"linear_before_reset", MDL_ATTRIBUTE_INT}};

constexpr uint32_t kGates = 3;  // z, r, h: the order of rows in W, R and B

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  return infer_recurrent(node, inputs, outputs, kGates, 2, 1, error);
}

// h, three gates, and what the hidden gate's product with R reads or gives.
size_t scratch(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  return static_cast<size_t>(inputs[kR].dim(2)) * (1 + kGates + 1) * sizeof(float);
}

// For each unit j and each gate g (rows of W, R and B in the order z, r, h), with f1 and f2 the two
// activations:
//   a[g] = chain(x . W[g][j], then h . R[g][j], k ascending, from fl(Wb[g][j] + Rb[g][j])), g = z,
//   r z = f1(clip(a[z])), r = f1(clip(a[r])) linear_before_reset = 0:
//     a[h] = chain(x . W[h][j], then q . R[h][j], from fl(Wb[h][j] + Rb[h][j])), q[k] = fl(r[k] *
//     h[k])
//   linear_before_reset = 1:
//     a[h] = fl(chain(x . W[h][j], from Wb[h][j]) + fl(r * chain(h . R[h][j], from Rb[h][j])))
//   h' = fma(z, h[j], fl(fl(1 - z) * f2(clip(a[h]))))
// Without B a chain starts from +0; without clip, a stays what it is.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const Recurrent shape(call.node, call.input_types);
  const int64_t n = shape.hidden;
  const int64_t m = shape.input;
  const float clip = float_attribute(call.node, "clip", std::numeric_limits<float>::infinity());
  const bool linear = call.node.int_or("linear_before_reset", 0) != 0;
  Activation act[2][kMaxActivations];
  for (int64_t d = 0; d < shape.directions; ++d) {
    MDL_TRY(read_activations(call.node, d, 2, act[d], error));
  }
  float* state = static_cast<float*>(call.scratch);
  float* z = state + n;
  float* r = z + n;
  float* hidden = r + n;
  float* q = hidden + n;

  const auto step = [&](int64_t d, const float* x, float* h, float*) {
    const float* w = call.in<float>(kW) + d * kGates * n * m;
    const float* recurrence = call.in<float>(kR) + d * kGates * n * n;
    const float* bias = call.in<float>(kB) ? call.in<float>(kB) + d * 2 * kGates * n : nullptr;
    const float* recurrent_bias = bias ? bias + kGates * n : nullptr;
    const Activation& f1 = act[d][0];
    const Activation& f2 = act[d][1];
    const auto both = [&](int64_t row, const float* from) {
      const float b = bias ? start(bias[row] + recurrent_bias[row]) : 0.0f;
      return clip_f32(chain(chain(b, x, w + row * m, m), from, recurrence + row * n, n), -clip,
                      clip);
    };
    for (int64_t j = 0; j < n; ++j) {
      z[j] = f1(both(j, h));
      r[j] = f1(both(n + j, h));
    }
    for (int64_t j = 0; j < n; ++j) q[j] = r[j] * h[j];
    for (int64_t j = 0; j < n; ++j) {
      const int64_t row = 2 * n + j;
      if (linear) {
        const float from_h =
            chain(bias ? start(recurrent_bias[row]) : 0.0f, h, recurrence + row * n, n);
        const float from_x = chain(bias ? start(bias[row]) : 0.0f, x, w + row * m, m);
        hidden[j] = f2(clip_f32(from_x + r[j] * from_h, -clip, clip));
      } else {
        hidden[j] = f2(both(row, q));
      }
    }
    for (int64_t j = 0; j < n; ++j) h[j] = std::fma(z[j], h[j], (1 - z[j]) * hidden[j]);
  };
  return walk_recurrent(call, shape, state, 1, error, step);
}

uint64_t macs(const NodeView& node, std::span<const TensorType> inputs,
              std::span<const TensorType>) {
  return recurrent_macs(node, inputs, kGates);
}

}  // namespace

// Inputs X, W, R, B?, sequence_lens?, initial_h?; outputs Y?, Y_h?.
extern const Op op_GRU = {
    .name = "GRU",
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
