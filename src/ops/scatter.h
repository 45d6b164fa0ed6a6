// SPDX-License-Identifier: Apache-2.0
// What the operators share that write updates into a copy of their input.
#ifndef MEDULLA_SRC_OPS_SCATTER_H_
#define MEDULLA_SRC_OPS_SCATTER_H_

#include <cstring>
#include <type_traits>

#include "src/ops/indices.h"
#include "src/ops/number.h"

namespace medulla {

enum class Reduction { kNone, kAdd, kMul, kMin, kMax };

inline mdl_status read_reduction(const NodeView& node, Reduction* reduction, mdl_error* error) {
  constexpr const char* kNames[] = {"none", "add", "mul", "min", "max"};
  const char* name = node.string_or("reduction", "none");
  for (int r = 0; r < 5; ++r) {
    if (std::strcmp(name, kNames[r]) != 0) continue;
    *reduction = static_cast<Reduction>(r);
    return MDL_OK;
  }
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "reduction is '", name,
                   "', should be 'none', 'add', 'mul', 'min' or 'max'");
}

// Integers wrap; NaN stays.
template <class T>
T reduced(Reduction reduction, T a, T b) {
  using U = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  switch (reduction) {
    case Reduction::kAdd:
      return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    case Reduction::kMul:
      return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    case Reduction::kMin:
      return b < a || b != b ? b : a;
    case Reduction::kMax:
      return b > a || b != b ? b : a;
    default:
      return b;
  }
}

// y[at + i] takes updates[from + i] for i below count: replaced, or reduced with one rounding.
inline void scatter(Reduction reduction, mdl_dtype dtype, void* y, int64_t at, const void* updates,
                    int64_t from, int64_t count) {
  if (reduction == Reduction::kNone) {
    const size_t bytes = mdl_dtype_bits(dtype) / 8;
    std::memcpy(static_cast<uint8_t*>(y) + static_cast<size_t>(at) * bytes,
                static_cast<const uint8_t*>(updates) + static_cast<size_t>(from) * bytes,
                static_cast<size_t>(count) * bytes);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    load_number(dtype, y, at + i, [&]<class A>(A a) {
      load_number(dtype, updates, from + i, [&]<class B>(B b) {
        if constexpr (std::is_same_v<A, B>) {
          store_number(dtype, y, at + i, reduced(reduction, a, b));
        }
      });
    });
  }
}

// Inputs x, indices and updates; the output is x but for what is written.
inline mdl_status infer_scatter(const NodeView& node, std::span<const TensorType> inputs,
                                std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  MDL_TRY(check_indices(node, inputs, 1, error));
  MDL_TRY(check_dtype(node, inputs, 2, inputs[0].dtype, error));
  Reduction reduction = Reduction::kNone;
  MDL_TRY(read_reduction(node, &reduction, error));
  return set_output(node, outputs, 0, inputs[0].dtype, inputs[0].shape, error);
}

// An Op.check: all elements mean the same.
inline mdl_status check_scatter(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_same_quantization(node, *node.input(0), *node.input(2), error));
  return check_quantization_kept(node, error);
}

inline void copy_scattered(const ReferenceCall& call) {
  const TensorType& x = call.input_types[0];
  const size_t bytes = static_cast<size_t>(x.elements()) * element_bytes(x);
  if (bytes != 0) std::memmove(call.outputs[0], call.inputs[0], bytes);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_SCATTER_H_
