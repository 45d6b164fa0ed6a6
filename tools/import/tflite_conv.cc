// SPDX-License-Identifier: Apache-2.0
// Convolutions, pools and products. A window's geometry is spelled out: pads are explicit, begins
// before ends.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

// Height and width.
struct Window {
  Dims kernel, strides, dilations = {1, 1}, pads = {0, 0, 0, 0};
};

void check_window(const Window& w) {
  for (const Dims* values : {&w.kernel, &w.strides, &w.dilations}) {
    for (const int64_t v : *values) {
      if (v < 1) refuse("a window, stride or dilation is " + std::to_string(v));
    }
  }
}

void require_rank(const TfliteNode& node, int32_t t, int64_t rank, const char* what) {
  if (node.build.rank(t) != rank) {
    refuse(std::string(what) + " has rank " + std::to_string(node.build.rank(t)) + ", should be " +
           std::to_string(rank));
  }
}

// SAME gives ceil(in / stride) outputs; what is odd of its padding goes to the end.
void pad(const TfliteNode& node, int32_t x, tflite::Padding padding, Window& w) {
  require_rank(node, x, 4, "the input");
  check_window(w);
  if (padding != tflite::Padding::SAME) return;
  for (size_t d = 0; d < 2; ++d) {
    const int64_t in = node.build.dims(x)[d + 1];
    const int64_t reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
    int64_t total = reach - 1;
    if (w.strides[d] > 1) {
      require_static(node.build, x, d + 1, "SAME padding");
      const int64_t out = (in + w.strides[d] - 1) / w.strides[d];
      total = std::max<int64_t>((out - 1) * w.strides[d] + reach - in, 0);
    }
    w.pads[d] = total / 2;
    w.pads[d + 2] = total - total / 2;
  }
}

// The bias as real numbers. Its scale is that of the products, which some files leave out.
int32_t bias_of(const TfliteNode& node, size_t i) {
  if (!node.has(i)) return -1;
  const int32_t b = node.stored(i);
  Tensor bias = node.build.tensor(b);
  const Tensor& x = node.build.tensor(node.stored(0));
  const Tensor& w = node.build.tensor(node.stored(1));
  if (bias.dtype != MDL_INT32 || bias.quantization || !x.quantization || !w.quantization) {
    return node.value(i);
  }
  Quantization q;
  for (const float s : w.quantization->scales) q.scales.push_back(s * x.quantization->scales[0]);
  q.zero_points.assign(q.scales.size(), 0);
  bias.quantization = q;
  return node.build.add("DequantizeLinear", {node.build.add_tensor(std::move(bias))});
}

// Counts what is computed in float32 because only the weights are integers.
void note_weights(const TfliteNode& node, size_t i) {
  node.scope.float_layers_of_integer_weights += node.quantized(i) && !node.quantized(0);
}

// Weights as the real numbers that `stored`, made of their integers, means.
int32_t real(const TfliteNode& node, int32_t stored) {
  return node.build.tensor(stored).quantization ? node.build.add("DequantizeLinear", {stored})
                                                : stored;
}

// The weights before they are moved: float16 as float32, quantized ones as integers.
int32_t movable(const TfliteNode& node, size_t i) {
  return node.quantized(i) ? node.stored(i) : node.value(i);
}

void finish_conv(TfliteNode& node, int32_t w, const Window& window, int64_t group,
                 tflite::Activation activation) {
  note_weights(node, 1);
  std::vector<int32_t> inputs = {node.value(0), w};
  if (const int32_t bias = bias_of(node, 2); bias >= 0) inputs.push_back(bias);
  const int32_t y = node.build.add("Conv", std::move(inputs),
                                   {{"strides", window.strides},
                                    {"dilations", window.dilations},
                                    {"pads", window.pads},
                                    {"group", group}});
  node.set(0, node.activated(y, activation));
}

}  // namespace

void convert_conv(TfliteNode& node) {
  const auto& options = node.options<tflite::Conv2DOptions>();
  const int32_t w = node.value(1);
  require_rank(node, w, 4, "the filter");
  const Dims dims = node.build.dims(w);
  Window window{{dims[1], dims[2]},
                {options.stride_h(), options.stride_w()},
                {options.dilation_h(), options.dilation_w()}};
  pad(node, node.stored(0), options.padding(), window);
  const int64_t channels = node.build.dims(node.stored(0))[3];
  if (dims[3] < 1 || channels % dims[3] != 0) {
    refuse("the filter takes " + std::to_string(dims[3]) + " of " + std::to_string(channels) +
           " channels");
  }
  finish_conv(node, w, window, channels / dims[3], options.activation());
}

// The filter [1, H, W, C * multiplier] is that of C groups.
void convert_depthwise_conv(TfliteNode& node) {
  const auto& options = node.options<tflite::DepthwiseConv2DOptions>();
  const int32_t w = movable(node, 1);
  require_rank(node, w, 4, "the filter");
  const Dims dims = node.build.dims(w);
  Window window{{dims[1], dims[2]},
                {options.stride_h(), options.stride_w()},
                {options.dilation_h(), options.dilation_w()}};
  pad(node, node.stored(0), options.padding(), window);
  const int64_t channels = node.build.dims(node.stored(0))[3];
  if (dims[0] != 1 || channels < 1 || dims[3] % channels != 0) {
    refuse("the filter has " + std::to_string(dims[0]) + " x " + std::to_string(dims[3]) +
           " channels, should have 1 and a multiple of " + std::to_string(channels));
  }
  const int32_t turned = node.build.transpose(w, {3, 1, 2, 0});
  finish_conv(node, real(node, turned), window, channels, options.activation());
}

