// SPDX-License-Identifier: Apache-2.0
// What is known before any run: constants, and the arithmetic on shapes that exporters write.
#include <cmath>

#include "tools/import/dimensions.h"
#include "tools/import/extents.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

int32_t int64_constant(OnnxNode& node, Dims dims, const std::vector<int64_t>& values) {
  return node.build.constant(MDL_INT64, std::move(dims), values);
}

Bytes copy_elements(size_t bits, int64_t count,
                    const std::function<const std::byte*(int64_t)>& at) {
  Bytes bytes;
  for (int64_t i = 0; i < count; ++i) bytes.insert(bytes.end(), at(i), at(i) + bits / 8);
  return bytes;
}

int32_t add_bytes(OnnxNode& node, mdl_dtype dtype, Dims dims, Bytes bytes) {
  Tensor tensor;
  tensor.name = node.build.name() + ".constant";
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  tensor.data = std::make_shared<const Bytes>(std::move(bytes));
  return node.build.add_tensor(std::move(tensor));
}

// Bytes of weights that a model may ask to be filled, as some do that only show their shapes.
constexpr size_t kMostFilled = size_t{1} << 30;

int64_t count_of(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t d : dims) count *= d;
  return count;
}

}  // namespace

size_t require_small(const Dims& dims, size_t most) {
  const size_t bytes = require_size(MDL_FLOAT32, dims);
  if (bytes > most) {
    refuse("would make a constant of " + std::to_string(bytes) + " bytes",
           "make it at run time, or broadcast a smaller one");
  }
  return bytes / sizeof(float);
}

namespace {

int32_t cast(OnnxNode& node, int32_t x, mdl_dtype to) {
  const Tensor& from = node.build.tensor(x);
  if (from.dtype == to) return x;
  if (from.quantization) {
    refuse("casts quantized integers", "dequantize them with DequantizeLinear first");
  }
  return node.build.add("Cast", {x}, {{"to", static_cast<int64_t>(to)}});
}

}  // namespace

std::vector<int32_t> convert_cast(OnnxNode& node) {
  return {cast(node, node.input(0), onnx_dtype(static_cast<int32_t>(node.int_or("to", 0))))};
}

std::vector<int32_t> convert_bit_cast(OnnxNode& node) {
  const mdl_dtype to = onnx_dtype(static_cast<int32_t>(node.int_or("to", 0)));
  return {node.build.add("BitCast", {node.input(0)}, {{"to", static_cast<int64_t>(to)}})};
}

std::vector<int32_t> convert_cast_like(OnnxNode& node) {
  return {cast(node, node.input(0), node.build.tensor(node.input(1)).dtype)};
}

std::vector<int32_t> convert_constant(OnnxNode& node) {
  if (const auto* value = node.attribute("value")) {
    return {add_onnx_constant(node.build, value->t(), "")};
  }
  if (node.attribute("value_int")) return {int64_constant(node, {}, {node.int_or("value_int", 0)})};
  if (node.attribute("value_ints")) {
    const Dims values = node.ints("value_ints");
    return {int64_constant(node, {static_cast<int64_t>(values.size())}, values)};
  }
  if (node.attribute("value_float")) {
    return {node.build.scalar(static_cast<float>(node.float_or("value_float", 0)))};
  }
  if (node.attribute("value_floats")) {
    const auto wide = node.floats("value_floats");
    const std::vector<float> values(wide.begin(), wide.end());
    return {node.build.constant(MDL_FLOAT32, {static_cast<int64_t>(values.size())}, values)};
  }
  refuse("only dense numbers are taken", "export it as an initializer");
}

std::vector<int32_t> convert_constant_of_shape(OnnxNode& node) {
  const Dims shape = node.constant_ints(0, "shape");
  require_small(shape, kMostFilled);
  const int64_t count = count_of(shape);
  const auto* value = node.attribute("value");
  if (!value) {
    return {node.build.constant(MDL_FLOAT32, shape,
                                std::vector<float>(static_cast<size_t>(count), 0.0f))};
  }
  const Tensor one = node.build.tensor(add_onnx_constant(node.build, value->t(), ""));
  if (one.elements() != 1) refuse("should be one element", "", "value");
  return {add_bytes(
      node, one.dtype, shape,
      copy_elements(mdl_dtype_bits(one.dtype), count, [&](int64_t) { return one.data->data(); }))};
}

