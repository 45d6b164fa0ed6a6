// SPDX-License-Identifier: Apache-2.0
// Element by element.
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

using Op = tflite::BuiltinOperator;

// The canonical operator of the same meaning, or null.
const char* canonical(Op op) {
  switch (op) {
    case Op::ABS:
      return "Abs";
    case Op::ADD:
      return "Add";
    case Op::CEIL:
      return "Ceil";
    case Op::COS:
      return "Cos";
    case Op::DIV:
      return "Div";
    case Op::ELU:
      return "Elu";
    case Op::EQUAL:
    case Op::NOT_EQUAL:
      return "Equal";
    case Op::EXP:
      return "Exp";
    case Op::FLOOR:
      return "Floor";
    case Op::GELU:
      return "Gelu";
    case Op::GREATER:
      return "Greater";
    case Op::GREATER_EQUAL:
      return "GreaterOrEqual";
    case Op::HARD_SWISH:
      return "HardSwish";
    case Op::LEAKY_RELU:
      return "LeakyRelu";
    case Op::LESS:
      return "Less";
    case Op::LESS_EQUAL:
      return "LessOrEqual";
    case Op::LOG:
      return "Log";
    case Op::LOGICAL_AND:
      return "And";
    case Op::LOGICAL_NOT:
      return "Not";
    case Op::LOGICAL_OR:
      return "Or";
    case Op::LOGISTIC:
      return "Sigmoid";
    case Op::MAXIMUM:
      return "Max";
    case Op::MINIMUM:
      return "Min";
    case Op::MUL:
      return "Mul";
    case Op::NEG:
      return "Neg";
    case Op::POW:
      return "Pow";
    case Op::RELU:
      return "Relu";
    case Op::ROUND:
      return "Round";
    case Op::SIGN:
      return "Sign";
    case Op::SIN:
      return "Sin";
    case Op::SQRT:
      return "Sqrt";
    case Op::SUB:
      return "Sub";
    case Op::TANH:
      return "Tanh";
    default:
      return nullptr;
  }
}

bool is_float(const Builder& build, int32_t t) { return build.tensor(t).dtype == MDL_FLOAT32; }

// x - trunc(x / y) * y, with the sign of x for floats and of y for integers.
int32_t mod(Builder& build, int32_t a, int32_t b) {
  return build.add("Mod", {a, b}, {{"fmod", int64_t{is_float(build, a)}}});
}

}  // namespace

void convert_unary(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.value(0);
  switch (node.op) {
    case Op::ELU:
      return node.set(0, build.add("Elu", {x}, {{"alpha", 1.0}}));
    case Op::GELU: {
      const auto* options = node.proto.options_as<tflite::GeluOptions>();  // exporters leave it out
      const bool tanh = options != nullptr && options->approximate();
      return node.set(
          0, build.add("Gelu", {x}, {{"approximate", std::string(tanh ? "tanh" : "none")}}));
    }
    case Op::LEAKY_RELU: {
      const auto alpha = static_cast<double>(node.options<tflite::LeakyReluOptions>().alpha());
      return node.set(0, build.add("LeakyRelu", {x}, {{"alpha", alpha}}));
    }
    case Op::RELU6:
      return node.set(0, node.activated(x, tflite::Activation::RELU6));
    case Op::RELU_N1_TO_1:
      return node.set(0, node.activated(x, tflite::Activation::RELU_N1_TO_1));
    case Op::RELU_0_TO_1:
      return node.set(0, build.add("Clip", {x}, {{"min", 0.0}, {"max", 1.0}}));
    case Op::RSQRT:
      return node.set(0, build.add("Reciprocal", {build.add("Sqrt", {x})}));
    case Op::SQUARE:
      return node.set(0, build.add("Mul", {x, x}));
    default:
      return node.set(0, build.add(canonical(node.op), {x}));
  }
}

void convert_binary(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t a = node.value(0), b = node.value(1);
  switch (node.op) {
    case Op::SQUARED_DIFFERENCE: {
      const int32_t d = build.add("Sub", {a, b});
      return node.set(0, build.add("Mul", {d, d}));
    }
    case Op::NOT_EQUAL:
      return node.set(0, build.add("Not", {build.add("Equal", {a, b})}));
    default:
      break;
  }
  auto activation = tflite::Activation::NONE;
  if (node.op == Op::ADD) activation = node.activation<tflite::AddOptions>();
  if (node.op == Op::SUB) activation = node.activation<tflite::SubOptions>();
  if (node.op == Op::MUL) activation = node.activation<tflite::MulOptions>();
  if (node.op == Op::DIV) activation = node.activation<tflite::DivOptions>();
  node.set(0, node.activated(build.add(canonical(node.op), {a, b}), activation));
}

