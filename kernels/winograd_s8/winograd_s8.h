// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_WINOGRAD_S8_WINOGRAD_S8_H_
#define MEDULLA_KERNELS_WINOGRAD_S8_WINOGRAD_S8_H_

#include <span>

#include "kernels/conv_s8/conv_s8.h"

// conv_s8's bytes for kernels of 3x3, stride 1, in a quarter of its products: Winograd's F(4x4,
// 3x3) in whole numbers. A unit is a tile of 4x4 outputs, counted through rows of tiles and images.
//
// Winograd's minimal filtering gives four outputs of a filter g of three from six inputs d by six
// products: Y = A^T ((G g) * (B^T d)), in two dimensions Y = A^T ((G g G^T) * (B^T d B)) A. With
// the interpolation points 0, 1, -1, 2, -2 and infinity, G has rows over 4, -6, -6, 24, 24 and 1.
// Here its rows are multiplied by 4, 6, 6, 24, 24, 1 and the columns of A^T by 6, 4, 4, 1, 1, 24,
// so that all three matrices are whole (transforms.h) and every product of scales is 24. In two
// dimensions the output transform then yields S = 24 * 24 * R = 576 R, with R the convolution's own
// sum.
//
// Inputs. |q| <= 128, and the rows of B^T have absolute sums of at most 10, so |B^T d B| <= 12800.
// Weights. |w| <= 128 and the rows of G have absolute sums of at most 7, so |G g G^T| <= 6272. Both
// fit int16, and partial sums of the transforms are no larger; pairs of products fit int32 twice.
//
// Sums are taken modulo 2^32, which no longer matters at the end: additions, and the products with
// the whole numbers of A^T, are exact modulo 2^32, so S is known modulo 2^32. 576 = 64 * 9, and 9
// has the inverse 954437177 modulo 2^32; S times that is 64 R modulo 2^32. If |R| < 2^25 then 64 R
// is that value as an int32, and an arithmetic shift by 6 gives R, exactly.
//
// R is taken over raw inputs q, padding being z_in, and the zero point goes into the bias: the sum
// of (q - z_in)(w - z_w) is R - z_in * sum (w - z_w). So |R| <= 128 * sum |w - z_w|, and the
// condition of winograd_s8_fits, 128 * weight_sum < 2^25, is the proof. It holds for any weights up
// to 227 channels.
namespace medulla {

std::span<const ConvS8Row> winograd_s8_rows();

// Whether the row of `isa` is faster than the row of conv_s8 of the same: what tiles save must
// outweigh what sticks out of the picture, and the transforms are to be shared by enough channels
// and tiles. Measured on Zen 3 (AVX2) and Zen 4 (AVX512-VNNI, whose direct products are faster).
bool winograd_s8_pays(Isa isa, const ConvGeometry& conv);

// For kernels.
constexpr size_t kTileWinograd = 4;                  // outputs of a tile, in a dimension
constexpr size_t kSideWinograd = kTileWinograd + 2;  // inputs
constexpr size_t kPlacesWinograd = kSideWinograd * kSideWinograd;

size_t winograd_s8_units(const ConvGeometry& conv);

// The packed form: for each 16 channels a PanelS8 and their filters as they are, nine bytes each,
// [channels / 2][3][3][16][2], with the channels rounded up to 16 and 0 past the last; then a pixel
// of padding. Transformed filters would be eight times that.
size_t winograd_s8_depth(const ConvGeometry& conv);  // channels, rounded up
size_t winograd_s8_panel_bytes(const ConvGeometry& conv);
size_t winograd_s8_packed_bytes(const ConvGeometry& conv, const WeightsS8& w);
void winograd_s8_pack(const ConvGeometry& conv, const WeightsS8& w, int32_t in_zero_point,
                      void* packed);
// Where the filters' values of a channel and a tap begin; those of output j are 2 * j further.
static inline size_t winograd_s8_filter(size_t channel, size_t tap) {
  return (channel / 2 * 9 + tap) * kPanelS8 * 2 + channel % 2;
}
const int8_t* winograd_s8_padding(const ConvGeometry& conv, const void* packed);

// The outputs of one tile, and where its inputs begin.
struct TileWinograd {
  size_t image;
  size_t y, x;        // the first output
  size_t rows, cols;  // outputs inside the picture, 1 to 4
};
TileWinograd winograd_s8_tile(const ConvGeometry& conv, size_t unit);

}  // namespace medulla

#endif  // MEDULLA_KERNELS_WINOGRAD_S8_WINOGRAD_S8_H_
