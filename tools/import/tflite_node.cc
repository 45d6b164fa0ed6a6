// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tools/common/shape_text.h"
#include "tools/import/dimensions.h"
#include "tools/import/tflite.h"

namespace medulla::tools {
namespace {

// The integers of an int64 bias of 16x8 layers: of int32 where they fit, else as real numbers.
int32_t dequantized_int64(Builder& build, int32_t stored) {
  Tensor from = build.tensor(stored);
  const Quantization& q = *from.quantization;
  const auto integers = values_of<int64_t>(from);
  if (std::all_of(integers.begin(), integers.end(), [](int64_t v) { return v == int32_t(v); })) {
    const std::vector<int32_t> narrow(integers.begin(), integers.end());
    Tensor tensor = build.tensor(build.constant(MDL_INT32, from.dims, narrow));
    tensor.name = from.name;
    tensor.quantization = q;
    return build.add("DequantizeLinear", {build.add_tensor(std::move(tensor))});
  }
  std::vector<float> real;
  for (size_t i = 0; i < integers.size(); ++i) {
    const size_t c = q.scales.size() > 1 ? i % q.scales.size() : 0;
    real.push_back(static_cast<float>(static_cast<double>(integers[i] - q.zero_points[c]) *
                                      static_cast<double>(q.scales[c])));
  }
  return build.constant(MDL_FLOAT32, from.dims, real);
}

std::string tensor_text(const TfliteScope& scope, int32_t id) {
  return "tensor '" + scope.name_of(id) + "'";
}

}  // namespace

int32_t TfliteNode::input(size_t i) const {
  return i < input_count() ? proto.inputs()->Get(static_cast<uint32_t>(i)) : -1;
}

int32_t TfliteNode::output(size_t o) const {
  const int32_t id =
      o < output_count() ? proto.outputs()->Get(static_cast<uint32_t>(o)) : int32_t{-1};
  if (id < 0) refuse("has no output " + std::to_string(o));
  return id;
}

const tflite::Tensor& TfliteNode::source(size_t i) const {
  if (!has(i)) refuse("has no input " + std::to_string(i));
  return scope.tensor(input(i));
}

int32_t TfliteNode::stored(size_t i) const {
  if (!has(i)) refuse("has no input " + std::to_string(i));
  const int32_t id = input(i);
  int32_t& stored = scope.values[static_cast<size_t>(id)].stored;
  if (stored < 0 && scope.tensor(id).is_variable()) {
    const Tensor declared = scope.declared(id);
    stored = scope.state_of(id).written;
    if (declared.quantization) {
      stored =
          build.add_typed("QuantizeLinear", {stored}, {}, declared.dtype, declared.quantization);
    }
  }
  if (stored < 0) refuse("input " + std::to_string(i) + " is no tensor of numbers");
  return stored;
}

int32_t TfliteNode::value(size_t i) const {
  const int32_t id = stored(i);
  TfliteValue& value = scope.values[static_cast<size_t>(input(i))];
  if (value.real >= 0) return value.real;
  const Tensor& tensor = build.tensor(id);
  if (tensor.dtype == MDL_FLOAT16 || tensor.dtype == MDL_BFLOAT16) {
    value.real = build.add_typed("Cast", {id}, {{"to", int64_t{MDL_FLOAT32}}}, MDL_FLOAT32);
  } else if (!tensor.quantization) {
    value.real = id;
  } else if (tensor.dtype == MDL_INT64) {
    if (!tensor.data) refuse(tensor_text(scope, input(i)) + " is int64 with a scale");
    value.real = dequantized_int64(build, id);
  } else {
    value.real = build.add("DequantizeLinear", {id});
  }
  return value.real;
}

int32_t TfliteNode::moved(size_t i, size_t end) const {
  const tflite::Tensor& y = scope.tensor(output(0));
  bool alike = is_quantized(y);
  for (size_t k = i; k < end && alike; ++k) {
    const Tensor& x = build.tensor(stored(k));
    alike = x.quantization && source(k).type() == y.type() && *x.quantization == quantization_of(y);
  }
  return alike ? stored(i) : value(i);
}

Dims TfliteNode::constant_ints(size_t i, const char* what) const {
  const Tensor& tensor = build.tensor(stored(i));
  if (!tensor.data) {
    refuse(std::string(what) + " is not a constant", "export with fixed shapes");
  }
  if (tensor.dtype == MDL_INT64) return values_of<int64_t>(tensor);
  if (tensor.dtype != MDL_INT32) {
    refuse(std::string(what) + " is " + mdl_dtype_name(tensor.dtype) +
           ", should be int32 or int64");
  }
  const auto values = values_of<int32_t>(tensor);
  return {values.begin(), values.end()};
}

std::vector<float> TfliteNode::constant_floats(size_t i, const char* what) const {
  const int32_t id = value(i);
  const Tensor& tensor = build.tensor(id);
  if (tensor.data && tensor.dtype == MDL_FLOAT32) return values_of<float>(tensor);
  const Tensor& integers = build.tensor(stored(i));
  if (!integers.data || !integers.quantization || integers.quantization->scales.size() != 1 ||
      integers.dtype != MDL_INT8) {
    refuse(std::string(what) + " is not a constant of real numbers");
  }
  std::vector<float> values;
  for (const int8_t q : values_of<int8_t>(integers)) {
    values.push_back(static_cast<float>(q - integers.quantization->zero_points[0]) *
                     integers.quantization->scales[0]);
  }
  return values;
}

int32_t TfliteNode::quantize(size_t o, int32_t t) const {
  const Tensor declared = scope.declared(output(o));
  if (!declared.quantization || build.tensor(t).quantization) return t;
  if (build.tensor(t).dtype != MDL_FLOAT32) return t;
  return build.add_typed("QuantizeLinear", {t}, {}, declared.dtype, declared.quantization);
}

void TfliteNode::set(size_t o, int32_t t) const {
  const int32_t id = output(o);
  const Tensor declared = scope.declared(id);
  t = quantize(o, t);
  const Tensor& made = build.tensor(t);
  if (made.dtype != declared.dtype) {
    refuse(std::string("gives ") + mdl_dtype_name(made.dtype) + ", but " + tensor_text(scope, id) +
           " is " + mdl_dtype_name(declared.dtype) + " in the file");
  }
  const auto* signature = scope.tensor(id).shape_signature();
  const bool open = declared.dims.empty() ||
                    (signature != nullptr &&
                     std::find(signature->begin(), signature->end(), -1) != signature->end());
  if (!open && !scope.shapes_vary && made.dims != declared.dims) {
    refuse("gives the shape " + shape_text(made.dims) + ", but " + tensor_text(scope, id) +
           " has " + shape_text(declared.dims) + " in the file");
  }
  scope.values[static_cast<size_t>(id)].stored = t;
  scope.values[static_cast<size_t>(id)].real = -1;
}

void TfliteNode::set_reshaped(size_t o, int32_t t, const Dims& dims) const {
  set(o, build.reshape(quantize(o, t), dims));
}

int32_t TfliteNode::activated(int32_t t, tflite::Activation activation) const {
  switch (activation) {
    case tflite::Activation::NONE:
      return t;
    case tflite::Activation::RELU:
      return build.add("Relu", {t});
    case tflite::Activation::RELU_N1_TO_1:
      return build.add("Clip", {t}, {{"min", -1.0}, {"max", 1.0}});
    case tflite::Activation::RELU6:
      return build.add("Clip", {t}, {{"min", 0.0}, {"max", 6.0}});
    case tflite::Activation::TANH:
      return build.add("Tanh", {t});
    default:
      refuse("fused activation " + std::to_string(static_cast<int>(activation)) + " is not taken",
             "make it an operator of its own");
  }
}

int64_t TfliteNode::axis(int64_t value, int64_t rank) const {
  const int64_t wrapped = value < 0 ? value + rank : value;
  if (wrapped < 0 || wrapped >= rank) {
    refuse("axis " + std::to_string(value) + " is out of range for rank " + std::to_string(rank));
  }
  return wrapped;
}

void TfliteNode::require_static(int32_t t, const char* why) const {
  if (!build.is_static(t)) {
    refuse(std::string(why) + " of a tensor whose shape can vary is not taken",
           fix_dim_text(build.tensor(t).symbols));
  }
}

}  // namespace medulla::tools
