// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_s8/winograd_s8.h"

#include <cstring>

namespace medulla {

#define MDL_KERNEL(name, isa, fits) extern const ConvS8Kernel name;
#include "medulla_rows/winograd_s8.inc"
#undef MDL_KERNEL

namespace {

bool is_3x3(const ConvGeometry& c) {
  return c.kernel_h == 3 && c.kernel_w == 3 && c.stride_h == 1 && c.stride_w == 1;
}

const char* winograd_s8_fits(const ConvS8Problem& p) {
  const ConvGeometry& c = p.conv;
  if (!is_3x3(c)) return "not 3x3 with stride 1";
  if (c.dilation_h != 1 || c.dilation_w != 1) return "dilation is not 1";
  if (c.groups != 1) return "more than one group";
  if (p.weight_sum >= (uint64_t{1} << 25) / 128) return "sums may reach 2^25";
  return fits_narrow_s8(p);
}

constexpr ConvS8Row kRows[] = {
#define MDL_KERNEL(name, isa, fits) {#name, Isa::isa, fits, &name},
#include "medulla_rows/winograd_s8.inc"
#undef MDL_KERNEL
};

constexpr size_t kTaps = 9;

size_t panels(const ConvGeometry& c) { return (c.out_channels + kPanelS8 - 1) / kPanelS8; }

size_t tiles(size_t outputs) { return (outputs + kTileWinograd - 1) / kTileWinograd; }

}  // namespace

std::span<const ConvS8Row> winograd_s8_rows() { return kRows; }

bool winograd_s8_pays(Isa isa, const ConvGeometry& c) {
  const size_t count = tiles(c.out_h) * tiles(c.out_w);
  const size_t least = isa == Isa::avx2 ? 4 : 12;
  const size_t channels = isa == Isa::avx2 ? 16 : 24;
  return isa != Isa::portable && isa != Isa::amx_int8 && is_3x3(c) && c.in_channels >= channels &&
         c.out_channels >= 8 && count >= least &&
         c.out_h * c.out_w * 2 >= count * kTileWinograd * kTileWinograd;
}

size_t winograd_s8_units(const ConvGeometry& c) {
  return c.batch * tiles(c.out_h) * tiles(c.out_w);
}

size_t winograd_s8_depth(const ConvGeometry& c) { return (c.in_channels + 15) / 16 * 16; }

size_t winograd_s8_panel_bytes(const ConvGeometry& c) {
  return sizeof(PanelS8) + winograd_s8_depth(c) * kTaps * kPanelS8;
}

size_t winograd_s8_packed_bytes(const ConvGeometry& c, const WeightsS8&) {
  return panels(c) * winograd_s8_panel_bytes(c) + c.in_channels;
}

const int8_t* winograd_s8_padding(const ConvGeometry& c, const void* packed) {
  return static_cast<const int8_t*>(packed) + panels(c) * winograd_s8_panel_bytes(c);
}

void winograd_s8_pack(const ConvGeometry& c, const WeightsS8& w, int32_t in_zero_point,
                      void* packed) {
  const size_t panel_bytes = winograd_s8_panel_bytes(c);
  unsigned char* const bytes = static_cast<unsigned char*>(packed);
  std::memset(bytes, 0, panels(c) * panel_bytes);
  std::memset(bytes + panels(c) * panel_bytes, in_zero_point & 0xff, c.in_channels);
  for (size_t n = 0; n < w.n; ++n) {
    PanelS8* const panel = reinterpret_cast<PanelS8*>(bytes + n / kPanelS8 * panel_bytes);
    int8_t* const filters = reinterpret_cast<int8_t*>(panel + 1);
    const size_t j = n % kPanelS8;
    const int32_t zero_point = zero_point_of(w, n);
    const int8_t* from = w.w + n * w.n_stride;
    for (size_t tap = 0; tap < kTaps; ++tap) {
      int8_t* to = filters + winograd_s8_filter(0, tap) + j * 2;
      for (size_t channel = 0; channel < c.in_channels; ++channel, from += w.k_stride) {
        to[winograd_s8_filter(channel, 0)] = static_cast<int8_t>(*from - zero_point);
      }
    }
    set_channel(panel, j, channel_s8(w, n, in_zero_point));
  }
}

TileWinograd winograd_s8_tile(const ConvGeometry& c, size_t unit) {
  const size_t across = tiles(c.out_w);
  const size_t down = tiles(c.out_h);
  TileWinograd t;
  t.image = unit / across / down;
  t.y = unit / across % down * kTileWinograd;
  t.x = unit % across * kTileWinograd;
  t.rows = c.out_h - t.y < kTileWinograd ? c.out_h - t.y : kTileWinograd;
  t.cols = c.out_w - t.x < kTileWinograd ? c.out_w - t.x : kTileWinograd;
  return t;
}

}  // namespace medulla
