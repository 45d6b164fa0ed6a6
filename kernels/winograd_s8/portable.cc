// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_s8/transforms.h"

// The whole algorithm modulo 2^32, one number at a time.
namespace medulla {
namespace {

struct Mod32 {
  uint32_t v;

  Mod32 operator+(Mod32 b) const { return {v + b.v}; }
  Mod32 operator-(Mod32 b) const { return {v - b.v}; }
};

template <uint32_t kFactor>
Mod32 times(Mod32 x) {
  return {kFactor * x.v};
}

using Square = Mod32[kSideWinograd][kSideWinograd];

// y = B^T x B.
void transform_inputs(const Square& x, Square& y) {
  Square t;
  for (size_t i = 0; i < kSideWinograd; ++i) transform_input(x[i], t[i]);
  for (size_t j = 0; j < kSideWinograd; ++j) {
    Mod32 column[kSideWinograd];
    Mod32 to[kSideWinograd];
    for (size_t i = 0; i < kSideWinograd; ++i) column[i] = t[i][j];
    transform_input(column, to);
    for (size_t i = 0; i < kSideWinograd; ++i) y[i][j] = to[i];
  }
}

// u = G g G^T of the filter whose values are 2 * kPanelS8 apart.
void transform_filter(const int8_t* g, Square& u) {
  Mod32 t[kSideWinograd][3];
  for (size_t j = 0; j < 3; ++j) {
    Mod32 column[3];
    Mod32 to[kSideWinograd];
    for (size_t i = 0; i < 3; ++i) {
      column[i] = {static_cast<uint32_t>(int32_t{g[(i * 3 + j) * 2 * kPanelS8]})};
    }
    transform_weights(column, to);
    for (size_t i = 0; i < kSideWinograd; ++i) t[i][j] = to[i];
  }
  for (size_t i = 0; i < kSideWinograd; ++i) transform_weights(t[i], u[i]);
}

// The sums of a tile: R of winograd_s8.h.
void transform_outputs(const Square& m, uint32_t (&r)[kTileWinograd][kTileWinograd]) {
  Mod32 t[kSideWinograd][kTileWinograd];
  for (size_t i = 0; i < kSideWinograd; ++i) transform_output(m[i], t[i]);
  for (size_t j = 0; j < kTileWinograd; ++j) {
    Mod32 column[kSideWinograd];
    Mod32 to[kTileWinograd];
    for (size_t i = 0; i < kSideWinograd; ++i) column[i] = t[i][j];
    transform_output(column, to);
    for (size_t i = 0; i < kTileWinograd; ++i) {
      const int32_t sum64 = static_cast<int32_t>(to[i].v * kInverseOf9);
      r[i][j] = static_cast<uint32_t>(sum64 >> kShiftWinograd);
    }
  }
}

void load_tile(const ConvS8& a, const TileWinograd& tile, size_t channel, Square& x) {
  const ConvGeometry& c = a.conv;
  for (size_t i = 0; i < kSideWinograd; ++i) {
    const size_t y = tile.y + i - c.pad_top;  // huge if negative
    for (size_t j = 0; j < kSideWinograd; ++j) {
      const size_t in_x = tile.x + j - c.pad_left;
      const bool inside = y < c.in_h && in_x < c.in_w;
      const size_t pixel = (tile.image * c.in_h + y) * c.in_w + in_x;
      const int value = inside ? a.in[pixel * a.in_stride + channel] : a.in_zero_point;
      x[i][j] = {static_cast<uint32_t>(value)};
    }
  }
}

size_t scratch_bytes(const ConvGeometry& c) { return c.in_channels * sizeof(Square); }

void run_tile(const ConvS8& a, const TileWinograd& tile, const Square* inputs) {
  const ConvGeometry& c = a.conv;
  const unsigned char* at = static_cast<const unsigned char*>(a.weights);
  for (size_t first = 0; first < c.out_channels; first += kPanelS8) {
    const PanelS8& panel = *reinterpret_cast<const PanelS8*>(at);
    const int8_t* const filters = panel_weights<int8_t>(panel);
    const size_t width = c.out_channels - first < kPanelS8 ? c.out_channels - first : kPanelS8;
    uint32_t sums[kTileWinograd][kTileWinograd][kPanelS8] = {};
    for (size_t n = 0; n < width; ++n) {
      Square products = {};
      for (size_t channel = 0; channel < c.in_channels; ++channel) {
        Square u;
        transform_filter(filters + winograd_s8_filter(channel, 0) + n * 2, u);
        for (size_t i = 0; i < kPlacesWinograd; ++i) {
          products[i / kSideWinograd][i % kSideWinograd].v +=
              u[i / kSideWinograd][i % kSideWinograd].v *
              inputs[channel][i / kSideWinograd][i % kSideWinograd].v;
        }
      }
      uint32_t r[kTileWinograd][kTileWinograd];
      transform_outputs(products, r);
      for (size_t i = 0; i < kTileWinograd; ++i) {
        for (size_t j = 0; j < kTileWinograd; ++j) sums[i][j][n] = r[i][j] + panel.bias[n];
      }
    }
    for (size_t i = 0; i < tile.rows; ++i) {
      const size_t pixel = (tile.image * c.out_h + tile.y + i) * c.out_w + tile.x;
      for (size_t j = 0; j < tile.cols; ++j) {
        store_s8(a.out, pixel + j, first, width, panel, sums[i][j]);
      }
    }
    at += winograd_s8_panel_bytes(c);
  }
}

void run(const ConvS8& a, size_t begin, size_t end, void* scratch) {
  Square* const inputs = static_cast<Square*>(scratch);
  for (size_t unit = begin; unit < end; ++unit) {
    const TileWinograd tile = winograd_s8_tile(a.conv, unit);
    for (size_t channel = 0; channel < a.conv.in_channels; ++channel) {
      Square x;
      load_tile(a, tile, channel, x);
      transform_inputs(x, inputs[channel]);
    }
    run_tile(a, tile, inputs);
  }
}

}  // namespace

extern const ConvS8Kernel winograd_s8_f4_portable;
const ConvS8Kernel winograd_s8_f4_portable = {winograd_s8_units, winograd_s8_packed_bytes,
                                              winograd_s8_pack, scratch_bytes, run};

}  // namespace medulla