void convert_add_n(TfliteNode& node) {
  int32_t sum = node.value(0);
  for (size_t i = 1; i < node.input_count(); ++i) sum = node.build.add("Add", {sum, node.value(i)});
  node.set(0, sum);
}

// Down to the next integer, where Medulla's integer Div cuts towards zero.
void convert_floor_div(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t a = node.value(0), b = node.value(1);
  if (is_float(build, a)) return node.set(0, build.add("Floor", {build.add("Div", {a, b})}));
  node.set(0, build.add("Div", {build.add("Sub", {a, mod(build, a, b)}), b}));
}

// The remainder has the sign of the divisor.
void convert_floor_mod(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t a = node.value(0), b = node.value(1);
  const int32_t rest = mod(build, a, b);
  if (!is_float(build, a)) return node.set(0, rest);
  const int32_t zero = build.scalar(0);
  const int32_t signs_differ =
      build.add("Xor", {build.add("Less", {rest, zero}), build.add("Less", {b, zero})});
  const int32_t some = build.add("Not", {build.add("Equal", {rest, zero})});
  node.set(0, build.add("Where", {build.add("And", {some, signs_differ}),
                                  build.add("Add", {rest, b}), rest}));
}

// SELECT's condition may choose whole rows: one value for each index of the first dimension.
void convert_select(TfliteNode& node) {
  Builder& build = node.build;
  int32_t condition = node.stored(0);
  const int32_t x = node.moved(1, 3);
  const int32_t y = x == node.stored(1) ? node.stored(2) : node.value(2);
  const int64_t rank = build.rank(x);
  if (node.op == Op::SELECT && build.rank(condition) == 1 && rank > 1) {
    Dims shape(static_cast<size_t>(rank), 1);
    shape[0] = build.dims(condition)[0];
    condition = build.reshape(condition, shape);
  }
  node.set(0, build.add_typed("Where", {condition, x, y}, {}, build.tensor(x).dtype,
                              build.tensor(x).quantization));
}

void convert_prelu(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.value(0), zero = build.scalar(0);
  const int32_t below = build.add("Mul", {build.add("Min", {x, zero}), node.value(1)});
  node.set(0, build.add("Add", {build.add("Max", {x, zero}), below}));
}

// Of the elements as they are: a scale plays no part.
void convert_cast(TfliteNode& node) {
  Builder& build = node.build;
  const tflite::Tensor& from = node.source(0);
  int32_t x = node.stored(0);
  if (node.quantized(0) && from.type() == tflite::TensorType::UINT8) {
    refuse("a cast of quantized uint8 is not taken", "export with DEQUANTIZE in its place");
  }
  const mdl_dtype to = tflite_dtype(node.scope.tensor(node.output(0)).type());
  if (node.output_quantized(0)) {
    refuse("a cast to quantized integers is not taken", "export with QUANTIZE in its place");
  }
  if (build.tensor(x).dtype != to) {
    x = build.add_typed("Cast", {x}, {{"to", static_cast<int64_t>(to)}}, to);
  }
  node.set(0, x);
}

// QUANTIZE and DEQUANTIZE are what the types of their tensors say. Integers of more than 16 bits
// are rounded by hand.
void convert_quantize(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.value(0);
  if (build.tensor(x).dtype != MDL_FLOAT32) {
    refuse("input 0 has no scale", "quantize the model again");
  }
  const Tensor y = node.scope.declared(node.output(0));
  if (y.dtype != MDL_INT32) return node.set(0, x);
  if (!y.quantization || y.quantization->scales.size() != 1) refuse("output 0 has no scale");
  int32_t t = build.add("Div", {x, build.scalar(y.quantization->scales[0])});
  t = build.add("Round", {t});
  const auto zero_point = static_cast<float>(y.quantization->zero_points[0]);
  if (zero_point != 0) t = build.add("Add", {t, build.scalar(zero_point)});
  node.set(0,
           build.add_typed("Cast", {t}, {{"to", int64_t{MDL_INT32}}}, MDL_INT32, y.quantization));
}

}  // namespace medulla::tools
