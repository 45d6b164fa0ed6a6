// SPDX-License-Identifier: Apache-2.0
// What LSTM, GRU and RNN share: shapes, activations, and the walk over directions, sequences and
// time.
#ifndef MEDULLA_SRC_OPS_RECURRENT_H_
#define MEDULLA_SRC_OPS_RECURRENT_H_

#include <cmath>
#include <cstring>

#include "src/ops/rules.h"

namespace medulla {

// The common inputs; LSTM has initial_c and P behind them.
enum RecurrentInput : size_t { kX, kW, kR, kB, kSequenceLens, kInitialH, kInitialC, kP };

constexpr uint32_t kMaxActivations = 3;  // of one direction

struct Activation {
  float (*function)(float x, float alpha, float beta);
  float alpha;
  float beta;

  float operator()(float x) const { return function(x, alpha, beta); }
};

// The extents, and where the rows of the tensors lie, in elements.
struct Recurrent {
  int64_t time, batch, input, hidden, directions;
  bool reverse;      // the first direction walks back; the second one always does
  bool batch_first;  // layout 1

  // Of a verified node.
  Recurrent(const NodeView& node, std::span<const TensorType> inputs);

  // [T,B,I], [B,T,I]
  int64_t x(int64_t t, int64_t b) const {
    return (batch_first ? b * time + t : t * batch + b) * input;
  }
  // [T,D,B,H], [B,T,D,H]
  int64_t y(int64_t t, int64_t d, int64_t b) const {
    return (batch_first ? (b * time + t) * directions + d : (t * directions + d) * batch + b) *
           hidden;
  }
  // [D,B,H], [B,D,H]
  int64_t state(int64_t d, int64_t b) const {
    return (batch_first ? b * directions + d : d * batch + b) * hidden;
  }
};

// Checks all but what is LSTM's alone, sets the outputs' types. A direction has `gates` gates and
// `activations` activations; `states` is 1 (h) or 2 (h and c).
mdl_status infer_recurrent(const NodeView& node, std::span<const TensorType> inputs,
                           std::span<TensorType> outputs, uint32_t gates, uint32_t activations,
                           uint32_t states, mdl_error* error);

// Refuses input i, when it is there, unless it has that dtype and shape.
mdl_status check_input(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                       mdl_dtype dtype, const mdl_shape& shape, mdl_error* error);

// The activations of direction d; by default Sigmoid, and Tanh for the others, or for the only one.
// alpha and beta are taken from the node's lists, over both directions, by those activations that
// have them.
mdl_status read_activations(const NodeView& node, int64_t d, uint32_t count,
                            Activation (&activations)[kMaxActivations], mdl_error* error);

uint64_t recurrent_macs(const NodeView& node, std::span<const TensorType> inputs, uint32_t gates);

// One chain of fma, k ascending.
inline float chain(float acc, const float* a, const float* b, int64_t count) {
  for (int64_t k = 0; k < count; ++k) acc = std::fma(a[k], b[k], acc);
  return acc;
}

// A bias as a chain starts from it: -0 is +0.
inline float start(float bias) { return bias + 0.0f; }

// For each direction and sequence: begins with the initial states, or zeros, calls step(d, x, h, c)
// for its steps in the direction's order, which replaces the states, and stores h after each. Steps
// behind a sequence's length give zeros in Y and leave the states. `state` has room for h and c.
template <class Step>
mdl_status walk_recurrent(const ReferenceCall& call, const Recurrent& r, float* state,
                          uint32_t states, mdl_error* error, Step step) {
  const size_t bytes = static_cast<size_t>(r.hidden) * sizeof(float);
  for (int64_t d = 0; d < r.directions; ++d) {
    const bool back = r.reverse || d == 1;
    for (int64_t b = 0; b < r.batch; ++b) {
      const int32_t* lens = call.in<int32_t>(kSequenceLens);
      const int64_t length = lens != nullptr ? lens[b] : r.time;
      if (length < 0 || length > r.time) {
        return fail_node(error, MDL_ERROR_INVALID_ARGUMENT, call.node, "sequence_lens[", b, "] is ",
                         length, ", should be from 0 to ", r.time);
      }
      for (uint32_t s = 0; s < states; ++s) {
        const float* initial = call.in<float>(kInitialH + s);
        float* to = state + s * r.hidden;
        for (int64_t j = 0; j < r.hidden; ++j) {
          to[j] = initial != nullptr ? initial[r.state(d, b) + j] : 0.0f;
        }
      }
      for (int64_t i = 0; i < r.time; ++i) {
        const int64_t t = back && i < length ? length - 1 - i : i;
        if (i < length) step(d, call.in<float>(kX) + r.x(t, b), state, state + r.hidden);
        float* y = call.out<float>(0);
        if (y == nullptr) continue;
        for (int64_t j = 0; j < r.hidden; ++j) y[r.y(t, d, b) + j] = i < length ? state[j] : 0.0f;
      }
      for (uint32_t s = 0; s < states; ++s) {
        float* last = call.out<float>(1 + s);
        if (last != nullptr) std::memcpy(last + r.state(d, b), state + s * r.hidden, bytes);
      }
    }
  }
  return MDL_OK;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_RECURRENT_H_
