// SPDX-License-Identifier: Apache-2.0
// What is known before any run, for shapes are.
#include <algorithm>
#include <cmath>

#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

// Extents or the like, of the output's type.
int32_t integers(const TfliteNode& node, Dims dims, const Dims& values) {
  if (tflite_dtype(node.scope.tensor(node.output(0)).type()) == MDL_INT64) {
    return node.build.constant<int64_t>(MDL_INT64, std::move(dims), values);
  }
  std::vector<int32_t> narrow;
  for (const int64_t v : values) narrow.push_back(static_cast<int32_t>(v));
  return node.build.constant<int32_t>(MDL_INT32, std::move(dims), narrow);
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims result = a.size() < b.size() ? b : a;
  const Dims& other = a.size() < b.size() ? a : b;
  const size_t before = result.size() - other.size();
  for (size_t d = 0; d < other.size(); ++d) {
    int64_t& extent = result[before + d];
    if (extent != other[d] && extent != 1 && other[d] != 1) {
      refuse("extents " + std::to_string(extent) + " and " + std::to_string(other[d]) +
             " do not broadcast");
    }
    if (extent == 1) extent = other[d];
  }
  return result;
}

void expand(TfliteNode& node, int32_t x, const Dims& shape) {
  if (shape == node.build.dims(x)) return node.set(0, x);
  node.set(0, node.build.add_like("Expand", {x}, {{"shape", shape}}));
}

}  // namespace

void convert_shape(TfliteNode& node) {
  const int32_t x = node.stored(0);
  const Dims dims = node.build.dims(x);
  const auto rank = static_cast<int64_t>(dims.size());
  if (node.op == tflite::BuiltinOperator::RANK) return node.set(0, integers(node, {}, {rank}));
  node.require_static(x, "SHAPE");
  node.set(0, integers(node, {rank}, dims));
}

void convert_fill(TfliteNode& node) {
  expand(node, node.moved(1), node.constant_ints(0, "the shape"));
}

void convert_zeros_like(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.stored(0);
  node.require_static(x, "ZEROS_LIKE");
  Tensor zero;
  zero.name = build.name() + ".zero";
  zero.dtype = build.tensor(x).quantization ? MDL_FLOAT32 : build.tensor(x).dtype;
  zero.data = std::make_shared<const Bytes>(mdl_dtype_bits(zero.dtype) / 8);
  const Dims dims = build.dims(x);
  expand(node, build.add_tensor(std::move(zero)), dims);
}

void convert_broadcast_to(TfliteNode& node) {
  const int32_t x = node.moved(0);
  expand(node, x, broadcast(node.constant_ints(1, "the shape"), node.build.dims(x)));
}

void convert_broadcast_args(TfliteNode& node) {
  const Dims shape = broadcast(node.constant_ints(0, "a shape"), node.constant_ints(1, "a shape"));
  node.set(0, integers(node, {static_cast<int64_t>(shape.size())}, shape));
}

// start, start + delta, ... below limit
void convert_range(TfliteNode& node) {
  Builder& build = node.build;
  constexpr double kMost = 1 << 24;
  const bool real = build.tensor(node.stored(0)).dtype == MDL_FLOAT32;
  const auto number = [&](size_t i, const char* what) {
    if (real) return static_cast<double>(node.constant_floats(i, what).at(0));
    return static_cast<double>(node.constant_ints(i, what).at(0));
  };
  const double start = number(0, "the start"), limit = number(1, "the limit"),
               delta = number(2, "the delta");
  const double count = std::ceil((limit - start) / delta);
  if (!(delta != 0 && count <= kMost)) refuse("a range of too many numbers");
  std::vector<float> reals;
  Dims values;
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) {
    const double v = start + static_cast<double>(i) * delta;
    reals.push_back(static_cast<float>(v));
    if (!real) values.push_back(static_cast<int64_t>(v));
  }
  const auto length = static_cast<int64_t>(reals.size());
  node.set(0,
           real ? build.constant(MDL_FLOAT32, {length}, reals) : integers(node, {length}, values));
}

}  // namespace medulla::tools
