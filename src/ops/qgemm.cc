// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"qmin", MDL_ATTRIBUTE_INT},
    {"qmax", MDL_ATTRIBUTE_INT},
    {"output_scale", MDL_ATTRIBUTE_FLOAT},
    {"sum_range", MDL_ATTRIBUTE_INTS, true, 2},
    {"positive_sums", MDL_ATTRIBUTE_INTS, true, 1, 1},
    {"negative_sums", MDL_ATTRIBUTE_INTS, true, 1, 1},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  mdl_shape shape = inputs[0].shape;
  const mdl_shape& w = inputs[1].shape;
  if (shape.rank < 1 || w.rank != 2 || shape.dims[shape.rank - 1] != w.dims[1]) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", shape, " and the weights are ", w,
                     ", should be [..., K] and [N, K]");
  }
  MDL_TRY(infer_layer(node, inputs, outputs, w.dims[0], error));
  shape.dims[shape.rank - 1] = w.dims[0];
  return set_output(node, outputs, 0, outputs[0].dtype, shape, error);
}

// The exact sum over k of (x[k] - z_x)(w[n][k] - z_w[n]), then LayerEpilogue.
template <class T>
mdl_status multiply(const ReferenceCall& call) {
  const LayerEpilogue epilogue(call);
  const int64_t channels = call.input_types[1].dim(0);
  const int64_t length = call.input_types[1].dim(1);
  const int64_t count = call.output_types[0].elements();
  for (int64_t y = 0; y < count; ++y) {
    const int64_t n = y % channels;
    const T* x = call.in<T>(0) + y / channels * length;
    const int8_t* w = call.in<int8_t>(1) + n * length;
    int64_t sum = 0;
    for (int64_t k = 0; k < length; ++k) {
      sum += int64_t{x[k] - epilogue.input_zero_point()} * (w[k] - epilogue.weight_zero_point(n));
    }
    epilogue.store(y, n, sum);
  }
  return MDL_OK;
}

mdl_status reference(const ReferenceCall& call, mdl_error*) {
  return by_width(call, [&]<class T>(T) { return multiply<T>(call); });
}

uint64_t macs(const NodeView&, std::span<const TensorType> inputs,
              std::span<const TensorType> outputs) {
  return static_cast<uint64_t>(outputs[0].elements()) * static_cast<uint64_t>(inputs[1].dim(1));
}

}  // namespace

extern const Op op_QGemm = {
    .name = "QGemm",
    .version = 2,
    .min_inputs = 2,
    .max_inputs = 4,
    .attributes = kAttributes,
    .infer = infer,
    .check = check_layer,
    .reference = reference,
    .macs = macs,
};

}  // namespace medulla
