// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"kernel_shape", MDL_ATTRIBUTE_INTS, true},
    {"strides", MDL_ATTRIBUTE_INTS},
    {"dilations", MDL_ATTRIBUTE_INTS},
    {"pads", MDL_ATTRIBUTE_INTS},
    {"ceil_mode", MDL_ATTRIBUTE_INT},
    {"count_include_pad", MDL_ATTRIBUTE_INT},
    {"multipliers", MDL_ATTRIBUTE_FLOATS, true},
    {"qmin", MDL_ATTRIBUTE_INT},
    {"qmax", MDL_ATTRIBUTE_INT},
};

// Sums of so many differences fit int64, those of int8 int32.
constexpr int64_t kMaxTaps = int64_t{1} << 23;

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kActivations, error));
  const TensorType& x = inputs[0];
  Window window;
  MDL_TRY(read_pool(node, x.shape, &window, error));
  if (window.taps() > kMaxTaps) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "a window has ", window.taps(),
                     " values, should have at most ", kMaxTaps);
  }
  MDL_TRY(check_multiplier_count(node, static_cast<size_t>(window.taps()), error));
  return set_output(node, outputs, 0, x.dtype, window_output(x.shape, window, x.dim(x.rank() - 1)),
                    error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  const mdl_tensor& x = *node.input(0);
  const mdl_tensor& y = *node.output(0);
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, x, error));
  MDL_TRY(check_quantized(node, y, error));
  const std::span<const double> multipliers = node.floats("multipliers");
  for (size_t i = 0; i < multipliers.size(); ++i) {
    const double expected = scale_of(x) / (scale_of(y) * static_cast<double>(i + 1));
    MDL_TRY(check_multiplier(node, i, multipliers[i], expected, error));
  }
  return MDL_OK;
}

// y = Q(fl(float(sum) * multipliers[n - 1])): the exact sum of x - z_x over the window, to which
// the padding adds nothing. n counts its values, with count_include_pad those in the padding too.
template <class T>
mdl_status pool(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t channels = shape.dims[shape.rank - 1];
  const bool with_padding = call.node.int_or("count_include_pad", 0) != 0;
  const std::span<const double> multipliers = call.node.floats("multipliers");
  const int32_t z = zero_point_of(*call.node.input(0));
  const Quantizer quantizer = read_quantizer(call.node);
  Window window;
  MDL_TRY(read_pool(call.node, shape, &window, error));
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * channels) {
    for (int64_t p = 0; p < window.outputs(); ++p) {
      const auto count = static_cast<size_t>(window.count(p, with_padding));
      const float multiplier = static_cast<float>(multipliers[count - 1]);
      for (int64_t c = 0; c < channels; ++c) {
        int64_t sum = 0;
        for (int64_t t = 0; t < window.taps(); ++t) {
          const int64_t pixel = window.pixel(p, t);
          if (pixel >= 0) sum += x[pixel * channels + c] - z;
        }
        *y++ = static_cast<T>(quantizer(static_cast<float>(sum) * multiplier));
      }
    }
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return by_width(call, [&]<class T>(T) { return pool<T>(call, error); });
}

}  // namespace

extern const Op op_QAveragePool = {
    .name = "QAveragePool",
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
