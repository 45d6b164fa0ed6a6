// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/integer.h"
#include "src/ops/per_axis.h"

namespace medulla {
namespace {

struct Range {
  int32_t min;
  int32_t max;
};

// Empty (max < min) where no value can be quantized to the dtype.
Range range_of(mdl_dtype dtype) {
  const auto limits = []<class T>(T) -> Range {
    return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  };
  switch (dtype) {
    case MDL_INT8:
      return limits(int8_t{});
    case MDL_UINT8:
      return limits(uint8_t{});
    case MDL_INT16:
      return limits(int16_t{});
    case MDL_UINT16:
      return limits(uint16_t{});
    default:
      return {0, -1};
  }
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_FLOAT32, error));
  const mdl_dtype dtype = outputs[0].dtype;
  if (range_of(dtype).max < 0) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "output 0 is ", mdl_dtype_name(dtype),
                     ", should be int8, uint8, int16 or uint16");
  }
  return set_output(node, outputs, 0, dtype, inputs[0].shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  const mdl_tensor& y = *node.output(0);
  const Range range = range_of(y.dtype);
  return check_per_axis(node, y, range.min, range.max, error);
}

template <class T>
void quantize(const ReferenceCall& call) {
  const mdl_quantization& q = call.node.output(0)->quantization;
  const Range range = range_of(call.output_types[0].dtype);
  const float* x = call.in<float>(0);
  T* y = call.out<T>(0);
  for_each_per_axis(q, call.output_types[0].shape, [&](int64_t i, size_t c) {
    y[i] = static_cast<T>(Quantizer{q.zero_points[c], range.min, range.max}(x[i] / q.scales[c]));
  });
}

// y = Q(fl(x / s)) with the output's scale and zero point, over the whole range of its dtype.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  switch (call.output_types[0].dtype) {
    case MDL_INT8:
      quantize<int8_t>(call);
      break;
    case MDL_UINT8:
      quantize<uint8_t>(call);
      break;
    case MDL_INT16:
      quantize<int16_t>(call);
      break;
    default:
      quantize<uint16_t>(call);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_QuantizeLinear = {
    .name = "QuantizeLinear",
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
