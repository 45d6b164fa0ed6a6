// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_CONV_S16_ROWS_H_
#define MEDULLA_KERNELS_CONV_S16_ROWS_H_

#include <cstring>

#include "kernels/conv_s16/conv_s16.h"

// The kernel of this family over any way to multiply rows. Inputs are multiplied as they are; what
// their zero point adds is taken off the bias.
namespace medulla {
namespace {

constexpr size_t kGroupS16 = 32;   // values of a row are a multiple of it, zeros at the end
constexpr size_t kTileS16 = 4;     // pixels at a time
constexpr size_t kLanesS16 = 16;   // channels at a time of a depthwise convolution
constexpr size_t kExactS16 = 256;  // products of 16 bits with +-255 that int32 holds the sum of
static_assert(kExactS16 * 255 * 32768 < INT32_MAX);

struct ChannelS16 {
  int64_t bias;
  double scale;
};

size_t round_up_s16(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Packed: a ChannelS16 for each channel; then the weights w - z_w in 16 bits, a row of `depth` for
// each channel, or of a depthwise convolution a row of `depth` channels for each tap.
struct LayoutS16 {
  bool depthwise;
  size_t rows;
  size_t depth;
  size_t first;  // byte where the weights begin

  explicit LayoutS16(const ConvGeometry& c) {
    const size_t taps = c.kernel_h * c.kernel_w;
    depthwise = c.groups == c.in_channels && c.groups == c.out_channels && c.groups > 1;
    rows = depthwise ? taps : c.out_channels;
    depth = depthwise ? round_up_s16(c.groups, kLanesS16)
                      : round_up_s16(taps * (c.in_channels / c.groups), kGroupS16);
    first = round_up_s16(c.out_channels * sizeof(ChannelS16), kPackAlign);
  }
  const int16_t* weights(const void* packed) const {
    return reinterpret_cast<const int16_t*>(static_cast<const unsigned char*>(packed) + first);
  }
};

size_t packed_bytes_s16(const ConvGeometry& c) {
  const LayoutS16 layout(c);
  return layout.first + layout.rows * layout.depth * sizeof(int16_t);
}

void pack_s16(const ConvGeometry& c, const WeightsS16& w, int32_t in_zero_point, void* packed) {
  const LayoutS16 layout(c);
  std::memset(packed, 0, packed_bytes_s16(c));
  auto* const channels = static_cast<ChannelS16*>(packed);
  auto* const to = reinterpret_cast<int16_t*>(static_cast<unsigned char*>(packed) + layout.first);
  for (size_t n = 0; n < w.weights.n; ++n) {
    const int8_t* from = w.weights.w + n * w.weights.n_stride;
    int64_t sum = 0;
    for (size_t k = 0; k < w.weights.k; ++k) {
      const auto value = static_cast<int16_t>(from[k] - zero_point_of(w.weights, n));
      to[layout.depthwise ? k * layout.depth + n : n * layout.depth + k] = value;
      sum += value;
    }
    channels[n] = {(w.bias != nullptr ? w.bias[n] : 0) - in_zero_point * sum, w.scale[n]};
  }
}

size_t scratch_bytes_s16(const ConvGeometry& c) {
  const LayoutS16 layout(c);
  return layout.depthwise ? 0 : kTileS16 * layout.depth * sizeof(int16_t);
}

int16_t output_s16(const ConvS16& a, const ChannelS16& channel, int64_t sum) {
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: the sum keeps no fraction
  const double lo = a.min - a.zero_point;
  const double hi = a.max - a.zero_point;
  double t = static_cast<double>(sum + channel.bias) * channel.scale;
  t = t > lo ? t : lo;
  t = t < hi ? t : hi;
  return static_cast<int16_t>(static_cast<int32_t>((t + kRound) - kRound) + a.zero_point);
}

// Calls take(tap, pixel) for each tap of output pixel p in order; null where it lies in padding.
template <class Take>
void for_each_tap_s16(const ConvS16& a, size_t p, Take take) {
  const ConvGeometry& c = a.conv;
  const size_t image = p / c.out_w / c.out_h * c.in_h;
  const size_t top = p / c.out_w % c.out_h * c.stride_h - c.pad_top;
  const size_t left = p % c.out_w * c.stride_w - c.pad_left;
  size_t tap = 0;
  for (size_t ky = 0; ky < c.kernel_h; ++ky) {
    const size_t y = top + ky * c.dilation_h;  // huge if negative
    for (size_t kx = 0; kx < c.kernel_w; ++kx, ++tap) {
      const size_t x = left + kx * c.dilation_w;
      const bool inside = y < c.in_h && x < c.in_w;
      take(tap, inside ? a.in + ((image + y) * c.in_w + x) * a.in_stride : nullptr);
    }
  }
}

// The inputs of one output pixel that a group of channels, from `first` on, multiplies.
void gather_s16(const ConvS16& a, size_t p, size_t first, size_t depth, int16_t* row) {
  const ConvGeometry& c = a.conv;
  const size_t channels = c.in_channels / c.groups;
  for_each_tap_s16(a, p, [&](size_t tap, const int16_t* pixel) {
    int16_t* const to = row + tap * channels;
    if (pixel != nullptr) {
      std::memcpy(to, pixel + first, channels * sizeof(int16_t));
    } else {
      for (size_t i = 0; i < channels; ++i) to[i] = static_cast<int16_t>(a.in_zero_point);
    }
  });
  const size_t used = c.kernel_h * c.kernel_w * channels;
  std::memset(row + used, 0, (depth - used) * sizeof(int16_t));
}

// Sums of kLanesS16 channels from `first` on, of which `count` are there.
void sum_lanes_s16(const ConvS16& a, const LayoutS16& layout, size_t p, size_t first, size_t count,
                   int64_t* sums) {
  const int16_t* const weights = layout.weights(a.weights) + first;
  int32_t part[kLanesS16] = {};
  for (size_t i = 0; i < kLanesS16; ++i) sums[i] = 0;
  for_each_tap_s16(a, p, [&](size_t tap, const int16_t* pixel) {
    const int16_t* const w = weights + tap * layout.depth;
    int16_t values[kLanesS16];
    for (size_t i = 0; i < kLanesS16; ++i) values[i] = static_cast<int16_t>(a.in_zero_point);
    const int16_t* x = values;
    if (pixel != nullptr && count == kLanesS16) {
      x = pixel + first;
    } else if (pixel != nullptr) {
      std::memcpy(values, pixel + first, count * sizeof(int16_t));
    }
    for (size_t i = 0; i < kLanesS16; ++i) part[i] += x[i] * w[i];
    if ((tap + 1) % kExactS16 != 0) return;
    for (size_t i = 0; i < kLanesS16; ++i) sums[i] += part[i];
    for (size_t i = 0; i < kLanesS16; ++i) part[i] = 0;
  });
  for (size_t i = 0; i < kLanesS16; ++i) sums[i] += part[i];
}

void run_depthwise_s16(const ConvS16& a, const LayoutS16& layout, size_t begin, size_t end) {
  const auto* const channels = static_cast<const ChannelS16*>(a.weights);
  for (size_t p = begin; p < end; ++p) {
    for (size_t first = 0; first < a.conv.groups; first += kLanesS16) {
      const size_t left = a.conv.groups - first;
      const size_t count = left < kLanesS16 ? left : kLanesS16;
      int64_t sums[kLanesS16];
      sum_lanes_s16(a, layout, p, first, count, sums);
      int16_t* const to = a.out + p * a.out_stride + first;
      for (size_t i = 0; i < count; ++i) to[i] = output_s16(a, channels[first + i], sums[i]);
    }
  }
}

// Dot::multiply(rows, depth, w, sums) gives the exact sums of kTileS16 rows of `depth` values each
// times w; depth is a multiple of kGroupS16, all are aligned to 32 bytes.
template <class Dot>
void run_s16(const ConvS16& a, size_t begin, size_t end, void* scratch) {
  const ConvGeometry& c = a.conv;
  const LayoutS16 layout(c);
  if (layout.depthwise) return run_depthwise_s16(a, layout, begin, end);
  const auto* const channels = static_cast<const ChannelS16*>(a.weights);
  auto* const rows = static_cast<int16_t*>(scratch);
  const size_t group_out = c.out_channels / c.groups;
  for (size_t p = begin; p < end; p += kTileS16) {
    const size_t count = end - p < kTileS16 ? end - p : kTileS16;
    for (size_t group = 0; group < c.groups; ++group) {
      const size_t first = group * (c.in_channels / c.groups);
      for (size_t r = 0; r < kTileS16; ++r) {
        int16_t* const row = rows + r * layout.depth;
        if (r < count) gather_s16(a, p + r, first, layout.depth, row);
        if (r >= count) std::memset(row, 0, layout.depth * sizeof(int16_t));
      }
      for (size_t o = group * group_out; o < (group + 1) * group_out; ++o) {
        int64_t sums[kTileS16];
        Dot::multiply(rows, layout.depth, layout.weights(a.weights) + o * layout.depth, sums);
        for (size_t r = 0; r < count; ++r) {
          a.out[(p + r) * a.out_stride + o] = output_s16(a, channels[o], sums[r]);
        }
      }
    }
  }
}

template <class Dot>
constexpr ConvS16Kernel make_conv_s16() {
  return {packed_bytes_s16, pack_s16, scratch_bytes_s16, run_s16<Dot>};
}

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_CONV_S16_ROWS_H_
