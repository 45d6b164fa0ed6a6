// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_WINOGRAD_S8_X86_BLOCKS_H_
#define MEDULLA_KERNELS_WINOGRAD_S8_X86_BLOCKS_H_

#include "kernels/winograd_s8/transforms.h"
#include "kernels/x86_avx2_s8.h"

// Blocks of tiles: their inputs are transformed to V[place][tile][channel]; then, 16 outputs at a
// time, filters are transformed to U, six places at a time so that they stay in L1, and multiplied
// with V in pairs of channels; at last the products M are transformed and stored.
namespace medulla {
namespace {  // so that what is instantiated with a file's Product stays in that file

struct I16x16 {
  __m256i v;

  I16x16 operator+(I16x16 b) const { return {_mm256_add_epi16(v, b.v)}; }
  I16x16 operator-(I16x16 b) const { return {_mm256_sub_epi16(v, b.v)}; }
};
template <int kFactor>
I16x16 times(I16x16 x) {
  static_assert(kFactor == 2 || kFactor == 4);
  return {_mm256_slli_epi16(x.v, kFactor / 2)};
}

struct I32x8 {
  __m256i v;

  I32x8 operator+(I32x8 b) const { return {_mm256_add_epi32(v, b.v)}; }
  I32x8 operator-(I32x8 b) const { return {_mm256_sub_epi32(v, b.v)}; }
};
template <int kFactor>
I32x8 times(I32x8 x) {
  static_assert(kFactor == 2 || kFactor == 4);
  return {_mm256_slli_epi32(x.v, kFactor / 2)};
}

// m[tile][16] = (or +=) the sums over `pairs` of v[tile][pair] * u[pair][16], with tiles `depth`
// values apart. Product has kMultiply[2][kGroup], by whether it adds and the number of tiles
// less 1.
using Multiply = void (*)(const int16_t* v, size_t depth, const int16_t* u, size_t pairs,
                          int32_t* m);

constexpr size_t kChannelBlock = 256;  // channels whose U is made at a time

// Bytes of V and M that stay in a 512 KiB L2; fewer tiles would repeat U more often.
constexpr size_t kBlockBytes = 450 * 1024;

// A place of V, in values: a cache line more than the tiles fill, for strides of a power of two
// would put all places into the same sets.
size_t place_stride(size_t tiles, size_t depth) { return tiles * depth + 32; }

template <class Product>
size_t block_tiles(const ConvGeometry& c) {
  const size_t depth = winograd_s8_depth(c);
  const size_t tile_bytes =
      kPlacesWinograd * (depth * sizeof(int16_t) + kPanelS8 * sizeof(int32_t));
  const size_t tiles = kBlockBytes / tile_bytes;
  const size_t most = winograd_s8_units(c);
  if (tiles >= most) return most;
  return tiles < Product::kGroup ? Product::kGroup : tiles;
}

struct Layout {
  size_t v_bytes;  // int16 [36][place_stride]
  size_t u_bytes;  // int16 [6][channels / 2][16][2]
  size_t m_bytes;  // int32 [group][36][tiles of the group][16]
};

template <class Product>
Layout layout(const ConvGeometry& c) {
  const size_t depth = winograd_s8_depth(c);
  const size_t tiles = block_tiles<Product>(c);
  const size_t channels = depth < kChannelBlock ? depth : kChannelBlock;
  return {kPlacesWinograd * place_stride(tiles, depth) * sizeof(int16_t),
          kSideWinograd * channels * kPanelS8 * sizeof(int16_t),
          tiles * kPlacesWinograd * kPanelS8 * sizeof(int32_t)};
}

template <class Product>
size_t scratch_bytes(const ConvGeometry& c) {
  const Layout l = layout<Product>(c);
  return l.v_bytes + l.u_bytes + l.m_bytes;
}

using Pixels = const int8_t* [kSideWinograd][kSideWinograd];

// V of 16 channels of one tile, from `channel` on.
void transform_channels(const Pixels& pixels, size_t channel, int16_t* v, size_t stride) {
  I16x16 t[kSideWinograd][kSideWinograd];
#pragma GCC unroll 6
  for (size_t j = 0; j < kSideWinograd; ++j) {
    I16x16 column[kSideWinograd];
    I16x16 to[kSideWinograd];
#pragma GCC unroll 6
    for (size_t i = 0; i < kSideWinograd; ++i) {
      const auto* from = reinterpret_cast<const __m128i*>(pixels[i][j] + channel);
      column[i] = {_mm256_cvtepi8_epi16(_mm_loadu_si128(from))};
    }
    transform_input(column, to);
#pragma GCC unroll 6
    for (size_t i = 0; i < kSideWinograd; ++i) t[i][j] = to[i];
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < kSideWinograd; ++i) {
    I16x16 row[kSideWinograd];
    transform_input(t[i], row);
#pragma GCC unroll 6
    for (size_t j = 0; j < kSideWinograd; ++j) {
      int16_t* const to = v + (i * kSideWinograd + j) * stride;
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), row[j].v);
    }
  }
}

