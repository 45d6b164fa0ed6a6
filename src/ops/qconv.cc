// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"strides", MDL_ATTRIBUTE_INTS},
    {"dilations", MDL_ATTRIBUTE_INTS},
    {"pads", MDL_ATTRIBUTE_INTS},
    {"group", MDL_ATTRIBUTE_INT},
    {"qmin", MDL_ATTRIBUTE_INT},
    {"qmax", MDL_ATTRIBUTE_INT},
    {"output_scale", MDL_ATTRIBUTE_FLOAT},
    {"sum_range", MDL_ATTRIBUTE_INTS, true, 2},
    {"positive_sums", MDL_ATTRIBUTE_INTS, true, 1, 1},
    {"negative_sums", MDL_ATTRIBUTE_INTS, true, 1, 1},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  Convolution conv;
  MDL_TRY(read_convolution(node, inputs[0].shape, inputs[1].shape, &conv, error));
  MDL_TRY(infer_layer(node, inputs, outputs, conv.out_channels(), error));
  return set_output(node, outputs, 0, outputs[0].dtype,
                    window_output(inputs[0].shape, conv.window, conv.out_channels()), error);
}

// The exact sum over taps and channels of (x - z_x)(w - z_w[o]), then LayerEpilogue. The padding is
// z_x and adds nothing.
template <class T>
mdl_status convolve(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  Convolution conv;
  MDL_TRY(read_convolution(call.node, shape, call.input_types[1].shape, &conv, error));
  const LayerEpilogue epilogue(call);
  const Window& window = conv.window;
  const int64_t taps = window.taps();
  const T* x = call.in<T>(0);
  int64_t y = 0;
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * conv.in_channels()) {
    for (int64_t p = 0; p < window.outputs(); ++p) {
      for (int64_t o = 0; o < conv.out_channels(); ++o) {
        const int64_t first = o / conv.group_out * conv.group_in;
        const int8_t* w = call.in<int8_t>(1) + o * taps * conv.group_in;
        const int32_t z_w = epilogue.weight_zero_point(o);
        int64_t sum = 0;
        for (int64_t t = 0; t < taps; ++t, w += conv.group_in) {
          const int64_t pixel = window.pixel(p, t);
          if (pixel < 0) continue;
          const T* from = x + pixel * conv.in_channels() + first;
          for (int64_t c = 0; c < conv.group_in; ++c) {
            sum += int64_t{from[c] - epilogue.input_zero_point()} * (w[c] - z_w);
          }
        }
        epilogue.store(y++, o, sum);
      }
    }
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return by_width(call, [&]<class T>(T) { return convolve<T>(call, error); });
}

}  // namespace

extern const Op op_QConv = {
    .name = "QConv",
    .version = 2,
    .min_inputs = 2,
    .max_inputs = 4,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_layer,
    .reference = reference,
    .macs = convolution_macs,
};

}  // namespace medulla
