// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise_f32/elementwise_f32.h"

#include "kernels/elementwise_f32/functions.h"
#include "kernels/elementwise_f32/scalar.h"

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ElementwiseF32Kernel name;
#include "medulla_rows/elementwise_f32.inc"
#undef MDL_KERNEL

namespace {

const char* elementwise_f32_fits_any(const KernelRequest&) { return nullptr; }

constexpr ElementwiseF32Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/elementwise_f32.inc"
#undef MDL_KERNEL
};

using V = F32x1;

}  // namespace

std::span<const ElementwiseF32Row> elementwise_f32_rows() { return kRows; }

float exp_f32(float x) { return functions::exp(V{x}).v; }
float log_f32(float x) { return functions::log(V{x}).v; }
float sigmoid_f32(float x) { return functions::sigmoid(V{x}).v; }
float tanh_f32(float x) { return functions::tanh(V{x}).v; }
float erf_f32(float x) { return functions::erf(V{x}).v; }
float gelu_f32(float x) { return functions::gelu(V{x}).v; }
float gelu_tanh_f32(float x) { return functions::gelu_tanh(V{x}).v; }
float swish_f32(float x) { return functions::swish(V{x}).v; }
float softplus_f32(float x) { return functions::softplus(V{x}).v; }
float softsign_f32(float x) { return functions::softsign(V{x}).v; }
float clip_f32(float x, float lo, float hi) { return functions::clip(V{x}, V{lo}, V{hi}).v; }
float leaky_relu_f32(float x, float alpha) { return functions::leaky_relu(V{x}, V{alpha}).v; }
float elu_f32(float x, float alpha) { return functions::elu(V{x}, V{alpha}).v; }
float hard_sigmoid_f32(float x, float alpha, float beta) {
  return functions::hard_sigmoid(V{x}, V{alpha}, V{beta}).v;
}
float hard_swish_f32(float x) { return functions::hard_swish(V{x}).v; }
float max_f32(float a, float b) { return functions::max_nan(V{a}, V{b}).v; }
float min_f32(float a, float b) { return functions::min_nan(V{a}, V{b}).v; }

}  // namespace medulla