// Past the channels V stays as it is: at most one of a pair is read, to be multiplied by 0.
void transform_tile(const ConvS8& a, const TileWinograd& tile, int16_t* v, size_t stride) {
  const ConvGeometry& c = a.conv;
  const int8_t* const padding = winograd_s8_padding(c, a.weights);
  Pixels pixels;
  for (size_t i = 0; i < kSideWinograd; ++i) {
    const size_t y = tile.y + i - c.pad_top;  // huge if negative
    for (size_t j = 0; j < kSideWinograd; ++j) {
      const size_t x = tile.x + j - c.pad_left;
      const bool inside = y < c.in_h && x < c.in_w;
      pixels[i][j] =
          inside ? a.in + ((tile.image * c.in_h + y) * c.in_w + x) * a.in_stride : padding;
    }
  }
  const size_t whole = c.in_channels / 16 * 16;
  for (size_t channel = 0; channel < whole; channel += 16) {
    transform_channels(pixels, channel, v + channel, stride);
  }
  if (whole == c.in_channels) return;
  if (whole > 0) {
    const size_t last = c.in_channels - 16;
    transform_channels(pixels, last, v + last, stride);
    return;
  }
  int8_t part[kPlacesWinograd][16] = {};
  for (size_t place = 0; place < kPlacesWinograd; ++place) {
    const int8_t*& pixel = pixels[place / kSideWinograd][place % kSideWinograd];
    std::memcpy(part[place], pixel, c.in_channels);
    pixel = part[place];
  }
  transform_channels(pixels, 0, v, stride);
}

// Row kRow of the places of U, of `pairs` pairs of channels and 16 outputs.
template <size_t kRow>
void transform_filters(const int8_t* filters, size_t pairs, int16_t* u) {
  const size_t stride = pairs * 2 * kPanelS8;
  for (size_t pair = 0; pair < pairs; ++pair, filters += 9 * 2 * kPanelS8, u += 2 * kPanelS8) {
#pragma GCC unroll 2
    for (size_t half = 0; half < 2; ++half) {
      I16x16 t[3];
      I16x16 row[kSideWinograd];
#pragma GCC unroll 3
      for (size_t j = 0; j < 3; ++j) {
        t[j] = transform_weight<kRow>([&](size_t i) {
          const int8_t* tap = filters + (i * 3 + j) * 2 * kPanelS8 + half * 16;
          return I16x16{
              _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(tap)))};
        });
      }
      transform_weights(t, row);
#pragma GCC unroll 6
      for (size_t j = 0; j < kSideWinograd; ++j) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(u + j * stride + half * 16), row[j].v);
      }
    }
  }
}

using TransformFilters = void (*)(const int8_t* filters, size_t pairs, int16_t* u);
constexpr TransformFilters kTransformFilters[kSideWinograd] = {
    transform_filters<0>, transform_filters<1>, transform_filters<2>,
    transform_filters<3>, transform_filters<4>, transform_filters<5>};

