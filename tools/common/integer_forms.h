// SPDX-License-Identifier: Apache-2.0
// Which operators have an integer form between DequantizeLinear and QuantizeLinear: the converter
// makes it, `medulla inspect` says why it did not.
#ifndef MEDULLA_TOOLS_COMMON_INTEGER_FORMS_H_
#define MEDULLA_TOOLS_COMMON_INTEGER_FORMS_H_

#include <algorithm>
#include <string_view>

namespace medulla::tools {

// Output i depends on elements i alone: a table, where they come from one tensor.
inline constexpr std::string_view kElementwiseForms[] = {
    "Abs",       "Acos",     "Acosh",   "Add",   "Asin", "Asinh",       "Atan",
    "Atanh",     "Ceil",     "Clip",    "Cos",   "Cosh", "Div",         "Elu",
    "Erf",       "Exp",      "Floor",   "Gelu",  "Max",  "HardSigmoid", "HardSwish",
    "LeakyRelu", "Log",      "Min",     "Mul",   "Neg",  "Pow",         "Reciprocal",
    "Relu",      "Round",    "Sigmoid", "Sign",  "Sin",  "Sinh",        "Sub",
    "Softplus",  "Softsign", "Sqrt",    "Swish", "Tan",  "Tanh"};
// They move integers, whatever follows.
inline constexpr std::string_view kMoverForms[] = {"Expand",  "Flatten", "Gather",    "MaxPool",
                                                   "Pad",     "Reshape", "Slice",     "Split",
                                                   "Squeeze", "Tile",    "Transpose", "Unsqueeze"};
// With constant weights as input 1.
inline constexpr std::string_view kLayerForms[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
// The others that take quantized inputs and are followed by QuantizeLinear.
inline constexpr std::string_view kOtherForms[] = {
    "AveragePool",       "BatchNormalization", "Concat",
    "GlobalAveragePool", "LayerNormalization", "Resize"};

// Those that have one for int16 too, beside what moves and the layers with constant weights.
inline constexpr std::string_view kInt16Forms[] = {
    "Add", "AveragePool", "Concat", "GlobalAveragePool", "Mul", "Sub"};

template <size_t n>
bool is_among(std::string_view op, const std::string_view (&list)[n]) {
  return std::find(list, list + n, op) != list + n;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_INTEGER_FORMS_H_
