// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_S8_H_
#define MEDULLA_KERNELS_S8_H_

#include <cstddef>
#include <cstdint>

// What the INT8 families share. Sums are exact: sum (q - z_x)(w - z_w[c]) + bias[c] in int32, which
// the converter has proved to fit; the additions wrap, so that no file can make them undefined.
namespace medulla {

// The weights of a layer as the model has them; all that its packed form depends on.
struct WeightsS8 {
  size_t n = 0;  // columns or output channels
  size_t k = 0;  // products of each
  const int8_t* w = nullptr;
  size_t k_stride = 1;  // w[k][n] is w[k * k_stride + n * n_stride]
  size_t n_stride = 0;
  const int32_t* zero_points = nullptr;  // z_w[n * zero_point_step], or null for 0
  size_t zero_point_step = 1;            // 0: one for all channels
  const int32_t* bias = nullptr;         // [n], or null for 0
  const float* scale = nullptr;          // [n * scale_step]: s_x * s_w / s_y, or s_x * s_w for a
  size_t scale_step = 1;                 // float output; 0: one for all channels
  const float* float_bias = nullptr;     // [n] for a float output, or null for 0
};

static inline int32_t zero_point_of(const WeightsS8& w, size_t n) {
  return w.zero_points != nullptr ? w.zero_points[n * w.zero_point_step] : 0;
}

// What goes with the sums of one channel of packed weights.
struct ChannelS8 {
  uint32_t bias;
  float scale;
  float float_bias;
};

// Channel `n`, with the bias less `fold` times `sum`, the sum of w - z_w: for fold = z_in a kernel
// may multiply raw inputs, for 0 it takes z_in off them itself.
static inline ChannelS8 channel_s8(const WeightsS8& w, size_t n, int32_t fold, uint32_t sum) {
  const uint32_t bias = w.bias != nullptr ? static_cast<uint32_t>(w.bias[n]) : 0;
  return {bias - static_cast<uint32_t>(fold) * sum, w.scale[n * w.scale_step],
          w.float_bias != nullptr ? w.float_bias[n] : 0.0f};
}

// Adds kCount values from *w on, while they last. As many as 128 have a sum of 16 bits: compilers
// make vectors of them.
template <size_t kCount>
static inline void add_values_s8(const int8_t** w, size_t* left, uint32_t* sum) {
  for (; *left >= kCount; *w += kCount, *left -= kCount) {
    int16_t part = 0;
    for (size_t i = 0; i < kCount; ++i) part = static_cast<int16_t>(part + (*w)[i]);
    *sum += static_cast<uint32_t>(part);
  }
}

// The same, with the sum taken here.
static inline ChannelS8 channel_s8(const WeightsS8& w, size_t n, int32_t fold) {
  const int8_t* values = w.w + n * w.n_stride;
  uint32_t sum = 0;
  if (w.k_stride == 1) {
    size_t left = w.k;
    add_values_s8<128>(&values, &left, &sum);
    add_values_s8<16>(&values, &left, &sum);
    add_values_s8<1>(&values, &left, &sum);
  } else {
    for (size_t k = 0; k < w.k; ++k) sum += static_cast<uint32_t>(values[k * w.k_stride]);
  }
  sum -= static_cast<uint32_t>(w.k) * static_cast<uint32_t>(zero_point_of(w, n));
  return channel_s8(w, n, fold, sum);
}

// For kernels.inc: rows whose packed weights have one byte.
template <class Problem>
static const char* fits_narrow_s8(const Problem& p) {
  return p.narrow_weights ? nullptr : "weights less their zero points are not all int8";
}

// Where sums go: row or pixel p, channel c to element p * stride + c of one of the two.
struct OutputS8 {
  // Q(fl(float(sum) * scale[c])) with this zero point; a fused activation narrows min and max.
  int8_t* s8 = nullptr;
  int32_t zero_point = 0;
  int32_t min = -128;
  int32_t max = 127;
  // fl(fl(float(sum) * scale[c]) + float_bias[c]), then lo and hi as gemm_f32 clamps.
  float* f32 = nullptr;
  float lo = 0;
  float hi = 0;

