// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ELEMENTWISE_F32_SCALAR_H_
#define MEDULLA_KERNELS_ELEMENTWISE_F32_SCALAR_H_

// The functions of the elementwise kernels, one value at a time, with the bytes of every row. The
// sequences and their errors stand in functions.h. For references and for what is not worth a row.
namespace medulla {

float exp_f32(float x);
float log_f32(float x);
float sigmoid_f32(float x);
float tanh_f32(float x);
float erf_f32(float x);
float gelu_f32(float x);       // x * Phi(x)
float gelu_tanh_f32(float x);  // its approximation by tanh
float swish_f32(float x);
float softplus_f32(float x);
float softsign_f32(float x);
float clip_f32(float x, float lo, float hi);  // Relu is clip_f32(x, 0, +inf)
float leaky_relu_f32(float x, float alpha);
float elu_f32(float x, float alpha);
float hard_sigmoid_f32(float x, float alpha, float beta);
float hard_swish_f32(float x);

// NaN if either is; b where they are equal.
float max_f32(float a, float b);
float min_f32(float a, float b);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ELEMENTWISE_F32_SCALAR_H_
