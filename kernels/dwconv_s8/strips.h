// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_DWCONV_S8_STRIPS_H_
#define MEDULLA_KERNELS_DWCONV_S8_STRIPS_H_

#include "kernels/dwconv_s8/dwconv_s8.h"

// Depthwise convolution of 3x3 by strips of outputs, for files of every ISA. What a strip reads is
// a table of pointers to pixels, [row][column], which point at a pixel of padding outside the
// picture: then edges are as any output, and so is what a kernel computes past the last one.
namespace medulla {
namespace {

constexpr size_t kMostStrip = 128;  // outputs of a row
constexpr size_t kStripStep = 4;    // outputs that a kernel may compute at a time

struct Strip {
  const int8_t* const* columns[4];  // of each row of inputs, from what the first output reads
  size_t pixel;                     // the first output
  size_t count;                     // of outputs, in each of `rows` rows of them
  size_t rows;
};

// Also the column behind the last one's.
inline size_t strip_columns(const ConvGeometry& c, size_t outputs) {
  return (outputs + kStripStep - 1) / kStripStep * kStripStep * c.stride_w + c.kernel_w;
}

inline size_t strip_scratch_bytes(const ConvGeometry& c) {
  return 4 * strip_columns(c, kMostStrip) * sizeof(const int8_t*);
}

// `count` columns from `first` on, which may be below 0, of row `y` of an image.
inline void list_columns(const ConvS8& a, size_t image, size_t y, size_t first, size_t count,
                         const int8_t* padding, const int8_t** to) {
  const ConvGeometry& c = a.conv;
  size_t i = 0;
  if (y < c.in_h) {
    while (i < count && first + i >= c.in_w) to[i++] = padding;
  }
  if (y < c.in_h && i < count) {
    const size_t inside = c.in_w - (first + i);
    const size_t end = inside < count - i ? i + inside : count;
    const int8_t* pixel = a.in + ((image * c.in_h + y) * c.in_w + first + i) * a.in_stride;
    for (; i < end; ++i, pixel += a.in_stride) to[i] = pixel;
  }
  while (i < count) to[i++] = padding;
}

// Calls run(strip) for strips that the outputs [begin, end) consist of. Two rows of outputs at a
// time read four rows of inputs, if `twos` and the rows are next to each other; one reads three,
// and has the third as its fourth.
template <class Run>
inline void for_each_strip(const ConvS8& a, const int8_t* padding, bool twos, size_t begin,
                           size_t end, void* scratch, const Run& run) {
  const ConvGeometry& c = a.conv;
  const bool next = twos && c.stride_h == 1 && c.dilation_h == 1;
  const int8_t** const table = static_cast<const int8_t**>(scratch);
  // The row of inputs that each row of the table lists from the first column to the last; rows of
  // outputs next to each other share some.
  constexpr size_t kNone = SIZE_MAX, kPadding = SIZE_MAX - 1;
  size_t listed[4] = {kNone, kNone, kNone, kNone};
  for (size_t p = begin; p < end;) {
    const size_t x = p % c.out_w;
    const size_t y = p / c.out_w % c.out_h;
    const size_t image = p / c.out_w / c.out_h;
    const bool two = next && x == 0 && y + 1 < c.out_h && end - p >= 2 * c.out_w;
    const size_t outputs = c.out_w - x < end - p ? c.out_w - x : end - p;
    for (size_t at = 0; at < outputs; at += kMostStrip) {
      Strip strip;
      strip.pixel = p + at;
      strip.count = outputs - at < kMostStrip ? outputs - at : kMostStrip;
      strip.rows = two ? 2 : 1;
      const size_t columns = strip_columns(c, strip.count);
      for (size_t i = 0; i < 4; ++i) {
        if (i == 3 && !two) {
          strip.columns[3] = strip.columns[2];
          continue;
        }
        const size_t in_y = y * c.stride_h + i * c.dilation_h - c.pad_top;  // huge if negative
        const size_t row = in_y < c.in_h ? image * c.in_h + in_y : kPadding;
        const size_t place = c.dilation_h == 1 ? in_y % 4 : i;
        const int8_t** const to = table + place * columns;
        strip.columns[i] = to;
        if (strip.count == c.out_w && listed[place] == row) continue;
        listed[place] = strip.count == c.out_w ? row : kNone;
        list_columns(a, image, in_y, (x + at) * c.stride_w - c.pad_left, columns, padding, to);
      }
      run(strip);
    }
    p += two ? 2 * outputs : outputs;
  }
}

}  // namespace
}  // namespace medulla

#endif  // MEDULLA_KERNELS_DWCONV_S8_STRIPS_H_
