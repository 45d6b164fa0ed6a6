// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"strides", MDL_ATTRIBUTE_INTS},
                                         {"dilations", MDL_ATTRIBUTE_INTS},
                                         {"pads", MDL_ATTRIBUTE_INTS},
                                         {"group", MDL_ATTRIBUTE_INT}};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const mdl_dtype dtype = inputs[0].dtype;
  MDL_TRY(check_dtypes(node, inputs, 0, set_of({MDL_FLOAT32, MDL_INT32}), error));
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].dtype != MDL_DTYPE_NONE) MDL_TRY(check_dtype(node, inputs, i, dtype, error));
  }
  Convolution conv;
  MDL_TRY(read_convolution(node, inputs[0].shape, inputs[1].shape, &conv, error));
  MDL_TRY(check_channels(node, inputs, 2, conv.out_channels(), error));
  return set_output(node, outputs, 0, dtype,
                    window_output(inputs[0].shape, conv.window, conv.out_channels()), error);
}

float fma(float a, float b, float sum) { return std::fma(a, b, sum); }
uint32_t fma(uint32_t a, uint32_t b, uint32_t sum) { return a * b + sum; }

// y[n][p][o] is one chain of fma over the taps and, in each, the channels of o's group, started
// from bias[o] + 0; the padding takes part as zeros. Integers wrap.
template <class T>
mdl_status convolve(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  Convolution conv;
  MDL_TRY(read_convolution(call.node, shape, call.input_types[1].shape, &conv, error));
  const Window& window = conv.window;
  const int64_t outputs = conv.out_channels();
  const int64_t taps = window.taps();
  const T* x = call.in<T>(0);
  const T* w = call.in<T>(1);
  const T* bias = call.in<T>(2);
  T* y = call.out<T>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * conv.in_channels()) {
    for (int64_t p = 0; p < window.outputs(); ++p, y += outputs) {
      for (int64_t o = 0; o < outputs; ++o) y[o] = bias != nullptr ? bias[o] + T(0) : T(0);
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t pixel = window.pixel(p, t);
        const T* from = pixel >= 0 ? x + pixel * conv.in_channels() : nullptr;
        for (int64_t o = 0; o < outputs; ++o) {
          const int64_t first = o / conv.group_out * conv.group_in;
          const T* weights = w + (o * taps + t) * conv.group_in;
          for (int64_t c = 0; c < conv.group_in; ++c) {
            y[o] = fma(from != nullptr ? from[first + c] : T(0), weights[c], y[o]);
          }
        }
      }
    }
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return call.output_types[0].dtype == MDL_INT32 ? convolve<uint32_t>(call, error)
                                                 : convolve<float>(call, error);
}

}  // namespace

extern const Op op_Conv = {
    .name = "Conv",
    .min_inputs = 2,
    .max_inputs = 3,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
    .macs = convolution_macs,
};

}  // namespace medulla
