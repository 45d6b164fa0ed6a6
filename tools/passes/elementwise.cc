// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/elementwise.h"

#include <set>

namespace medulla::tools {
namespace {

using Names = std::set<std::string>;

// clang-format off
const Names kUnary = {
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Cast", "Ceil", "Clip",
    "Cos", "Cosh", "DequantizeLinear", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid",
    "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "Neg", "Not", "QuantizeLinear",
    "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt",
    "Swish", "Tan", "Tanh"};
const Names kBroadcast = {
    "Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater",
    "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod", "Mul", "Or", "Pow", "Sub",
    "Where", "Xor"};
// clang-format on
const Names kViews = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"};

}  // namespace

bool is_unary(const std::string& op) { return kUnary.count(op) > 0; }
bool is_broadcast(const std::string& op) { return kBroadcast.count(op) > 0; }
bool is_view(const std::string& op) { return kViews.count(op) > 0; }

}  // namespace medulla::tools
