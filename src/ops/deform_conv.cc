// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/base/checked.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"strides", MDL_ATTRIBUTE_INTS},
                                         {"dilations", MDL_ATTRIBUTE_INTS},
                                         {"pads", MDL_ATTRIBUTE_INTS},
                                         {"group", MDL_ATTRIBUTE_INT},
                                         {"offset_group", MDL_ATTRIBUTE_INT}};

// Input i has `values` for each tap of each offset group and output pixel.
mdl_status check_moves(const NodeView& node, std::span<const TensorType> inputs, size_t i,
                       const Convolution& conv, int64_t values, mdl_error* error) {
  if (i >= inputs.size() || inputs[i].dtype == MDL_DTYPE_NONE) return MDL_OK;
  const mdl_shape& shape = inputs[i].shape;
  const WindowAxis* axis = conv.window.axis;
  int64_t count;
  const bool fits = checked_mul(conv.window.taps(), values, &count) &&
                    checked_mul(count, node.int_or("offset_group", 1), &count);
  const mdl_shape expected = {
      4, {inputs[0].shape.dims[0], axis[1].out, axis[2].out, fits ? count : -1}};
  bool same = shape.rank == 4;
  for (uint32_t d = 0; same && d < 4; ++d) same = shape.dims[d] == expected.dims[d];
  if (same) return MDL_OK;
  return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", shape, ", should be ",
                   expected);
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != MDL_DTYPE_NONE) {
      MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
    }
  }
  const mdl_shape& x = inputs[0].shape;
  if (x.rank != 4) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should be [N, H, W, C]");
  }
  Convolution conv;
  MDL_TRY(read_convolution(node, x, inputs[1].shape, &conv, error));
  const int64_t groups = node.int_or("offset_group", 1);
  if (groups < 1 || conv.in_channels() % groups != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "offset_group is ", groups,
                     ", should divide the ", conv.in_channels(), " channels");
  }
  MDL_TRY(check_moves(node, inputs, 2, conv, 2, error));
  MDL_TRY(check_channels(node, inputs, 3, conv.out_channels(), error));
  MDL_TRY(check_moves(node, inputs, 4, conv, 1, error));
  return set_output(node, outputs, 0, MDL_FLOAT32,
                    window_output(x, conv.window, conv.out_channels()), error);
}

// The pixel before a place along one dimension, and how far behind it that lies.
struct Between {
  bool inside = false;  // less than a pixel from the image
  int64_t low = 0;
  float fraction = 0;
};

Between between(float at, int64_t size) {
  if (!(at > -1 && at < static_cast<float>(size))) return {};
  const float low = std::floor(at);
  return {true, static_cast<int64_t>(low), at - low};
}

// The value at a place of one channel: fl(fl(fl(a + b) + c) + d) of the products
// fl(fl(weight of its row * weight of its column) * x) of the four pixels around it, those outside
// of the image left out.
float sample(const float* x, const mdl_shape& shape, const Between& row, const Between& column) {
  float sum = 0;
  if (!row.inside || !column.inside) return sum;
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 2; ++j) {
      const int64_t r = row.low + i;
      const int64_t c = column.low + j;
      if (r < 0 || r >= shape.dims[1] || c < 0 || c >= shape.dims[2]) continue;
      const float weight = (i == 0 ? 1 - row.fraction : row.fraction) *
                           (j == 0 ? 1 - column.fraction : column.fraction);
      sum = sum + weight * x[(r * shape.dims[2] + c) * shape.dims[3]];
    }
  }
  return sum;
}

// A convolution each of whose taps reads where its offset moves it. y is one chain of fma over the
// taps and, in each, the channels of its group, started from bias + 0, of the weights and
// fl(sample * mask). A place is fl(the tap's own place + offset): rows before columns in the
// offsets, which hold the groups, in each the taps.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  Convolution conv;
  MDL_TRY(read_convolution(call.node, shape, call.input_types[1].shape, &conv, error));
  const WindowAxis& rows = conv.window.axis[1];
  const WindowAxis& columns = conv.window.axis[2];
  const int64_t taps = conv.window.taps();
  const int64_t channels = conv.in_channels();
  const int64_t outputs = conv.out_channels();
  const int64_t offset_groups = call.node.int_or("offset_group", 1);
  const int64_t moved = channels / offset_groups;  // channels of one offset group
  const float* x = call.in<float>(0);
  const float* offsets = call.in<float>(2);
  const float* bias = call.in<float>(3);
  const float* mask = call.in<float>(4);
  float* y = call.out<float>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += conv.window.inputs() * channels) {
    for (int64_t p = 0; p < conv.window.outputs(); ++p, y += outputs) {
      for (int64_t o = 0; o < outputs; ++o) {
        const int64_t first = o / conv.group_out * conv.group_in;
        const float* w = call.in<float>(1) + o * taps * conv.group_in;
        float sum = bias != nullptr ? bias[o] + 0.0f : 0.0f;
        for (int64_t t = 0; t < taps; ++t) {
          const int64_t row = rows.at(p / columns.out, t / columns.kernel);
          const int64_t column = columns.at(p % columns.out, t % columns.kernel);
          for (int64_t c = first; c < first + conv.group_in; ++c) {
            const int64_t at = c / moved * taps + t;
            const Between v = between(static_cast<float>(row) + offsets[2 * at], rows.in);
            const Between h = between(static_cast<float>(column) + offsets[2 * at + 1], columns.in);
            const float value = sample(x + c, shape, v, h);
            sum = std::fma(mask != nullptr ? value * mask[at] : value,
                           w[t * conv.group_in + c - first], sum);
          }
        }
        y[o] = sum;
      }
      offsets += offset_groups * taps * 2;
      if (mask != nullptr) mask += offset_groups * taps;
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs: x [N, H, W, C], the weights [O, kernel..., C / group], the offsets
// [N, rows, columns, groups * taps * 2], the bias, the mask [N, rows, columns, groups * taps].
extern const Op op_DeformConv = {
    .name = "DeformConv",
    .min_inputs = 3,
    .max_inputs = 5,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .macs = convolution_macs,
};

}  // namespace medulla