  size_t stride = 0;
  // Added to each sum of row p; null: nothing. Only for rows of gemm_s8 that said they take it.
  const int32_t* row_bias = nullptr;
};

// rne(clamp(t)) + zero_point: NaN gives min. Exact: after the clamp |t| < 2^22.
static inline int8_t quantize_s8(float t, int32_t zero_point, int32_t min, int32_t max) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: the sum keeps no fraction
  const float lo = static_cast<float>(min - zero_point);
  const float hi = static_cast<float>(max - zero_point);
  t = t > lo ? t : lo;
  t = t < hi ? t : hi;
  const float rounded = (t + kRound) - kRound;
  return static_cast<int8_t>(static_cast<int32_t>(rounded) + zero_point);
}

// The packed form of weights: for each 16 channels one PanelS8, then the weights w - z_w, of
// `bytes` bytes each (2, or 1 if they fit), in groups of `group` k: [k / group][16
// channels][group]; the groups come in equal parts of at most `part`. What lies past n and k is 0.
struct PackingS8 {
  size_t group;
  size_t bytes;
  size_t part = 1;
};

// `k` with what fills up its last group and part; itself for what it returned.
static inline size_t depth_s8(PackingS8 packing, size_t k) {
  const size_t groups = (k + packing.group - 1) / packing.group;
  if (packing.part == 1 || groups == 0) return groups * packing.group;
  const size_t parts = (groups + packing.part - 1) / packing.part;
  return (groups + parts - 1) / parts * parts * packing.group;
}

// For products of unsigned by signed bytes: inputs are q + kFlipS8, a flip of the top bit, and the
// fold of channel_s8 has kFlipS8 more.
constexpr PackingS8 kQuadsS8 = {.group = 4, .bytes = 1};
constexpr int32_t kFlipS8 = 128;

constexpr size_t kPanelS8 = 16;
struct alignas(64) PanelS8 {
  uint32_t bias[kPanelS8];
  float scale[kPanelS8];
  float float_bias[kPanelS8];
};

template <class T = int16_t>
static inline const T* panel_weights(const PanelS8& panel) {
  return reinterpret_cast<const T*>(&panel + 1);
}

static inline size_t panel_bytes_s8(PackingS8 packing, size_t k) {
  return sizeof(PanelS8) + (depth_s8(packing, k) * kPanelS8 * packing.bytes + 63) / 64 * 64;
}

static inline void set_channel(PanelS8* panel, size_t j, const ChannelS8& channel) {
  panel->bias[j] = channel.bias;
  panel->scale[j] = channel.scale;
  panel->float_bias[j] = channel.float_bias;
}

static inline const PanelS8* panel_s8(const void* packed, size_t panel_bytes, size_t channel) {
  return reinterpret_cast<const PanelS8*>(static_cast<const unsigned char*>(packed) +
                                          channel / kPanelS8 * panel_bytes);
}

// sums += x * w for one k. 16-bit factors let compilers take the narrow multiplications.
static inline void add_products_s8(uint32_t* sums, int x, const int16_t* w) {
  const int16_t factor = static_cast<int16_t>(x);
  for (size_t j = 0; j < kPanelS8; ++j) sums[j] += static_cast<uint32_t>(factor * w[j]);
}

// Stores the sums of channels [channel, channel + width) of row `p`.
static inline void store_s8(const OutputS8& out, size_t p, size_t channel, size_t width,
                            const PanelS8& panel, const uint32_t* sums) {
  for (size_t j = 0; j < width; ++j) {
    const float t = static_cast<float>(static_cast<int32_t>(sums[j])) * panel.scale[j];
    const size_t to = p * out.stride + channel + j;
    if (out.s8 != nullptr) {
      out.s8[to] = quantize_s8(t, out.zero_point, out.min, out.max);
    } else {
      float v = t + panel.float_bias[j];
      v = out.lo > v ? out.lo : v;
      out.f32[to] = out.hi < v ? out.hi : v;
    }
  }
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_S8_H_
