// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"strides", MDL_ATTRIBUTE_INTS},
                                         {"dilations", MDL_ATTRIBUTE_INTS},
                                         {"pads", MDL_ATTRIBUTE_INTS},
                                         {"output_padding", MDL_ATTRIBUTE_INTS},
                                         {"group", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != MDL_DTYPE_NONE)
      MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
  }
  Convolution conv;
  MDL_TRY(read_transposed_convolution(node, inputs[0].shape, inputs[1].shape, &conv, error));
  MDL_TRY(check_channels(node, inputs, 2, conv.out_channels(), error));
  return set_output(node, outputs, 0, MDL_FLOAT32,
                    window_output(inputs[0].shape, conv.window, conv.out_channels()), error);
}

// y[n][p][o] is one chain of fma, started from bias[o] + 0, over the taps by which an input pixel
// reaches p and, in each, the channels of o's group. Nothing stands in for the other taps.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  Convolution conv;
  MDL_TRY(read_transposed_convolution(call.node, shape, call.input_types[1].shape, &conv, error));
  const Window& window = conv.window;
  const int64_t outputs = conv.out_channels();
  const int64_t taps = window.taps();
  const float* x = call.in<float>(0);
  const float* w = call.in<float>(1);
  const float* bias = call.in<float>(2);
  float* y = call.out<float>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * conv.in_channels()) {
    for (int64_t p = 0; p < window.outputs(); ++p, y += outputs) {
      for (int64_t o = 0; o < outputs; ++o) y[o] = bias != nullptr ? bias[o] + 0.0f : 0.0f;
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t pixel = window.transposed_pixel(p, t);
        if (pixel < 0) continue;
        for (int64_t o = 0; o < outputs; ++o) {
          const float* from = x + pixel * conv.in_channels() + o / conv.group_out * conv.group_in;
          const float* weights = w + (o * taps + t) * conv.group_in;
          for (int64_t c = 0; c < conv.group_in; ++c) y[o] = std::fma(from[c], weights[c], y[o]);
        }
      }
    }
  }
  return MDL_OK;
}

uint64_t macs(const NodeView&, std::span<const TensorType> inputs, std::span<const TensorType>) {
  const mdl_shape& x = inputs[0].shape;
  const int64_t channels = x.dims[x.rank - 1];
  // Each pixel meets all weights.
  return channels == 0 ? 0
                       : static_cast<uint64_t>(inputs[0].elements() / channels) *
                             static_cast<uint64_t>(inputs[1].elements());
}

}  // namespace

extern const Op op_ConvTranspose = {
    .name = "ConvTranspose",
    .min_inputs = 2,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .macs = macs,
};

}  // namespace medulla
