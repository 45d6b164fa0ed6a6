// SPDX-License-Identifier: Apache-2.0
#include "src/ops/global_pool.h"
#include "src/ops/integer.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"multiplier", MDL_ATTRIBUTE_FLOAT, true},
                                         {"qmin", MDL_ATTRIBUTE_INT},
                                         {"qmax", MDL_ATTRIBUTE_INT}};

// Sums of so many differences fit int64, those of int8 int32.
constexpr int64_t kMaxPixels = int64_t{1} << 23;

// The multiplier is that of one count of pixels, so it is checked wherever shapes are.
mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtypes(node, inputs, 0, kActivations, error));
  const mdl_shape& x = inputs[0].shape;
  mdl_shape shape;
  MDL_TRY(global_pool_output(node, x, &shape, error));
  int64_t pixels = 1;
  for (uint32_t d = 1; d + 1 < x.rank; ++d) {
    if (x.dims[d] > kMaxPixels / pixels) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", x, ", should have at most ",
                       kMaxPixels, " pixels");
    }
    pixels *= x.dims[d];
  }
  const mdl_tensor& y = *node.output(0);
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  MDL_TRY(check_quantized(node, y, error));
  const double expected = scale_of(*node.input(0)) / (scale_of(y) * static_cast<double>(pixels));
  MDL_TRY(check_multiplier(node, expected, error));
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// y = Q(fl(float(sum) * m)), the exact sum of x - z_x over the pixels, m = s_x / (s_y * pixels).
template <class T>
mdl_status pool(const ReferenceCall& call) {
  const int32_t z = zero_point_of(*call.node.input(0));
  const float multiplier = float_attribute(call.node, "multiplier", 0.0f);
  const Quantizer quantizer = read_quantizer(call.node);
  T* y = call.out<T>(0);
  for_each_channel<T>(call, [&](const T* x, int64_t pixels, int64_t channels) {
    int64_t sum = 0;
    for (int64_t i = 0; i < pixels; ++i) sum += x[i * channels] - z;
    *y++ = static_cast<T>(quantizer(static_cast<float>(sum) * multiplier));
  });
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  return by_width(call, [&]<class T>(T) { return pool<T>(call); });
}

}  // namespace

extern const Op op_QGlobalAveragePool = {
    .name = "QGlobalAveragePool",
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference,
};

}  // namespace medulla
