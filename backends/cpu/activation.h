// SPDX-License-Identifier: Apache-2.0
// Functions of one float: as nodes of their own, and at the end of a chain.
#ifndef MEDULLA_BACKENDS_CPU_ACTIVATION_H_
#define MEDULLA_BACKENDS_CPU_ACTIVATION_H_

#include "backends/cpu/lowering.h"
#include "kernels/elementwise_f32/elementwise_f32.h"

namespace medulla::cpu {

struct UnaryCall {
  UnaryF32 function;
  float a;
  float b;
};
// False when the node is no such function.
bool read_unary(const NodeView& node, UnaryCall* call);

// What a chain does to a finished value: a clamp in the kernel's epilogue, then perhaps a function
// over rows that are still in the cache.
struct Activation {
  float lo;
  float hi;
  ElementwiseF32Kernel::Unary function;  // null: the clamp is all
  float a;
  float b;
};

// Whether a node can end a chain.
bool is_activation(const mdl_graph& graph, const mdl_node& node);

// `node` may be null: no activation. UNSUPPORTED when it is none, or no row takes it.
mdl_status read_activation(const Cpu& cpu, const mdl_graph& graph, const mdl_node* node,
                           Activation* activation, mdl_error* error);

// Makes a clamp a function too, for kernels that do not clamp.
mdl_status clamp_by_function(const Cpu& cpu, Activation* activation, mdl_error* error);

// Applies the function to `rows` rows of `columns` floats, `stride` apart.
void activate(const Activation& activation, float* data, size_t rows, size_t columns,
              size_t stride);

// How many rows of `columns` floats stay in the cache between a kernel and `activate`.
size_t rows_in_cache(size_t columns);

// Cuts `rows` rows of `columns` floats into units that stay in the cache; returns how many.
int64_t cut_in_cache(size_t rows, size_t columns, size_t* unit);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_ACTIVATION_H_