// The sums of one tile and 16 outputs from its products, `stride` values from place to place.
void store_tile(const ConvS8& a, const TileWinograd& tile, size_t channel, size_t width,
                const PanelS8& panel, const int32_t* m, size_t stride) {
  I32x8 t[2][kTileWinograd][kSideWinograd];
#pragma GCC unroll 2
  for (size_t half = 0; half < 2; ++half) {
#pragma GCC unroll 6
    for (size_t j = 0; j < kSideWinograd; ++j) {
      I32x8 column[kSideWinograd];
      I32x8 to[kTileWinograd];
#pragma GCC unroll 6
      for (size_t i = 0; i < kSideWinograd; ++i) {
        const int32_t* from = m + (i * kSideWinograd + j) * stride + half * 8;
        column[i] = {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))};
      }
      transform_output(column, to);
#pragma GCC unroll 4
      for (size_t i = 0; i < kTileWinograd; ++i) t[half][i][j] = to[i];
    }
  }
  const __m256i inverse = _mm256_set1_epi32(static_cast<int32_t>(kInverseOf9));
  const __m256i* const bias = reinterpret_cast<const __m256i*>(panel.bias);
  for (size_t i = 0; i < tile.rows; ++i) {
    __m256i sums[kTileWinograd][2];
#pragma GCC unroll 2
    for (size_t half = 0; half < 2; ++half) {
      I32x8 row[kTileWinograd];
      transform_output(t[half][i], row);
#pragma GCC unroll 4
      for (size_t j = 0; j < kTileWinograd; ++j) {
        const __m256i sum64 = _mm256_mullo_epi32(row[j].v, inverse);
        sums[j][half] = _mm256_add_epi32(_mm256_srai_epi32(sum64, kShiftWinograd), bias[half]);
      }
    }
    const size_t pixel = (tile.image * a.conv.out_h + tile.y + i) * a.conv.out_w + tile.x;
    if (tile.cols == kTileWinograd) {
      store_s8_avx2<kTileWinograd, 2>(a.out, pixel, channel, width, panel, sums);
      continue;
    }
    for (size_t j = 0; j < tile.cols; ++j) {
      const __m256i one[1][2] = {{sums[j][0], sums[j][1]}};
      store_s8_avx2<1, 2>(a.out, pixel + j, channel, width, panel, one);
    }
  }
}

// Units [begin, begin + tiles), at most block_tiles.
template <class Product>
void run_block(const ConvS8& a, size_t begin, size_t tiles, unsigned char* scratch) {
  const ConvGeometry& c = a.conv;
  const Layout l = layout<Product>(c);
  const size_t depth = winograd_s8_depth(c);
  const size_t stride = place_stride(tiles, depth);
  int16_t* const v = reinterpret_cast<int16_t*>(scratch);
  int16_t* const u = reinterpret_cast<int16_t*>(scratch + l.v_bytes);
  int32_t* const m = reinterpret_cast<int32_t*>(scratch + l.v_bytes + l.u_bytes);
  for (size_t t = 0; t < tiles; ++t) {
    transform_tile(a, winograd_s8_tile(c, begin + t), v + t * depth, stride);
  }
  // Groups of nearly equal size: one of a single tile would cost as much as one of three.
  const size_t groups = (tiles + Product::kGroup - 1) / Product::kGroup;
  const unsigned char* at = static_cast<const unsigned char*>(a.weights);
  for (size_t channel = 0; channel < c.out_channels; channel += kPanelS8) {
    const PanelS8& panel = *reinterpret_cast<const PanelS8*>(at);
    at += winograd_s8_panel_bytes(c);
    const size_t left = c.out_channels - channel;
    const size_t width = left < kPanelS8 ? left : kPanelS8;
    for (size_t k = 0; k < c.in_channels; k += kChannelBlock) {
      const size_t rest = c.in_channels - k;
      const size_t pairs = ((rest < kChannelBlock ? rest : kChannelBlock) + 1) / 2;
      const int8_t* const filters = panel_weights<int8_t>(panel) + winograd_s8_filter(k, 0);
      for (size_t i = 0; i < kSideWinograd; ++i) {
        kTransformFilters[i](filters, pairs, u);
        for (size_t j = 0; j < kSideWinograd; ++j) {
          const size_t place = i * kSideWinograd + j;
          for (size_t group = 0; group < groups; ++group) {
            const size_t first = group * tiles / groups;
            const size_t count = (group + 1) * tiles / groups - first;
            Product::kMultiply[k > 0][count - 1](
                v + place * stride + first * depth + k, depth, u + j * pairs * 2 * kPanelS8, pairs,
                m + (first * kPlacesWinograd + place * count) * kPanelS8);
          }
        }
      }
    }
    for (size_t group = 0; group < groups; ++group) {
      const size_t first = group * tiles / groups;
      const size_t count = (group + 1) * tiles / groups - first;
      for (size_t t = 0; t < count; ++t) {
        store_tile(a, winograd_s8_tile(c, begin + first + t), channel, width, panel,
                   m + (first * kPlacesWinograd + t) * kPanelS8, count * kPanelS8);
      }
    }
  }
}

template <class Product>
void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  const size_t most = block_tiles<Product>(a.conv);
  for (size_t unit = begin; unit < end; unit += most) {
    run_block<Product>(a, unit, end - unit < most ? end - unit : most,
                       static_cast<unsigned char*>(scratch));
  }
}

template <class Product>
constexpr ConvS8Kernel kWinogradS8 = {winograd_s8_units, winograd_s8_packed_bytes, winograd_s8_pack,
                                      scratch_bytes<Product>, run<Product>};

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_WINOGRAD_S8_X86_BLOCKS_H_
