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

// LSTM with sigmoid, tanh and tanh, no peepholes. i, o, f, g: the gates' sums before activation (g
// is ONNX's c gate); `bound` clips them to [-bound, bound], +inf: not at all.
//   c = fma(sigmoid(f), c, fl(sigmoid(i) * tanh(g))); h = sigmoid(o) * tanh(c)
void lstm_cell_f32(float i, float o, float f, float g, float bound, float* c, float* h);

// GRU with sigmoid and tanh: r, z and n are such sums (n is ONNX's h gate), h the state.
//   reset:  sigmoid(r) * v
//   update: fma(sigmoid(z), h, fl(fl(1 - sigmoid(z)) * tanh(n)))
// With linear_before_reset n is x_n + reset(r, h_n), h_n = R_h h + Rb_h; else h goes through reset
// before it is multiplied by R_h.
float gru_reset_f32(float r, float bound, float v);
float gru_update_f32(float z, float n, float bound, float h);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ELEMENTWISE_F32_SCALAR_H_
