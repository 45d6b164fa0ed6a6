// SPDX-License-Identifier: Apache-2.0
// Arithmetic on integers that ONNX writes for numbers quantized at run time.
#include "tools/import/boundary.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

int32_t cast(OnnxNode& node, int32_t x, mdl_dtype to) {
  return node.build.add("Cast", {x}, {{"to", static_cast<int64_t>(to)}});
}

// Integers of input i less their zero point, input z, as int32. Several zero points lie along
// `axis`.
int32_t centered(OnnxNode& node, size_t i, size_t z, int64_t axis) {
  Builder& build = node.build;
  const int32_t x = cast(node, plain_integers(node, i, z), MDL_INT32);
  if (node.input(z) < 0) return x;
  return build.add("Sub", {x, cast(node, along(node, z, axis, build.rank(x)), MDL_INT32)});
}

int32_t clipped(OnnxNode& node, int32_t x) {
  return node.build.add("Clip", {x}, {{"min", 0.0}, {"max", 255.0}});
}

}  // namespace

int32_t plain_integers(OnnxNode& node, size_t i, size_t z) {
  const int32_t x = node.input(i);
  if (node.input(z) < 0) {
    if (node.build.tensor(x).quantization) {
      refuse("the zero point of quantized integers is left out", "give the zero point as an input");
    }
    return x;
  }
  return plain_integers(node.build, x);
}

int32_t along(OnnxNode& node, size_t i, int64_t axis, int64_t rank) {
  Builder& build = node.build;
  const int32_t x = node.input(i);
  const int64_t block = node.int_or("block_size", 0);
  if (rank == 0 && build.tensor(x).elements() > 1) {
    refuse("input " + std::to_string(i) + " has more than one element, for a scalar");
  }
  // An entry for each block: repeated inside it.
  if (block > 0 && rank > 0 && build.rank(x) == rank) {
    const int64_t at = node.axis(axis, build.rank(node.input(0)));
    const int64_t extent = build.dims(node.input(0))[static_cast<size_t>(at)];
    require_small({extent});
    std::vector<int64_t> indices;
    for (int64_t j = 0; j < extent; ++j) indices.push_back(j / block);
    return build.add_like("Gather", {x, build.constant(MDL_INT64, {extent}, indices)},
                          {{"axis", axis}});
  }
  if (build.rank(x) != 1) return x;
  Dims shape(static_cast<size_t>(rank), 1);
  const int64_t count = build.dims(x)[0];
  if (count > 1) shape[static_cast<size_t>(node.axis(axis, rank))] = count;
  return build.reshape(x, shape);
}

std::vector<int32_t> convert_conv_integer(OnnxNode& node) {
  return {build_conv(node, centered(node, 0, 2, 0), centered(node, 1, 3, 0), -1)};
}

// With the zero points of a's rows and of b's columns.
std::vector<int32_t> convert_matmul_integer(OnnxNode& node) {
  const int64_t rows = std::max<int64_t>(node.build.rank(node.input(0)) - 2, 0);
  const int32_t a = centered(node, 0, 2, rows);
  const int32_t b = centered(node, 1, 3, -1);
  return {node.build.add("MatMul", {a, b})};
}

// scale = (max - min) / 255 over a range that holds 0, zero point = rne(-min / scale), y = rne(x /
// scale) + zero point, both held inside uint8; of zeros alone all are 0.
std::vector<int32_t> convert_dynamic_quantize(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int32_t zero = build.scalar(0.0f);
  const Attributes all = {{"keepdims", int64_t{0}}};
  const int32_t max = build.add("Max", {build.add("ReduceMax", {x}, all), zero});
  const int32_t min = build.add("Min", {build.add("ReduceMin", {x}, all), zero});
  const int32_t scale = build.add("Div", {build.add("Sub", {max, min}), build.scalar(255.0f)});
  const int32_t begin = build.add("Div", {build.add("Neg", {min}), scale});
  const int32_t zero_point = clipped(node, build.add("Round", {begin}));
  const int32_t steps = build.add("Round", {build.add("Div", {x, scale})});
  const int32_t y = clipped(node, build.add("Add", {steps, zero_point}));
  return {cast(node, y, MDL_UINT8), scale, cast(node, zero_point, MDL_UINT8)};
}

// Q(x / scale) by plain operators, the division in the dtype of x.
int32_t quantized_at_run_time(OnnxNode& node, int32_t x, mdl_dtype to, int64_t axis) {
  Builder& build = node.build;
  const int64_t rank = build.rank(x);
  const bool is_signed = to == MDL_INT8 || to == MDL_INT16;
  const double count = to == MDL_INT8 || to == MDL_UINT8 ? 256 : 65536;
  const int32_t scale = cast(node, along(node, 1, axis, rank), build.tensor(x).dtype);
  int32_t y = cast(node, build.add("Round", {build.add("Div", {x, scale})}), MDL_FLOAT32);
  if (node.input(2) >= 0) {
    y = build.add("Add", {y, cast(node, along(node, 2, axis, rank), MDL_FLOAT32)});
  }
  const double min = is_signed ? -count / 2 : 0;
  return cast(node, build.add("Clip", {y}, {{"min", min}, {"max", min + count - 1}}), to);
}

// (x - zero point) * scale by plain operators.
int32_t dequantized_at_run_time(OnnxNode& node, int64_t axis) {
  Builder& build = node.build;
  const int32_t x = centered(node, 0, 2, axis);
  const int32_t scale = along(node, 1, axis, build.rank(x));
  return build.add("Mul", {cast(node, x, build.tensor(scale).dtype), scale});
}

}  // namespace medulla::tools