// Ones on diagonal k of a matrix of the input's shape.
std::vector<int32_t> convert_eye_like(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  if (build.rank(x) != 2)
    refuse("input has rank " + std::to_string(build.rank(x)) + ", should have 2");
  node.require_static(x, "EyeLike");
  const Dims dims = build.dims(x);
  require_small(dims, kMostFilled);
  const int64_t k = node.int_or("k", 0);
  std::vector<float> values;
  for (int64_t row = 0; row < dims[0]; ++row) {
    for (int64_t column = 0; column < dims[1]; ++column) {
      values.push_back(column - row == k ? 1.0f : 0.0f);
    }
  }
  const mdl_dtype dtype = node.attribute("dtype")
                              ? onnx_dtype(static_cast<int32_t>(node.int_or("dtype", 0)))
                              : build.tensor(x).dtype;
  return {cast(node, build.constant(MDL_FLOAT32, dims, values), dtype)};
}

namespace {

double range_count(double start, double limit, double step) {
  return std::ceil((limit - start) / step);
}

// Exact: differences of int64 fit into uint64.
double range_count(int64_t start, int64_t limit, int64_t step) {
  const auto u = [](int64_t v) { return static_cast<uint64_t>(v); };
  if (step > 0 ? limit <= start : limit >= start) return 0;
  const uint64_t way = step > 0 ? u(limit) - u(start) : u(start) - u(limit);
  const uint64_t stride = step > 0 ? u(step) : 0 - u(step);
  return static_cast<double>((way - 1) / stride) + 1;
}

}  // namespace

std::vector<int32_t> convert_range(OnnxNode& node) {
  const mdl_dtype dtype = node.build.tensor(node.input(0)).dtype;
  const bool is_float = dtype == MDL_FLOAT32 || dtype == MDL_FLOAT64;
  const auto parameter = [&]<class T>(size_t i, const char* what, T) {
    if (!node.build.tensor(node.input(i)).data) node.constant_ints(i, what);  // refuses
    const mdl_dtype wide = is_float ? MDL_FLOAT64 : MDL_INT64;
    return values_of<T>(node.build.tensor(cast(node, node.input(i), wide))).at(0);
  };
  const auto fill = [&]<class T>(T zero) {
    const T start = parameter(0, "start", zero);
    const T limit = parameter(1, "limit", zero);
    const T step = parameter(2, "delta", zero);
    if (step == 0) refuse("delta is 0");
    const double count = range_count(start, limit, step);
    if (!(count <= 1 << 25)) {
      refuse("has " + number_text(count) + " elements, at most " + std::to_string(1 << 25) +
             " are stored in a file");
    }
    std::vector<T> values;
    for (T value = start; static_cast<double>(values.size()) < count;) {
      values.push_back(value);
      if constexpr (std::is_same_v<T, int64_t>) {
        // The last one may pass the end of int64.
        __builtin_add_overflow(value, step, &value);
      } else {
        value = start + static_cast<T>(values.size()) * step;
      }
    }
    const Dims dims = {static_cast<int64_t>(values.size())};
    return node.build.constant(is_float ? MDL_FLOAT64 : MDL_INT64, dims, values);
  };
  return {cast(node, is_float ? fill(double{}) : fill(int64_t{}), dtype)};
}

std::vector<int32_t> convert_shape(OnnxNode& node) {
  Builder& build = node.build;
  const int64_t rank = build.rank(node.input(0));
  const auto bound = [&](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const int64_t start = bound(node.int_or("start", 0));
  const int64_t end = std::max(start, bound(node.int_or("end", rank)));
  const Tensor& x = build.tensor(node.input(0));
  std::vector<Extent> extents;
  for (auto d = static_cast<size_t>(start); d < static_cast<size_t>(end); ++d) {
    extents.push_back({x.dims[d], x.symbols.empty() ? "" : x.symbols[d], x.dims[d]});
  }
  return {add_extents(node, {end - start}, std::move(extents))};
}

std::vector<int32_t> convert_size(OnnxNode& node) {
  Builder& build = node.build;
  const Tensor x = build.tensor(node.input(0));
  const auto symbols = symbols_of(x);
  Dims fixed;
  std::vector<Extent> open;
  for (size_t d = 0; d < x.dims.size(); ++d) {
    if (symbols[d].empty()) fixed.push_back(x.dims[d]);
    if (!symbols[d].empty()) open.push_back({x.dims[d], symbols[d], x.dims[d]});
  }
  int32_t size = int64_constant(node, {}, {count_of(fixed)});
  for (const Extent& extent : open) {
    size = build.add("Mul", {size, values_of_extents(build, {extent}, {}, MDL_INT64)});
  }
  return {size};
}

std::vector<int32_t> convert_where(OnnxNode& node) {
  Builder& build = node.build;
  const mdl_dtype dtype = build.tensor(node.input(1)).dtype;
  const int32_t y = build.add_typed("Where", {node.input(0), node.input(1), node.input(2)}, {},
                                    dtype, build.tensor(node.input(1)).quantization);
  return {y};
}

}  // namespace medulla::tools
