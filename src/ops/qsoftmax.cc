// SPDX-License-Identifier: Apache-2.0
#include "src/ops/integer.h"
#include "src/ops/lines.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"axis", MDL_ATTRIBUTE_INT}, {"qmin", MDL_ATTRIBUTE_INT}, {"qmax", MDL_ATTRIBUTE_INT}};
constexpr int64_t kEntries = 256;
constexpr uint32_t kOne = 1 << 23;  // what stands for e^0

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_dtype(node, inputs, 0, MDL_INT8, error));
  MDL_TRY(check_dtype(node, inputs, 1, MDL_UINT32, error));
  uint32_t axis;
  MDL_TRY(resolve_axis(node, node.int_or("axis", -1), inputs[0].rank(), &axis, error));
  const mdl_shape& table = inputs[1].shape;
  if (table.rank != 1 || table.dims[0] != kEntries) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "the table is ", table, ", should be [",
                     kEntries, ']');
  }
  return set_output(node, outputs, 0, MDL_INT8, inputs[0].shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_range(node, error));
  MDL_TRY(check_quantized(node, *node.input(0), error));
  MDL_TRY(check_quantized(node, *node.output(0), error));
  const uint32_t* table = static_cast<const uint32_t*>(node.input(1)->data);
  if (table == nullptr) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "the table '", node.input(1)->name,
                     "' should be constant");
  }
  for (int64_t d = 0; d < kEntries; ++d) {
    if (d == 0 ? table[d] == kOne : table[d] <= kOne) continue;
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "table[", d, "] is ", table[d],
                     d == 0 ? ", should be " : ", should be at most ", kOne);
  }
  return MDL_OK;
}

// Along the axis, with T[d] = table[d], d = m - x for the greatest value m, and S the exact sum of
// the T: y = Q(fl(float(T) * r)), r = fl(fl(1 / s_y) / float(S)).
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const mdl_shape& shape = call.input_types[0].shape;
  uint32_t axis;
  MDL_TRY(resolve_axis(call.node, call.node.int_or("axis", -1), shape.rank, &axis, error));
  const Lines lines(shape, axis);
  const uint32_t* table = call.in<uint32_t>(1);
  const float inverse_scale = 1 / call.node.output(0)->quantization.scales[0];
  const Quantizer quantizer = read_quantizer(call.node);
  const auto [length, inner, count] = lines;
  for (int64_t line = 0; length > 0 && line < count; ++line) {
    const int8_t* x = call.in<int8_t>(0) + lines.first(line);
    int8_t* y = call.out<int8_t>(0) + lines.first(line);
    int32_t m = -128;
    for (int64_t i = 0; i < length; ++i) m = x[i * inner] > m ? x[i * inner] : m;
    int64_t sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += table[m - x[i * inner]];
    const float r = inverse_scale / static_cast<float>(sum);
    for (int64_t i = 0; i < length; ++i) {
      const float t = static_cast<float>(table[m - x[i * inner]]);
      y[i * inner] = static_cast<int8_t>(quantizer(t * r));
    }
  }
  return MDL_OK;
}

}  // namespace

// Inputs x, table.
extern const Op op_QSoftmax = {
    .name = "QSoftmax",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
