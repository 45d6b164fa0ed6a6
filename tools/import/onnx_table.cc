// SPDX-License-Identifier: Apache-2.0
// Every ONNX operator that is taken, and the opsets for which its function holds. Alphabetical.
#include <limits>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

constexpr int64_t kNewest = std::numeric_limits<int64_t>::max();

constexpr OnnxRow kTable[] = {
    {"Abs", 7, kNewest, convert_unary},
    {"Add", 7, kNewest, convert_binary},
    {"AveragePool", 7, kNewest, convert_pool},
    {"BatchNormalization", 7, kNewest, convert_batch_normalization},
    {"Cast", 7, kNewest, convert_cast},
    {"Clip", 7, kNewest, convert_clip},
    {"Concat", 7, kNewest, convert_concat},
    {"Constant", 7, kNewest, convert_constant},
    {"ConstantOfShape", 9, kNewest, convert_constant_of_shape},
    {"Conv", 7, kNewest, convert_conv},
    {"ConvTranspose", 7, kNewest, convert_conv_transpose},
    {"DepthToSpace", 7, kNewest, convert_depth_to_space},
    {"DequantizeLinear", 10, kNewest, convert_dequantize},
    {"Div", 7, kNewest, convert_binary},
    {"Dropout", 7, kNewest, convert_identity},
    {"Elu", 7, kNewest, convert_unary},
    {"Equal", 7, kNewest, convert_equal},
    {"Erf", 9, kNewest, convert_unary},
    {"Exp", 7, kNewest, convert_unary},
    {"Expand", 8, kNewest, convert_expand},
    {"Flatten", 7, kNewest, convert_flatten},
    {"GRU", 7, kNewest, convert_recurrent},
    {"Gather", 7, kNewest, convert_gather},
    {"Gelu", 20, kNewest, convert_unary},
    {"Gemm", 7, kNewest, convert_gemm},
    {"GlobalAveragePool", 7, kNewest, convert_global_pool},
    {"GlobalMaxPool", 7, kNewest, convert_global_pool},
    {"HardSigmoid", 7, kNewest, convert_unary},
    {"HardSwish", 14, kNewest, convert_unary},
    {"Identity", 7, kNewest, convert_identity},
    {"If", 7, kNewest, refuse_control_flow},
    {"InstanceNormalization", 7, kNewest, convert_instance_normalization},
    {"LRN", 7, kNewest, convert_lrn},
    {"LSTM", 7, kNewest, convert_recurrent},
    {"LayerNormalization", 17, kNewest, convert_layer_normalization},
    {"LeakyRelu", 7, kNewest, convert_unary},
    {"Log", 7, kNewest, convert_unary},
    {"LogSoftmax", 7, kNewest, convert_softmax},
    {"Loop", 7, kNewest, refuse_control_flow},
    {"MatMul", 7, kNewest, convert_matmul},
    {"Max", 7, kNewest, convert_variadic},
    {"MaxPool", 7, kNewest, convert_pool},
    {"Mean", 7, kNewest, convert_variadic},
    {"Min", 7, kNewest, convert_variadic},
    {"Mul", 7, kNewest, convert_binary},
    {"Neg", 7, kNewest, convert_unary},
    {"PRelu", 7, kNewest, convert_prelu},
    {"Pad", 7, kNewest, convert_pad},
    {"Pow", 7, kNewest, convert_binary},
    {"QLinearConv", 10, kNewest, convert_qlinear_conv},
    {"QLinearMatMul", 10, kNewest, convert_qlinear_matmul},
    {"QuantizeLinear", 10, kNewest, convert_quantize},
    {"Range", 11, kNewest, convert_range},
    {"Reciprocal", 7, kNewest, convert_unary},
    {"ReduceMax", 7, kNewest, convert_reduce},
    {"ReduceMean", 7, kNewest, convert_reduce},
    {"ReduceMin", 7, kNewest, convert_reduce},
    {"ReduceSum", 7, kNewest, convert_reduce},
    {"Relu", 7, kNewest, convert_unary},
    {"Reshape", 7, kNewest, convert_reshape},
    {"Resize", 10, kNewest, convert_resize},
    {"Scan", 8, kNewest, refuse_control_flow},
    {"Shape", 7, kNewest, convert_shape},
    {"Sigmoid", 7, kNewest, convert_unary},
    {"Size", 7, kNewest, convert_size},
    {"Slice", 7, kNewest, convert_slice},
    {"Softmax", 7, kNewest, convert_softmax},
    {"Softplus", 1, kNewest, convert_unary},
    {"SpaceToDepth", 7, kNewest, convert_space_to_depth},
    {"Split", 7, kNewest, convert_split},
    {"Sqrt", 7, kNewest, convert_unary},
    {"Squeeze", 7, kNewest, convert_squeeze},
    {"Sub", 7, kNewest, convert_binary},
    {"Sum", 7, kNewest, convert_variadic},
    {"Tanh", 7, kNewest, convert_unary},
    {"Tile", 7, kNewest, convert_tile},
    {"Transpose", 7, kNewest, convert_transpose},
    {"Unsqueeze", 7, kNewest, convert_squeeze},
    {"Upsample", 7, 9, convert_resize},
    {"Where", 9, kNewest, convert_where},
};

}  // namespace

std::span<const OnnxRow> onnx_table() { return kTable; }

}  // namespace medulla::tools
