// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and its kin. Quantized uint8 becomes int8 by taking 128 from the integers and from
// the zero point, which is exact; the real numbers stay what they were.
#include <cmath>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

// A tensor of q's integers that carries exactly `quantization`.
int32_t with_quantization(Builder& build, int32_t q, const Quantization& quantization) {
  const Tensor& tensor = build.tensor(q);
  if (tensor.quantization == quantization) return q;
  if (!tensor.quantization) {
    build.graph().tensors[static_cast<size_t>(q)].quantization = quantization;
    return q;
  }
  Tensor copy = tensor;
  copy.quantization = quantization;
  if (tensor.data) return build.add_tensor(std::move(copy));
  if (tensor.dtype != MDL_INT8) {
    refuse("'" + tensor.name + "' is " + mdl_dtype_name(tensor.dtype) +
               " and read with another scale or zero point than it was made with",
           "use one for both, or quantize to int8");
  }
  // The bytes stay, and mean something else.
  std::vector<int8_t> same;
  for (int v = -128; v < 128; ++v) same.push_back(static_cast<int8_t>(v));
  const int32_t table = build.constant(MDL_INT8, {256}, same);
  return build.add_typed("QLookup", {q, table}, {}, MDL_INT8, quantization);
}

// uint8 constants as int8; other tensors as they are.
int32_t shifted_constant(Builder& build, int32_t q) {
  if (build.tensor(q).dtype != MDL_UINT8 || !build.tensor(q).data) return q;
  Tensor copy = build.tensor(q);
  copy.dtype = MDL_INT8;
  Bytes bytes = *copy.data;
  for (std::byte& b : bytes) b ^= std::byte{0x80};
  copy.data = std::make_shared<const Bytes>(std::move(bytes));
  return build.add_tensor(std::move(copy));
}

int64_t channel_axis(const OnnxNode& node, int32_t tensor) {
  const int64_t rank = node.build.rank(tensor);
  return rank == 0 ? 0 : node.axis(node.int_or("axis", 1), std::max<int64_t>(rank, 2));
}

// q of a node input, shifted where that was uint8 and is not a graph input.
Quantization fitted(const Builder& build, int32_t q, mdl_dtype source, Quantization quantization) {
  if (source == MDL_UINT8 && build.tensor(q).dtype == MDL_INT8) {
    for (int32_t& z : quantization.zero_points) z -= 128;
  }
  return quantization;
}

// The integer type that the zero point states, or the attribute of opset 21; else uint8.
mdl_dtype zero_point_dtype(const OnnxNode& node, size_t i) {
  if (node.input(i) >= 0) return node.build.tensor(node.input(i)).dtype;
  const int64_t stated = node.int_or("output_dtype", 0);
  return stated == 0 ? MDL_UINT8 : onnx_dtype(static_cast<int32_t>(stated));
}

int32_t quantized(OnnxNode& node, int32_t x, size_t scale, size_t zero_point, int64_t axis) {
  const mdl_dtype source = zero_point_dtype(node, zero_point);
  Quantization quantization = quantization_from(node, scale, zero_point, axis, x);
  const mdl_dtype dtype = source == MDL_UINT8 ? MDL_INT8 : source;
  if (source == MDL_UINT8) {
    for (int32_t& z : quantization.zero_points) z -= 128;
  }
  return node.build.add_typed("QuantizeLinear", {x}, {}, dtype, quantization);
}

// Scale and zero point, which hold for a tensor or for its channels.
bool has_constants(const OnnxNode& node) {
  const auto is_constant = [&](size_t i) {
    return node.input(i) < 0 || node.build.tensor(node.input(i)).data != nullptr;
  };
  return is_constant(1) && is_constant(2) && node.int_or("block_size", 0) == 0;
}

// The float32 tensor of quantized input i, whose parameters are inputs i + 1 and i + 2.
int32_t operand(OnnxNode& node, size_t i, int64_t axis) {
  const int32_t q = shifted_constant(node.build, node.input(i));
  const Quantization quantization = quantization_from(node, i + 1, i + 2, axis, q);
  const mdl_dtype source = zero_point_dtype(node, i + 2);
  return dequantized(node, q, fitted(node.build, q, source, quantization));
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
      refuse(std::to_string(quantization.scales.size()) + " scales do not fit the tensor", "",
             "axis");
    }
  }
  return quantization;
}

int32_t dequantized(OnnxNode& node, int32_t q, const Quantization& quantization) {
  q = with_quantization(node.build, q, quantization);
  return node.build.add("DequantizeLinear", {q});
}

namespace {

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
  return node.build.add("Cast", {x}, {{"to", static_cast<int64_t>(dtype)}});
}

// Of the integers that DequantizeLinear reads, in float32 or in the scale's dtype.
int32_t real_numbers(OnnxNode& node) {
  if (!has_constants(node)) {
    return dequantized_at_run_time(node, channel_axis(node, node.input(0)));
  }
  Builder& build = node.build;
  const mdl_dtype source = build.tensor(node.input(0)).data || node.input(2) < 0
                               ? build.tensor(node.input(0)).dtype
                               : zero_point_dtype(node, 2);
  const int32_t q = shifted_constant(build, node.input(0));
  Quantization quantization = quantization_from(node, 1, 2, channel_axis(node, q), q);
  if (build.tensor(q).dtype != MDL_UINT8 || quantization.scales.size() > 1) {
    return dequantized(node, q, fitted(build, q, source, quantization));
  }
  // An input of the graph keeps its uint8; what follows reads it as int8, through the real numbers.
  const int32_t real = dequantized(node, q, quantization);
  quantization.zero_points[0] -= 128;
  const int32_t shifted = build.add_typed("QuantizeLinear", {real}, {}, MDL_INT8, quantization);
  return build.add("DequantizeLinear", {shifted});
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
  return {as_dtype(node, real_numbers(node), result)};
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
