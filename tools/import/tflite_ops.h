// SPDX-License-Identifier: Apache-2.0
// The conversion functions, by theme. tflite_table.cc says which operators each one takes.
#ifndef MEDULLA_TOOLS_IMPORT_TFLITE_OPS_H_
#define MEDULLA_TOOLS_IMPORT_TFLITE_OPS_H_

#include "tools/import/tflite.h"

namespace medulla::tools {

// tflite_conv.cc: windows and products with weights.
void convert_conv(TfliteNode& node);
void convert_depthwise_conv(TfliteNode& node);
void convert_transpose_conv(TfliteNode& node);
void convert_pool(TfliteNode& node);
void convert_fully_connected(TfliteNode& node);
void convert_batch_matmul(TfliteNode& node);

// tflite_math.cc: element by element, and over axes.
void convert_unary(TfliteNode& node);
void convert_binary(TfliteNode& node);
void convert_add_n(TfliteNode& node);
void convert_floor_div(TfliteNode& node);
void convert_floor_mod(TfliteNode& node);
void convert_select(TfliteNode& node);
void convert_prelu(TfliteNode& node);
void convert_cast(TfliteNode& node);
void convert_quantize(TfliteNode& node);  // DEQUANTIZE too

// tflite_reduce.cc
void convert_reduce(TfliteNode& node);
void convert_arg(TfliteNode& node);
void convert_cumsum(TfliteNode& node);
void convert_softmax(TfliteNode& node);  // LOG_SOFTMAX too
void convert_l2_normalization(TfliteNode& node);
void convert_lrn(TfliteNode& node);

// tflite_shape.cc: what moves elements.
void convert_reshape(TfliteNode& node);  // SQUEEZE and EXPAND_DIMS too
void convert_transpose(TfliteNode& node);
void convert_concatenation(TfliteNode& node);
void convert_pack(TfliteNode& node);
void convert_unpack(TfliteNode& node);
void convert_split(TfliteNode& node);
void convert_slice(TfliteNode& node);
void convert_strided_slice(TfliteNode& node);
void convert_reverse(TfliteNode& node);
void convert_gather(TfliteNode& node);
void convert_tile(TfliteNode& node);

// tflite_index.cc
void convert_gather_nd(TfliteNode& node);
void convert_embedding_lookup(TfliteNode& node);
void convert_dynamic_update_slice(TfliteNode& node);
void convert_top_k(TfliteNode& node);

// tflite_image.cc
void convert_pad(TfliteNode& node);
void convert_mirror_pad(TfliteNode& node);
void convert_resize(TfliteNode& node);
void convert_depth_to_space(TfliteNode& node);
void convert_space_to_depth(TfliteNode& node);
void convert_space_to_batch(TfliteNode& node);
void convert_batch_to_space(TfliteNode& node);

// tflite_constant.cc: what is known before any run.
void convert_shape(TfliteNode& node);  // RANK too
void convert_fill(TfliteNode& node);
void convert_zeros_like(TfliteNode& node);
void convert_broadcast_to(TfliteNode& node);
void convert_broadcast_args(TfliteNode& node);
void convert_range(TfliteNode& node);

// tflite_recurrent.cc, tflite_state.cc: what keeps something from run to run.
void convert_lstm(TfliteNode& node);
void convert_svdf(TfliteNode& node);
void convert_call_once(TfliteNode& node);
void convert_var_handle(TfliteNode& node);
void convert_read_variable(TfliteNode& node);
void convert_assign_variable(TfliteNode& node);

// tflite_control.cc
void convert_if(TfliteNode& node);
void convert_while(TfliteNode& node);
// A subgraph that the node calls, to be appended to `graph`. Refuses what the file does not have,
// and calls that have no end.
// `part` is what it is of the node, behind whose name it stands in refusals.
TfliteScope called_by(const TfliteNode& node, int32_t index, Graph& graph, const std::string& part);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_TFLITE_OPS_H_