// The output's extent is given; pads and what ConvTranspose adds at the end follow.
void convert_transpose_conv(TfliteNode& node) {
  const auto& options = node.options<tflite::TransposeConvOptions>();
  const Dims shape = node.constant_ints(0, "the output's shape");
  const int32_t w = node.value(1), x = node.value(2);
  require_rank(node, w, 4, "the filter");
  require_rank(node, x, 4, "the input");
  Window window{{node.build.dims(w)[1], node.build.dims(w)[2]},
                {options.stride_h(), options.stride_w()}};
  check_window(window);
  if (shape.size() != 4) refuse("the output's shape has rank " + std::to_string(shape.size()));
  Dims extra = {0, 0};
  for (size_t d = 0; d < 2; ++d) {
    require_static(node.build, x, d + 1, "TRANSPOSE_CONV");
    const int64_t full = (node.build.dims(x)[d + 1] - 1) * window.strides[d] + window.kernel[d];
    const int64_t total = std::max<int64_t>(full - shape[d + 1], 0);
    window.pads[d] = total / 2;
    window.pads[d + 2] = total - total / 2;
    extra[d] = std::max<int64_t>(shape[d + 1] - full, 0);
  }
  note_weights(node, 1);
  std::vector<int32_t> inputs = {x, w};
  if (node.has(3)) inputs.push_back(node.value(3));
  const int32_t y = node.build.add("ConvTranspose", std::move(inputs),
                                   {{"strides", window.strides},
                                    {"dilations", window.dilations},
                                    {"pads", window.pads},
                                    {"output_padding", extra},
                                    {"group", int64_t{1}}});
  node.set(0, node.activated(y, options.activation()));
}

// L2_POOL_2D is the root of the mean of squares.
void convert_pool(TfliteNode& node) {
  const auto& options = node.options<tflite::Pool2DOptions>();
  using Op = tflite::BuiltinOperator;
  Window window{{options.filter_h(), options.filter_w()}, {options.stride_h(), options.stride_w()}};
  pad(node, node.stored(0), options.padding(), window);
  Attributes attributes = {{"kernel_shape", window.kernel},
                           {"strides", window.strides},
                           {"dilations", window.dilations},
                           {"pads", window.pads},
                           {"ceil_mode", int64_t{0}}};
  Builder& build = node.build;
  if (node.op == Op::MAX_POOL_2D) {
    const bool plain = options.activation() == tflite::Activation::NONE &&
                       build.tensor(node.stored(0)).dtype == MDL_INT8;
    const int32_t x = plain ? node.moved(0) : node.value(0);
    const int32_t y = build.add_like("MaxPool", {x}, std::move(attributes));
    return node.set(0, node.activated(y, options.activation()));
  }
  attributes["count_include_pad"] = int64_t{0};
  int32_t x = node.value(0);
  if (node.op == Op::L2_POOL_2D) x = build.add("Mul", {x, x});
  int32_t y = build.add("AveragePool", {x}, std::move(attributes));
  if (node.op == Op::L2_POOL_2D) y = build.add("Sqrt", {y});
  node.set(0, node.activated(y, options.activation()));
}

// Everything in front of the last dimension of the weights is the batch.
void convert_fully_connected(TfliteNode& node) {
  const auto& options = node.options<tflite::FullyConnectedOptions>();
  if (options.weights_format() != tflite::WeightsFormat::DEFAULT) {
    refuse("shuffled weights are not taken", "export with the default format of weights");
  }
  Builder& build = node.build;
  const int32_t w = node.value(1);
  require_rank(node, w, 2, "the matrix of weights");
  const int64_t units = build.dims(w)[0], depth = build.dims(w)[1];
  int32_t x = node.value(0);
  const Dims dims = build.dims(x);
  const auto symbols = symbols_of(build.tensor(x));
  if (dims.empty() || depth < 1) refuse("a product of nothing");
  if (dims.size() != 2 || dims[1] != depth) {
    const auto count = static_cast<int64_t>(build.tensor(x).elements());
    if (count % depth != 0) {
      refuse("the input has " + std::to_string(count) + " elements, should be a multiple of " +
             std::to_string(depth));
    }
    x = reshape_open(build, x, {count / depth, depth}, {first_open(symbols, 0, dims.size()), ""});
  }
  note_weights(node, 1);
  std::vector<int32_t> inputs = {x, w};
  if (const int32_t bias = bias_of(node, 2); bias >= 0) inputs.push_back(bias);
  const int32_t y = node.activated(build.add("Gemm", std::move(inputs), {{"transB", int64_t{1}}}),
                                   options.activation());
  if (!options.keep_num_dims() || dims.size() == 2) return node.set(0, y);
  Dims kept = dims;
  kept.back() = units;
  node.set(0, reshape_open(build, node.quantize(0, y), kept, symbols));
}

void convert_batch_matmul(TfliteNode& node) {
  const auto& options = node.options<tflite::BatchMatMulOptions>();
  const auto operand = [&](size_t i, bool adjoint) {
    const int32_t t = movable(node, i);
    const int64_t rank = node.build.rank(t);
    if (rank < 2) refuse("input " + std::to_string(i) + " is no matrix");
    Dims perm;
    for (int64_t d = 0; d < rank; ++d) perm.push_back(d);
    if (adjoint) std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    return adjoint ? real(node, node.build.transpose(t, perm)) : node.value(i);
  };
  note_weights(node, 1);
  node.set(0, node.build.add("MatMul", {operand(0, options.adj_x()), operand(1, options.adj_y())}));
}

}  // namespace medulla::tools
