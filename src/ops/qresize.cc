// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/resize.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"scales", MDL_ATTRIBUTE_FLOATS},
    {"sizes", MDL_ATTRIBUTE_INTS},
    {"mode", MDL_ATTRIBUTE_STRING, true},
    {"coordinate_transformation_mode", MDL_ATTRIBUTE_STRING},
    {"exclude_outside", MDL_ATTRIBUTE_INT},
    {"antialias", MDL_ATTRIBUTE_INT},
    {"multiplier", MDL_ATTRIBUTE_FLOAT, true},
    {"qmin", MDL_ATTRIBUTE_INT},
    {"qmax", MDL_ATTRIBUTE_INT},
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  Resize resize;
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  MDL_TRY(read_resize(node, inputs[0].shape, &resize, error));
  if (resize.mode != Resize::Mode::linear ||
      resize.coordinates == Resize::Coordinates::tf_crop_and_resize) {
    return fail_node(error, MDL_ERROR_UNSUPPORTED, node, "should be linear, without a region");
  }
  return set_output(node, outputs, 0, MDL_INT8, resize.output, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  const mdl_tensor& x = *node.input(0);
  const mdl_tensor& y = *node.output(0);
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, x, error));
  MDL_TRY(check_quantized(node, y, error));
  return check_multiplier(node, scale_of(x) / scale_of(y), error);
}

// Q(fl(v * k)), k = s_x / s_y, v what Resize makes of the exact float(x - z_x).
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  Resize resize;
  MDL_TRY(read_resize(call.node, call.input_types[0].shape, &resize, error));
  const ResizeTaps taps(resize, call.scratch);
  const int32_t z = zero_point_of(*call.node.input(0));
  const float k = float_attribute(call.node, "multiplier", 0.0f);
  const Quantizer quantizer = read_quantizer(call.node);
  const int8_t* x = call.in<int8_t>(0);
  int8_t* y = call.out<int8_t>(0);
  for (Walk<1> w(resize.output, {Strides{}}); !w.done(); w.next()) {
    const float v =
        interpolate(taps, w.index, [&](int64_t i) { return static_cast<float>(x[i] - z); });
    *y++ = static_cast<int8_t>(quantizer(v * k));
  }
  return MDL_OK;
}

size_t scratch(const NodeView& node, std::span<const TensorType> inputs,
               std::span<const TensorType>) {
  Resize resize;
  if (read_resize(node, inputs[0].shape, &resize, nullptr) != MDL_OK) return 0;
  return ResizeTaps::bytes(resize);
}

}  // namespace

extern const Op op_QResize = {
    .name = "QResize",
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .scratch = scratch,
};

}  // namespace medulla
