// SPDX-License-Identifier: Apache-2.0
// The conversion functions, by theme. onnx_table.cc says which operator each one takes.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_OPS_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_OPS_H_

#include "tools/import/onnx.h"

namespace medulla::tools {

// onnx_conv.cc, onnx_image.cc: NCHW in ONNX, NHWC in Medulla.
std::vector<int32_t> convert_conv(OnnxNode& node);
std::vector<int32_t> convert_conv_transpose(OnnxNode& node);
std::vector<int32_t> convert_causal_conv(OnnxNode& node);
std::vector<int32_t> convert_deform_conv(OnnxNode& node);
std::vector<int32_t> convert_pool(OnnxNode& node);
std::vector<int32_t> convert_affine_grid(OnnxNode& node);
std::vector<int32_t> convert_center_crop_pad(OnnxNode& node);
std::vector<int32_t> convert_col2im(OnnxNode& node);
std::vector<int32_t> convert_global_pool(OnnxNode& node);
std::vector<int32_t> convert_global_lp_pool(OnnxNode& node);
std::vector<int32_t> convert_max_roi_pool(OnnxNode& node);
std::vector<int32_t> convert_max_unpool(OnnxNode& node);
std::vector<int32_t> convert_grid_sample(OnnxNode& node);
std::vector<int32_t> convert_roi_align(OnnxNode& node);
std::vector<int32_t> convert_depth_to_space(OnnxNode& node);
std::vector<int32_t> convert_space_to_depth(OnnxNode& node);

// onnx_resize.cc
std::vector<int32_t> convert_resize(OnnxNode& node);

// onnx_signal.cc
std::vector<int32_t> convert_dft(OnnxNode& node);
std::vector<int32_t> convert_mel_weight_matrix(OnnxNode& node);
std::vector<int32_t> convert_stft(OnnxNode& node);

// onnx_norm.cc
std::vector<int32_t> convert_batch_normalization(OnnxNode& node);
std::vector<int32_t> convert_group_normalization(OnnxNode& node);
std::vector<int32_t> convert_instance_normalization(OnnxNode& node);
std::vector<int32_t> convert_layer_normalization(OnnxNode& node);
std::vector<int32_t> convert_lp_normalization(OnnxNode& node);
std::vector<int32_t> convert_lrn(OnnxNode& node);
std::vector<int32_t> convert_rms_normalization(OnnxNode& node);

// onnx_attention.cc
std::vector<int32_t> convert_attention(OnnxNode& node);
std::vector<int32_t> convert_rotary_embedding(OnnxNode& node);

// onnx_shape.cc: what moves elements.
std::vector<int32_t> convert_concat(OnnxNode& node);
std::vector<int32_t> convert_dropout(OnnxNode& node);
std::vector<int32_t> convert_expand(OnnxNode& node);
std::vector<int32_t> convert_flatten(OnnxNode& node);
std::vector<int32_t> convert_identity(OnnxNode& node);
std::vector<int32_t> convert_pad(OnnxNode& node);
std::vector<int32_t> convert_reshape(OnnxNode& node);
std::vector<int32_t> convert_slice(OnnxNode& node);
std::vector<int32_t> convert_split(OnnxNode& node);
std::vector<int32_t> convert_squeeze(OnnxNode& node);
std::vector<int32_t> convert_tile(OnnxNode& node);
std::vector<int32_t> convert_transpose(OnnxNode& node);

// onnx_index.cc: what picks elements.
std::vector<int32_t> convert_gather(OnnxNode& node);
std::vector<int32_t> convert_gather_elements(OnnxNode& node);
std::vector<int32_t> convert_gather_nd(OnnxNode& node);
std::vector<int32_t> convert_one_hot(OnnxNode& node);
std::vector<int32_t> convert_reverse_sequence(OnnxNode& node);
std::vector<int32_t> convert_scatter_elements(OnnxNode& node);
std::vector<int32_t> convert_scatter_nd(OnnxNode& node);
std::vector<int32_t> convert_tensor_scatter(OnnxNode& node);
std::vector<int32_t> convert_tfidf_vectorizer(OnnxNode& node);

// onnx_constant.cc: what is known before any run.
// A shape costs a file nothing; what it asks to be filled does, so that require_small refuses it
// beyond measure. Returns the number of elements.
size_t require_small(const Dims& dims, size_t most = size_t{1} << 28);
std::vector<int32_t> convert_bit_cast(OnnxNode& node);
std::vector<int32_t> convert_cast(OnnxNode& node);
std::vector<int32_t> convert_cast_like(OnnxNode& node);
std::vector<int32_t> convert_constant(OnnxNode& node);
std::vector<int32_t> convert_constant_of_shape(OnnxNode& node);
std::vector<int32_t> convert_eye_like(OnnxNode& node);
std::vector<int32_t> convert_range(OnnxNode& node);
std::vector<int32_t> convert_shape(OnnxNode& node);
std::vector<int32_t> convert_size(OnnxNode& node);
std::vector<int32_t> convert_where(OnnxNode& node);

// shape_values.cc: for any node that reads a tensor of node.shapes.
std::vector<int32_t> convert_shape_values(OnnxNode& node, Conversion convert);
int32_t add_extents(OnnxNode& node, const Dims& dims, std::vector<Extent> extents,
                    mdl_dtype dtype = MDL_INT64);

// onnx_activation.cc
std::vector<int32_t> convert_hardmax(OnnxNode& node);
std::vector<int32_t> convert_mish(OnnxNode& node);
std::vector<int32_t> convert_selu(OnnxNode& node);
std::vector<int32_t> convert_shrink(OnnxNode& node);
std::vector<int32_t> convert_swish(OnnxNode& node);  // SwiGLU too
std::vector<int32_t> convert_thresholded_relu(OnnxNode& node);

// onnx_math.cc
std::vector<int32_t> convert_unary(OnnxNode& node);  // with the attributes that the operator has
std::vector<int32_t> convert_binary(OnnxNode& node);
std::vector<int32_t> convert_variadic(OnnxNode& node);  // Sum, Mean, Max, Min
std::vector<int32_t> convert_clip(OnnxNode& node);
std::vector<int32_t> convert_gemm(OnnxNode& node);
std::vector<int32_t> convert_matmul(OnnxNode& node);
std::vector<int32_t> convert_prelu(OnnxNode& node);
std::vector<int32_t> convert_softmax(OnnxNode& node);

// onnx_integer.cc
std::vector<int32_t> convert_conv_integer(OnnxNode& node);
std::vector<int32_t> convert_dynamic_quantize(OnnxNode& node);
std::vector<int32_t> convert_matmul_integer(OnnxNode& node);
// QuantizeLinear and DequantizeLinear whose scale or zero point is not constant.
int32_t quantized_at_run_time(OnnxNode& node, int32_t x, mdl_dtype to, int64_t axis);
int32_t dequantized_at_run_time(OnnxNode& node, int64_t axis);
// Integers of input i, with zero point z, as the source has them.
int32_t plain_integers(OnnxNode& node, size_t i, size_t z);
// Input i in the shape that broadcasts along `axis`, when it has one dimension.
int32_t along(OnnxNode& node, size_t i, int64_t axis, int64_t rank);

// onnx_einsum.cc
std::vector<int32_t> convert_einsum(OnnxNode& node);

// onnx_reduce.cc
std::vector<int32_t> convert_arg(OnnxNode& node);
std::vector<int32_t> convert_cumulate(OnnxNode& node);
std::vector<int32_t> convert_reduce(OnnxNode& node);
std::vector<int32_t> convert_trilu(OnnxNode& node);

// onnx_recurrent.cc
std::vector<int32_t> convert_recurrent(OnnxNode& node);

// onnx_control.cc
std::vector<int32_t> convert_if(OnnxNode& node);
std::vector<int32_t> convert_loop(OnnxNode& node);
std::vector<int32_t> convert_scan(OnnxNode& node);

// onnx_selection.cc: what picks elements by their values.
std::vector<int32_t> convert_compress(OnnxNode& node);
std::vector<int32_t> convert_non_max_suppression(OnnxNode& node);
std::vector<int32_t> convert_non_zero(OnnxNode& node);
std::vector<int32_t> convert_top_k(OnnxNode& node);
std::vector<int32_t> convert_unique(OnnxNode& node);

// onnx_quantize.cc
std::vector<int32_t> convert_quantize(OnnxNode& node);
std::vector<int32_t> convert_dequantize(OnnxNode& node);
std::vector<int32_t> convert_qlinear_conv(OnnxNode& node);
std::vector<int32_t> convert_qlinear_matmul(OnnxNode& node);
// A float32 tensor that uint8 or int8 `q` with `quantization` stands for.
int32_t dequantized(OnnxNode& node, int32_t q, const Quantization& quantization);
// Values of tensor inputs scale and zero point as a Quantization.
Quantization quantization_from(OnnxNode& node, size_t scale, size_t zero_point, int64_t axis,
                               int32_t of);

// Shared by themes: layouts; a norm along axes; the convolution itself, of operands in ONNX's
// layout.
int32_t channels_last(Builder& build, int32_t x);
int32_t channels_first(Builder& build, int32_t x);
int32_t lp_norm(Builder& build, int32_t x, const Dims& axes, int64_t p);
// Shared by themes: a constant scalar of the tensor's dtype.
int32_t number_like(OnnxNode& node, int32_t tensor, double value);
// float16 and bfloat16 as float32, for operators that compute in that, and back to `dtype`.
bool is_half(mdl_dtype dtype);
int32_t widened(Builder& build, int32_t x);
int32_t narrowed(Builder& build, int32_t y, mdl_dtype dtype);
// What `convert` makes of input 0 and the axis of operators that are like Softmax.
int32_t over_axis(OnnxNode& node, const std::function<int32_t(int32_t, int64_t)>& convert);
// The convolution itself, of operands in ONNX's layout.
int32_t build_conv(OnnxNode& node, int32_t x, int32_t w, int32_t bias);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_OPS_H_
