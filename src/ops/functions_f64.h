// SPDX-License-Identifier: Apache-2.0
// Functions of binary64, each one sequence of IEEE operations: equal bytes on every CPU. float64
// operators give them as they are; float32 functions that are worth no kernel round them once. What
// stands behind them are bounds of the error, in ulps of binary64.
#ifndef MEDULLA_SRC_OPS_FUNCTIONS_F64_H_
#define MEDULLA_SRC_OPS_FUNCTIONS_F64_H_

namespace medulla {

double exp_f64(double x);       // 1
double expm1_f64(double x);     // 3
double log_f64(double x);       // 2; -inf at zero, NaN below
double log1p_f64(double x);     // 3
double erf_f64(double x);       // 40
double sigmoid_f64(double x);   // 3
double softplus_f64(double x);  // 3

// 4, for every finite argument; NaN for infinite ones.
double sin_f64(double x);
double cos_f64(double x);
double tan_f64(double x);

double asin_f64(double x);  // 3
double acos_f64(double x);  // 3
double atan_f64(double x);  // 2

double sinh_f64(double x);   // 3
double cosh_f64(double x);   // 3
double tanh_f64(double x);   // 3
double asinh_f64(double x);  // 3
double acosh_f64(double x);  // 3
double atanh_f64(double x);  // 3

// What is left of x / y, cut towards zero: exact, with the sign of x, as C's fmod.
double fmod_f64(double x, double y);

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_FUNCTIONS_F64_H_
