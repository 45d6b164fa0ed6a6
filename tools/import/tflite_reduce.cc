// SPDX-License-Identifier: Apache-2.0
// Over axes.
#include <algorithm>

#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

using Op = tflite::BuiltinOperator;

const char* canonical(Op op) {
  switch (op) {
    case Op::MEAN:
      return "ReduceMean";
    case Op::SUM:
      return "ReduceSum";
    case Op::REDUCE_MAX:
    case Op::REDUCE_ANY:
      return "ReduceMax";
    case Op::REDUCE_MIN:
    case Op::REDUCE_ALL:
      return "ReduceMin";
    case Op::REDUCE_PROD:
      return "ReduceProd";
    default:
      return nullptr;
  }
}

}  // namespace

// The axes are kept at first, so that the result can be quantized before it is reshaped.
void convert_reduce(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.value(0);
  const Dims dims = build.dims(x);
  Dims axes;
  for (const int64_t a : node.constant_ints(1, "the list of axes")) {
    axes.push_back(node.axis(a, build.rank(x)));
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (axes.empty()) return node.set(0, x);
  const auto* options = node.proto.options_as<tflite::ReducerOptions>();
  const bool keep = options != nullptr && options->keep_dims();
  if (!keep) {
    // With an open dimension the shape of what is left is no constant; then it is not quantized.
    if (!build.is_static(x)) {
      return node.set(
          0, build.add(canonical(node.op), {x}, {{"axes", axes}, {"keepdims", int64_t{0}}}));
    }
  }
  const int32_t y = build.add(canonical(node.op), {x}, {{"axes", axes}, {"keepdims", int64_t{1}}});
  if (keep) return node.set(0, y);
  Dims left;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(d))) {
      left.push_back(dims[d]);
    }
  }
  node.set_reshaped(0, y, left);
}

// On the integers: a scale keeps their order. Equal values: the first one.
void convert_arg(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.stored(0);
  const Dims axis = node.constant_ints(1, "the axis");
  if (axis.size() != 1) refuse("the axis is " + std::to_string(axis.size()) + " numbers");
  int32_t y = build.add(node.op == Op::ARG_MAX ? "ArgMax" : "ArgMin", {x},
                        {{"axis", node.axis(axis[0], build.rank(x))}, {"keepdims", int64_t{0}}});
  const mdl_dtype to = tflite_dtype(node.scope.tensor(node.output(0)).type());
  if (build.tensor(y).dtype != to) {
    y = build.add_typed("Cast", {y}, {{"to", static_cast<int64_t>(to)}}, to);
  }
  node.set(0, y);
}

void convert_cumsum(TfliteNode& node) {
  const auto& options = node.options<tflite::CumsumOptions>();
  const int32_t x = node.value(0);
  const Dims axis = node.constant_ints(1, "the axis");
  if (axis.size() != 1) refuse("the axis is " + std::to_string(axis.size()) + " numbers");
  node.set(0, node.build.add("CumSum", {x},
                             {{"axis", node.axis(axis[0], node.build.rank(x))},
                              {"exclusive", int64_t{options.exclusive()}},
                              {"reverse", int64_t{options.reverse()}}}));
}

void convert_softmax(TfliteNode& node) {
  Builder& build = node.build;
  int32_t x = node.value(0);
  if (node.op == Op::SOFTMAX) {
    const float beta = node.options<tflite::SoftmaxOptions>().beta();
    if (beta != 1) x = build.add("Mul", {x, build.scalar(beta)});
  }
  node.set(0, build.add(node.op == Op::SOFTMAX ? "Softmax" : "LogSoftmax", {x},
                        {{"axis", build.rank(x) - 1}}));
}

// x / max(sqrt(sum(x * x)), 1e-6), over the last dimension.
void convert_l2_normalization(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.value(0);
  const int32_t sum = build.add("ReduceSum", {build.add("Mul", {x, x})},
                                {{"axes", Dims{build.rank(x) - 1}}, {"keepdims", int64_t{1}}});
  const int32_t length = build.add("Max", {build.add("Sqrt", {sum}), build.scalar(1e-6f)});
  node.set(0,
           node.activated(build.add("Div", {x, length}), node.activation<tflite::L2NormOptions>()));
}

// ONNX, and so Medulla, divides alpha by the number of channels in the window.
void convert_lrn(TfliteNode& node) {
  const auto& options = node.options<tflite::LocalResponseNormalizationOptions>();
  const int64_t size = 2 * int64_t{options.radius()} + 1;
  const float alpha = options.alpha() * static_cast<float>(size);
  node.set(0, node.build.add("LRN", {node.value(0)},
                             {{"size", size},
                              {"alpha", static_cast<double>(alpha)},
                              {"beta", static_cast<double>(options.beta())},
                              {"bias", static_cast<double>(options.bias())}}));
}

}  // namespace medulla::tools
