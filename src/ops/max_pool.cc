// SPDX-License-Identifier: Apache-2.0
#include "src/ops/greatest.h"
#include "src/ops/rules.h"
#include "src/ops/window.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"kernel_shape", MDL_ATTRIBUTE_INTS, true}, {"strides", MDL_ATTRIBUTE_INTS},
    {"dilations", MDL_ATTRIBUTE_INTS},          {"pads", MDL_ATTRIBUTE_INTS},
    {"ceil_mode", MDL_ATTRIBUTE_INT},           {"storage_order", MDL_ATTRIBUTE_INT},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const TensorType& x = inputs[0];
  if (x.dtype != MDL_FLOAT32 && x.dtype != MDL_INT8 && x.dtype != MDL_UINT8 &&
      x.dtype != MDL_INT16) {
    return fail_node(error, MDL_ERROR_DTYPE, node, "input 0 is ", mdl_dtype_name(x.dtype),
                     ", should be float32, int8, uint8 or int16");
  }
  Window window;
  MDL_TRY(read_pool(node, x.shape, &window, error));
  const mdl_shape y = window_output(x.shape, window, x.dim(x.rank() - 1));
  if (outputs.size() > 1) MDL_TRY(set_output(node, outputs, 1, MDL_INT64, y, error));
  return set_output(node, outputs, 0, x.dtype, y, error);
}

// The indices have none.
mdl_status check(const NodeView& node, mdl_error* error) {
  if (node.output(0) == nullptr) return MDL_OK;
  return check_same_quantization(node, *node.input(0), *node.output(0), error);
}

// A pixel's number with the first spatial dimension the fastest.
int64_t by_columns(const Window& window, int64_t pixel) {
  int64_t at[3];
  for (int d = 2; d >= 0; --d) {
    at[d] = pixel % window.axis[d].in;
    pixel /= window.axis[d].in;
  }
  return (at[2] * window.axis[1].in + at[1]) * window.axis[0].in + at[0];
}

template <class T>
void pool(const ReferenceCall& call, const Window& window) {
  const mdl_shape& shape = call.input_types[0].shape;
  const int64_t channels = shape.dims[shape.rank - 1];
  const bool columns = call.node.int_or("storage_order", 0) != 0;
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  int64_t* indices = call.out<int64_t>(1);
  for (int64_t n = 0; n < shape.dims[0]; ++n, x += window.inputs() * channels) {
    for (int64_t p = 0; p < window.outputs(); ++p) {
      for (int64_t c = 0; c < channels; ++c) {
        Greatest<T> greatest;
        int64_t first = -1;
        window.for_each_pixel(p, [&](int64_t pixel) {
          if (greatest.add(x[pixel * channels + c]) || first < 0) first = pixel;
        });
        if (y != nullptr) *y++ = greatest.value();
        if (indices == nullptr) continue;
        *indices++ =
            (n * channels + c) * window.inputs() + (columns ? by_columns(window, first) : first);
      }
    }
  }
}

// Greatest of each window's values in order; the padding never wins. The second output says where
// the first such value, or the first NaN, stands: its index in x flattened with the channels first,
// the last dimension the fastest, with storage_order 1 the first spatial one.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  Window window;
  MDL_TRY(read_pool(call.node, x.shape, &window, error));
  switch (x.dtype) {
    case MDL_INT8:
      pool<int8_t>(call, window);
      break;
    case MDL_UINT8:
      pool<uint8_t>(call, window);
      break;
    case MDL_INT16:
      pool<int16_t>(call, window);
      break;
    default:
      pool<float>(call, window);
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_MaxPool = {
    .name = "MaxPool",
    .max_outputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
