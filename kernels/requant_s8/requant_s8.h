// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_REQUANT_S8_REQUANT_S8_H_
#define MEDULLA_KERNELS_REQUANT_S8_REQUANT_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/row.h"

// Between floats and INT8, n values at a time. Equal bytes from every row. Nothing outside the n
// elements is read or written.
namespace medulla {

// One side's numbers. Of uint8 the bytes are handed over as int8_t*, zero point and range are of
// 0 to 255.
struct QuantizedS8 {
  float scale = 1;
  int32_t zero_point = 0;
  int32_t min = -128;  // for outputs
  int32_t max = 127;
  bool is_unsigned = false;
};

struct RequantS8Kernel {
  // y = Q(fl(x / scale)): division, clamp, round to nearest even; NaN gives min.
  void (*quantize)(const QuantizedS8& q, const float* x, int8_t* y, size_t n);
  // y = fl(float(x - zero_point) * scale).
  void (*dequantize)(const QuantizedS8& q, const int8_t* x, float* y, size_t n);
  // y = Q(fl(float(x - zero_point of `from`) * k)), k = scale of `from` / scale of `to`, decided by
  // the converter. y may be x.
  void (*requantize)(const QuantizedS8& from, const QuantizedS8& to, float k, const int8_t* x,
                     int8_t* y, size_t n);
};

using RequantS8Row = Row<RequantS8Kernel, KernelRequest>;
std::span<const RequantS8Row> requant_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_REQUANT_S8_REQUANT_S8_H_
