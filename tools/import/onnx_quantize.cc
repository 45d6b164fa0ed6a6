// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and its kin.
#include <algorithm>
#include <cmath>

#include "tools/common/shape_text.h"
#include "tools/import/boundary.h"
#include "tools/import/onnx_ops.h"
#include "tools/import/onnx_uint8.h"

namespace medulla::tools {
namespace {

bool per_channel(const Quantization& quantization) { return quantization.scales.size() > 1; }

int32_t cast(Builder& build, int32_t x, mdl_dtype to) {
  return build.add("Cast", {x}, {{"to", static_cast<int64_t>(to)}});
}

// (q - zero point) * scale by plain operators.
int32_t computed(Builder& build, int32_t q, const Quantization& quantization) {
  Dims dims;
  if (per_channel(quantization)) {
    dims.assign(static_cast<size_t>(build.rank(q)), 1);
    dims[static_cast<size_t>(quantization.axis)] = static_cast<int64_t>(quantization.scales.size());
  }
  int32_t x = cast(build, plain_integers(build, q), MDL_INT32);
  const auto& zero_points = quantization.zero_points;
  if (std::any_of(zero_points.begin(), zero_points.end(), [](int32_t z) { return z != 0; })) {
    x = build.add("Sub", {x, build.constant(MDL_INT32, dims, zero_points)});
  }
  const int32_t scales = build.constant(MDL_FLOAT32, dims, quantization.scales);
  return build.add("Mul", {cast(build, x, MDL_FLOAT32), scales});
}

int64_t channel_axis(const OnnxNode& node, int32_t tensor) {
  const int64_t rank = node.build.rank(tensor);
  return rank == 0 ? 0 : node.axis(node.int_or("axis", 1), std::max<int64_t>(rank, 2));
}

// The integer type that the zero point states, or the attribute of opset 21; else uint8.
mdl_dtype zero_point_dtype(const OnnxNode& node, size_t i) {
  if (node.input(i) >= 0) return node.build.tensor(node.input(i)).dtype;
  const int64_t stated = node.int_or("output_dtype", 0);
  return stated == 0 ? MDL_UINT8 : onnx_dtype(static_cast<int32_t>(stated));
}

int32_t quantized(OnnxNode& node, int32_t x, size_t scale, size_t zero_point, int64_t axis) {
  const Quantization quantization = quantization_from(node, scale, zero_point, axis, x);
  return node.build.add_typed("QuantizeLinear", {x}, {}, zero_point_dtype(node, zero_point),
                              quantization);
}

// Scale and zero point, which hold for a tensor or for its channels.
bool has_constants(const OnnxNode& node) {
  const auto is_constant = [&](size_t i) {
    return node.input(i) < 0 || node.build.tensor(node.input(i)).data != nullptr;
  };
  return is_constant(1) && is_constant(2) && node.int_or("block_size", 0) == 0;
}

}  // namespace

Quantization quantization_from(OnnxNode& node, size_t scale, size_t zero_point, int64_t axis,
                               int32_t of) {
  if (node.int_or("block_size", 0) != 0) {
    refuse("a scale for each block is not taken", "quantize per tensor or per channel",
           "block_size");
  }
  Quantization quantization;
  const auto tensor_name = [&](size_t i) {
    return "'" + node.build.tensor(node.input(i)).name + "'";
  };
  for (const double s : node.constant_floats(scale, "scale")) {
    quantization.scales.push_back(static_cast<float>(s));
    if (s > 0 && std::isnormal(quantization.scales.back())) continue;
    refuse("scale " + std::to_string(quantization.scales.size() - 1) + " in " + tensor_name(scale) +
           " is " + number_text(s) + ", should be above 0, finite and normal");
  }
  if (quantization.scales.empty()) refuse("scale has no elements, should have 1 or more");
  quantization.zero_points.assign(quantization.scales.size(), 0);
  if (node.input(zero_point) >= 0) {
    const Tensor& z = node.parameter(zero_point, "zero point");
    if (z.elements() != quantization.scales.size()) {
      refuse(tensor_name(zero_point) + " has " + std::to_string(z.elements()) +
             " zero points, should have one for each of " +
             std::to_string(quantization.scales.size()) + " scales");
    }
    for (size_t i = 0; i < quantization.zero_points.size(); ++i) {
      switch (z.dtype) {
        case MDL_INT8:
          quantization.zero_points[i] = values_of<int8_t>(z).at(i);
          break;
        case MDL_UINT8:
          quantization.zero_points[i] = values_of<uint8_t>(z).at(i);
          break;
        case MDL_INT16:
          quantization.zero_points[i] = values_of<int16_t>(z).at(i);
          break;
        case MDL_UINT16:
          quantization.zero_points[i] = values_of<uint16_t>(z).at(i);
          break;
        case MDL_INT32:
          quantization.zero_points[i] = values_of<int32_t>(z).at(i);
          break;
        default:
          refuse(std::string("zero point has dtype ") + mdl_dtype_name(z.dtype),
                 "quantize to int8 or uint8");
      }
    }
  }
  if (quantization.scales.size() > 1) {
    quantization.axis = static_cast<int32_t>(axis);
    const Dims& dims = node.build.dims(of);
    if (axis >= static_cast<int64_t>(dims.size()) ||
        dims[static_cast<size_t>(axis)] != static_cast<int64_t>(quantization.scales.size())) {
      refuse(std::to_string(quantization.scales.size()) + " scales do not fit dimension " +
                 std::to_string(axis) + " of " + shape_text(dims),
             "give one for each of its elements, or one for the tensor", "axis");
    }
  }
  return quantization;
}

int32_t dequantized(OnnxNode& node, int32_t q, const Quantization& quantization) {
  Builder& build = node.build;
  Tensor tensor = build.tensor(q);
  const bool whole = !per_channel(quantization);
  if (tensor.data) {
    tensor.quantization = quantization;
    return build.add("DequantizeLinear", {build.add_tensor(std::move(tensor))});
  }
  if (tensor.quantization == quantization ||
      (!tensor.quantization && adopt(node, q, quantization))) {
    return build.add("DequantizeLinear", {q});
  }
  if (tensor.dtype == MDL_INT8 && whole && tensor.quantization &&
      !per_channel(*tensor.quantization)) {
    // The bytes stay, and mean something else.
    std::vector<int8_t> same;
    for (int v = -128; v < 128; ++v) same.push_back(static_cast<int8_t>(v));
    const int32_t table = build.constant(MDL_INT8, {256}, same);
    const int32_t other = build.add_typed("QLookup", {q, table}, {}, MDL_INT8, quantization);
    return build.add("DequantizeLinear", {other});
  }
  const int32_t real = computed(build, q, quantization);
  if (!whole || mdl_dtype_bits(tensor.dtype) > 8) return real;
  // Integers again, exactly, for what follows.
  const int32_t meant = build.add_typed("QuantizeLinear", {real}, {}, tensor.dtype, quantization);
  return build.add("DequantizeLinear", {meant});
}

namespace {

// The float32 tensor of quantized input i, whose parameters are inputs i + 1 and i + 2.
int32_t operand(OnnxNode& node, size_t i, int64_t axis) {
  return dequantized(node, node.input(i),
                     quantization_from(node, i + 1, i + 2, axis, node.input(i)));
}

// What the division by the scale is computed in: the scale's dtype, unless the attribute of opset
// 23 states another.
mdl_dtype division_dtype(const OnnxNode& node) {
  const int64_t stated = node.int_or("precision", 0);
  if (stated != 0) return onnx_dtype(static_cast<int32_t>(stated));
  const mdl_dtype scale = node.build.tensor(node.input(1)).dtype;
  return scale == MDL_INT32 ? MDL_FLOAT32 : scale;
}

int32_t as_dtype(OnnxNode& node, int32_t x, mdl_dtype dtype) {
  if (node.build.tensor(x).dtype == dtype) return x;
  return cast(node.build, x, dtype);
}

}  // namespace

std::vector<int32_t> convert_quantize(OnnxNode& node) {
  const int64_t axis = channel_axis(node, node.input(0));
  const mdl_dtype division = division_dtype(node);
  const int32_t x = as_dtype(node, node.input(0), division);
  if (division != MDL_FLOAT32 || !has_constants(node)) {
    return {quantized_at_run_time(node, x, zero_point_dtype(node, 2), axis)};
  }
  return {quantized(node, x, 1, 2, axis)};
}

std::vector<int32_t> convert_dequantize(OnnxNode& node) {
  const int64_t stated = node.int_or("output_dtype", 0);
  const mdl_dtype result = stated == 0 ? node.build.tensor(node.input(1)).dtype
                                       : onnx_dtype(static_cast<int32_t>(stated));
  const int64_t axis = channel_axis(node, node.input(0));
  if (has_constants(node)) return {as_dtype(node, operand(node, 0, axis), result)};
  return {as_dtype(node, dequantized_at_run_time(node, axis), result)};
}

std::vector<int32_t> convert_qlinear_conv(OnnxNode& node) {
  int32_t bias = -1;
  if (node.input(8) >= 0) {  // int32 of scale s_x * s_w
    const Quantization x = quantization_from(node, 1, 2, 0, node.input(0));
    Quantization b = quantization_from(node, 4, 5, 0, node.input(8));
    for (float& s : b.scales) s = static_cast<float>(static_cast<double>(s) * x.scales[0]);
    b.zero_points.assign(b.scales.size(), 0);
    bias = dequantized(node, node.input(8), b);
  }
  const int32_t y = build_conv(node, operand(node, 0, 1), operand(node, 3, 0), bias);
  return {quantized(node, y, 6, 7, 1)};
}

std::vector<int32_t> convert_qlinear_matmul(OnnxNode& node) {
  const int64_t columns = node.build.rank(node.input(3)) - 1;
  const int32_t y = node.build.add("MatMul", {operand(node, 0, 0), operand(node, 3, columns)});
  return {quantized(node, y, 6, 7, 0)};
}

}  // namespace medulla::tools
