// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_POOL_S8_POOL_S8_H_
#define MEDULLA_KERNELS_POOL_S8_POOL_S8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/pool.h"
#include "kernels/row.h"

// Pools over NHWC in INT8, exact: equal bytes from every row, whatever the range. Outputs overlap
// no inputs. Nothing outside the tensors is read or written.
namespace medulla {

struct PoolS8 {
  PoolGeometry pool;
  const int8_t* in = nullptr;
  size_t in_stride = 0;  // bytes from pixel to pixel, at least the channels
  int8_t* out = nullptr;
  size_t out_stride = 0;

  // For averages: the input's zero point; m[n - 1] for a window that counts n, or m[0] for all with
  // a step of 0; the output's zero point and range.
  int32_t in_zero_point = 0;
  const float* multipliers = nullptr;
  size_t multiplier_step = 1;
  int32_t zero_point = 0;
  int32_t min = -128;
  int32_t max = 127;
};

struct PoolS8Kernel {
  // Output pixels [begin, end), counted through rows and images.
  void (*max_s8)(const PoolS8& a, size_t begin, size_t end);
  void (*max_u8)(const PoolS8& a, size_t begin, size_t end);  // of uint8, handed over as int8_t*
  // Q(fl(float(sum (in - in_zero_point)) * m)) over the window without padding, Q as in s8.h's
  // quantize_s8; a global average is one window. At most 2^23 taps.
  void (*average)(const PoolS8& a, size_t begin, size_t end);
};

using PoolS8Row = Row<PoolS8Kernel, KernelRequest>;
std::span<const PoolS8Row> pool_s8_rows();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_POOL_S8_POOL_S8_H_
