// SPDX-License-Identifier: Apache-2.0
// Conv, ConvTranspose and pools. A window's geometry is spelled out: pads are explicit, begins
// before ends, whatever auto_pad said.
#include <tuple>

#include "tools/import/dimensions.h"
#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

struct Window {
  Dims kernel, strides, dilations, pads;
};

Dims spatial_or(const OnnxNode& node, const char* name, size_t count, int64_t otherwise) {
  Dims values = node.ints(name);
  if (values.empty()) values.assign(count, otherwise);
  if (values.size() != count) {
    refuse(std::to_string(values.size()) + " values, should be " + std::to_string(count), "", name);
  }
  return values;
}

Window window_of(const OnnxNode& node, Dims kernel) {
  const size_t rank = kernel.size();
  Window w;
  w.kernel = std::move(kernel);
  w.strides = spatial_or(node, "strides", rank, 1);
  w.dilations = spatial_or(node, "dilations", rank, 1);
  w.pads = spatial_or(node, "pads", 2 * rank, 0);
  // What is computed of them stays far from the end of int64.
  for (const auto& [values, least, most] :
       {std::tuple(&w.kernel, 1, 1 << 30), std::tuple(&w.strides, 1, 1 << 16),
        std::tuple(&w.dilations, 1, 1 << 16), std::tuple(&w.pads, -(1 << 30), 1 << 30)}) {
    for (const int64_t v : *values) {
      if (v >= least && v <= most) continue;
      refuse("a window's kernel, stride, dilation or pad is " + std::to_string(v) +
             ", should be from " + std::to_string(least) + " to " + std::to_string(most));
    }
  }
  return w;
}

// Splits what padding a dimension needs; the odd one goes to the end for SAME_UPPER.
void set_same_pad(Window& w, size_t d, int64_t total, bool upper) {
  total = std::max<int64_t>(total, 0);
  const int64_t small = total / 2;
  w.pads[d] = upper ? small : total - small;
  w.pads[d + w.kernel.size()] = total - w.pads[d];
}

void require_kernel_rank(const OnnxNode& node, int32_t x, const Window& w) {
  if (node.build.dims(x).size() == w.kernel.size() + 2) return;
  refuse("the kernel has " + std::to_string(w.kernel.size()) + " dimensions, the input has rank " +
         std::to_string(node.build.rank(x)));
}

void resolve_auto_pad(const OnnxNode& node, int32_t x, Window& w) {
  const std::string mode = node.string_or("auto_pad", "NOTSET");
  if (mode == "NOTSET") return;
  w.pads.assign(w.pads.size(), 0);
  if (mode == "VALID") return;
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    refuse("is '" + mode + "', should be NOTSET, VALID, SAME_UPPER or SAME_LOWER", "", "auto_pad");
  }
  require_kernel_rank(node, x, w);
  for (size_t d = 0; d < w.kernel.size(); ++d) {
    const int64_t in = node.build.dims(x)[d + 2];
    const int64_t out = (in + w.strides[d] - 1) / w.strides[d];
    const int64_t reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
    if (w.strides[d] > 1) require_static(node.build, x, d + 2, "auto_pad");
    set_same_pad(w, d, (out - 1) * w.strides[d] + reach - in, mode == "SAME_UPPER");
  }
}

// The kernel's extents, of its weights; kernel_shape may only repeat them.
Dims kernel_of(const OnnxNode& node, int32_t weights) {
  const Dims& dims = node.build.dims(weights);
  if (dims.size() < 3) {
    refuse("weights have rank " + std::to_string(dims.size()) + ", should be 3 to 5");
  }
  const Dims kernel(dims.begin() + 2, dims.end());
  if (node.attribute("kernel_shape") != nullptr && node.ints("kernel_shape") != kernel) {
    refuse("contradicts the weights' shape", "", "kernel_shape");
  }
  return kernel;
}

void require_image(const OnnxNode& node, int32_t x) {
  if (node.build.rank(x) < 3 || node.build.rank(x) > 5) {
    refuse("input has rank " + std::to_string(node.build.rank(x)) + ", should be 3 to 5");
  }
}

// The int8 constant that a tensor is the DequantizeLinear of; -1: none.
int32_t dequantized_constant(Builder& build, int32_t real) {
  for (const Node& node : build.graph().nodes) {
    if (node.op != "DequantizeLinear" || node.outputs[0] != real) continue;
    const Tensor& q = build.tensor(node.inputs[0]);
    return q.data && q.dtype == MDL_INT8 ? node.inputs[0] : -1;
  }
  return -1;
}

// w[C, M/g, K..] of ONNX -> [M, K.., C/g].
int32_t transposed_weights(Builder& build, int32_t w, int64_t group) {
  const Dims dims = build.dims(w);
  const auto rank = static_cast<int64_t>(dims.size());
  if (group < 1 || dims[0] % group != 0) {
    throw BuildError("group is " + std::to_string(group) + ", should divide the " +
                     std::to_string(dims[0]) + " channels");
  }
  if (group == 1) {
    Dims perm = {1};
    for (int64_t d = 2; d < rank; ++d) perm.push_back(d);
    perm.push_back(0);
    return build.transpose(w, perm);
  }
  Dims split = {group, dims[0] / group}, perm = {0, 2}, joined = {dims[1] * group};
  split.insert(split.end(), dims.begin() + 1, dims.end());
  for (int64_t d = 3; d <= rank; ++d) perm.push_back(d);
  perm.push_back(1);
  joined.insert(joined.end(), dims.begin() + 2, dims.end());
  joined.push_back(dims[0] / group);
  const auto moved = [&](int32_t t) {
    return build.reshape(build.transpose(build.reshape(t, split), perm), joined);
  };
  const int32_t q = dequantized_constant(build, w);
  if (q < 0 || (build.tensor(q).quantization->scales.size() > 1 &&
                build.tensor(q).quantization->axis != 1)) {
    return moved(w);
  }
  // Integers stay so, each output channel with its scale: those of one group hold for all.
  Tensor plain = build.tensor(q);
  Quantization all = *plain.quantization;
  const std::vector<float> scales = all.scales;
  const std::vector<int32_t> zero_points = all.zero_points;
  for (int64_t g = 1; scales.size() > 1 && g < group; ++g) {
    all.scales.insert(all.scales.end(), scales.begin(), scales.end());
    all.zero_points.insert(all.zero_points.end(), zero_points.begin(), zero_points.end());
  }
  all.axis = 0;
  plain.quantization.reset();
  const int32_t by_row = moved(build.add_tensor(std::move(plain)));
  build.graph().tensors[static_cast<size_t>(by_row)].quantization = std::move(all);
  const std::string name = build.name();  // the node's own
  build.set_name(name + ".weights");
  const int32_t real = build.add("DequantizeLinear", {by_row});
  build.set_name(name);
  return real;
}

// Beyond p = 1 and 2 by sums of powers.
int32_t lp_pool(OnnxNode& node, Attributes attributes) {
  Builder& build = node.build;
  const int32_t x = channels_last(build, node.input(0));
  const int64_t p = node.int_or("p", 2);
  attributes["p"] = p == 2 ? p : 1;
  if (p == 1 || p == 2) return build.add("LpPool", {x}, std::move(attributes));
  const auto power = static_cast<float>(p);
  const int32_t powers = build.add("Pow", {build.add("Abs", {x}), build.scalar(power)});
  const int32_t sums = build.add("LpPool", {powers}, std::move(attributes));
  return build.add("Pow", {sums, build.scalar(1 / power)});
}

// ConvTranspose states its padding, or the extent that it shall have.
Dims resolve_transposed_pads(const OnnxNode& node, int32_t x, const Dims& output_padding,
                             Window& w) {
  const std::string mode = node.string_or("auto_pad", "NOTSET");
  Dims shape = node.ints("output_shape");
  const size_t rank = w.kernel.size();
  if (mode == "VALID") w.pads.assign(2 * rank, 0);
  if (shape.size() == rank + 2) shape.erase(shape.begin(), shape.begin() + 2);
  if (shape.empty() && (mode == "NOTSET" || mode == "VALID")) return output_padding;
  require_kernel_rank(node, x, w);
  if (!shape.empty() && shape.size() != rank) {
    refuse("has " + std::to_string(shape.size()) + " entries, should have " + std::to_string(rank),
           "", "output_shape");
  }
  Dims extra = output_padding;
  for (size_t d = 0; d < rank; ++d) {
    const int64_t in = node.build.dims(x)[d + 2];
    if (!shape.empty()) require_static(node.build, x, d + 2, "output_shape");
    const int64_t full = w.strides[d] * (in - 1) + (w.kernel[d] - 1) * w.dilations[d] + 1;
    const int64_t out = shape.empty() ? in * w.strides[d] : shape[d];
    const int64_t total = full + extra[d] - out;
    if (total < 0) extra[d] -= total;
    set_same_pad(w, d, total, mode == "SAME_UPPER");
  }
  return extra;
}

}  // namespace

int32_t build_conv(OnnxNode& node, int32_t x, int32_t w, int32_t bias) {
  Builder& build = node.build;
  require_image(node, x);
  Window window = window_of(node, kernel_of(node, w));
  resolve_auto_pad(node, x, window);
  const mdl_dtype dtype = build.tensor(x).dtype;
  std::vector<int32_t> inputs = {channels_last(build, widened(build, x)),
                                 channels_last(build, widened(build, w))};
  if (bias >= 0) inputs.push_back(widened(build, bias));
  const int32_t y = build.add("Conv", inputs,
                              {{"strides", window.strides},
                               {"dilations", window.dilations},
                               {"pads", window.pads},
                               {"group", node.int_or("group", 1)}});
  return narrowed(build, channels_first(build, y), dtype);
}

std::vector<int32_t> convert_conv(OnnxNode& node) {
  return {build_conv(node, node.input(0), node.input(1), node.input(2))};
}

std::vector<int32_t> convert_conv_transpose(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  require_image(node, x);
  const int64_t group = node.int_or("group", 1);
  Window window = window_of(node, kernel_of(node, node.input(1)));
  Dims extra = spatial_or(node, "output_padding", window.kernel.size(), 0);
  extra = resolve_transposed_pads(node, x, extra, window);
  std::vector<int32_t> inputs = {channels_last(build, x),
                                 transposed_weights(build, node.input(1), group)};
  if (node.input(2) >= 0) inputs.push_back(node.input(2));
  const int32_t y = build.add("ConvTranspose", inputs,
                              {{"strides", window.strides},
                               {"dilations", window.dilations},
                               {"pads", window.pads},
                               {"output_padding", extra},
                               {"group", group}});
  return {channels_first(build, y)};
}

std::vector<int32_t> convert_deform_conv(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  require_image(node, x);
  const Window window = window_of(node, kernel_of(node, node.input(1)));
  std::vector<int32_t> inputs = {channels_last(build, x), channels_last(build, node.input(1)),
                                 channels_last(build, node.input(2)), node.input(3)};
  if (node.input(4) >= 0) inputs.push_back(channels_last(build, node.input(4)));
  const int32_t y = build.add("DeformConv", inputs,
                              {{"strides", window.strides},
                               {"dilations", window.dilations},
                               {"pads", window.pads},
                               {"group", node.int_or("group", 1)},
                               {"offset_group", node.int_or("offset_group", 1)}});
  return {channels_first(build, y)};
}

// A depthwise convolution over what came before and the signal; its end comes before the next.
std::vector<int32_t> convert_causal_conv(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0), w = node.input(1);
  const std::string activation = node.string_or("activation", "none");
  if (build.rank(x) != 3 || build.rank(w) != 3) refuse("signal and weights should have rank 3");
  if (activation != "none" && activation != "silu" && activation != "swish") {
    refuse("is '" + activation + "', should be none, silu or swish", "", "activation");
  }
  const int64_t past = build.dims(w)[2] - 1;
  const int32_t whole = node.input(3) >= 0
                            ? build.add_like("Concat", {node.input(3), x}, {{"axis", int64_t{2}}})
                            : build.add_like("Pad", {x}, {{"pads", Dims{0, 0, past, 0, 0, 0}}});
  std::vector<int32_t> inputs = {channels_last(build, widened(build, whole)),
                                 channels_last(build, widened(build, w))};
  if (node.input(2) >= 0) inputs.push_back(widened(build, node.input(2)));
  int32_t y = build.add("Conv", inputs, {{"group", build.dims(x)[1]}});
  if (activation != "none") y = build.add("Mul", {y, build.add("Sigmoid", {y})});
  const Attributes end = {{"starts", Dims{past > 0 ? -past : INT64_MAX}},
                          {"ends", Dims{INT64_MAX}},
                          {"axes", Dims{2}},
                          {"steps", Dims{1}}};
  return {narrowed(build, channels_first(build, y), build.tensor(x).dtype),
          build.add_like("Slice", {whole}, end)};
}

// Columns back to pictures: a transposed convolution by which tap t of a block takes column t.
std::vector<int32_t> convert_col2im(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const Dims image = node.constant_ints(1, "image_shape");
  const Window window = window_of(node, node.constant_ints(2, "block_shape"));
  const size_t spatial = window.kernel.size();
  if (build.rank(x) != 3 || image.size() != spatial) {
    refuse("input should be [N, C * block, L], image_shape and block_shape have one length");
  }
  require_size(MDL_FLOAT32, image);
  const auto block = static_cast<int64_t>(require_small(window.kernel));
  const int64_t channels = build.dims(x)[1] / std::max<int64_t>(block, 1);
  Dims columns = {0, build.dims(x)[1]}, extra, weights = {channels};
  for (size_t d = 0; d < spatial; ++d) {
    const int64_t reach = (window.kernel[d] - 1) * window.dilations[d] + 1;
    const int64_t room = image[d] + window.pads[d] + window.pads[d + spatial] - reach;
    columns.push_back(room / window.strides[d] + 1);
    extra.push_back(room % window.strides[d]);
    weights.push_back(window.kernel[d]);
  }
  weights.push_back(block);
  std::vector<float> taps(require_small({channels, block, block}), 0.0f);
  for (int64_t i = 0; i < channels * block; ++i) {
    taps[static_cast<size_t>(i * block + i % block)] = 1;
  }
  const int32_t pixels = build.add("Reshape", {x}, {{"shape", columns}, {"allowzero", int64_t{0}}});
  const int32_t y = build.add(
      "ConvTranspose", {channels_last(build, pixels), build.constant(MDL_FLOAT32, weights, taps)},
      {{"strides", window.strides},
       {"dilations", window.dilations},
       {"pads", window.pads},
       {"output_padding", extra},
       {"group", channels}});
  return {channels_first(build, y)};
}

std::vector<int32_t> convert_pool(OnnxNode& node) {
  Builder& build = node.build;
  int32_t x = node.input(0);
  require_image(node, x);
  Window window = window_of(node, node.ints("kernel_shape"));
  resolve_auto_pad(node, x, window);
  Attributes attributes = {{"kernel_shape", window.kernel},
                           {"strides", window.strides},
                           {"dilations", window.dilations},
                           {"pads", window.pads},
                           {"ceil_mode", node.int_or("ceil_mode", 0)}};
  if (node.op() == "AveragePool") {
    attributes["count_include_pad"] = node.int_or("count_include_pad", 0);
  }
  if (node.op() == "LpPool") return {channels_first(build, lp_pool(node, std::move(attributes)))};
  x = channels_last(build, x);
  if (node.has_output(1)) {
    attributes["storage_order"] = node.int_or("storage_order", 0);
    const std::vector<int32_t> y =
        build.add_many("MaxPool", {x}, std::move(attributes), {node.has_output(0), true});
    return {y[0] < 0 ? -1 : channels_first(build, y[0]), channels_first(build, y[1])};
  }
  return {channels_first(build, build.add_like(node.op(), {x}, std::move(attributes)))};
}

// The indices count in the extents that pooling came from; an output_shape beyond them is padding.
std::vector<int32_t> convert_max_unpool(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  require_image(node, x);
  const Dims dims = build.dims(x);
  const auto& symbols = build.tensor(x).symbols;
  for (size_t d = 2; d < symbols.size(); ++d) {
    if (!symbols[d].empty()) node.require_static(x, "an image that is unpooled");
  }
  const Window window = window_of(node, node.ints("kernel_shape"));
  Dims spatial;
  for (size_t d = 0; d < window.kernel.size(); ++d) {
    spatial.push_back((dims.at(d + 2) - 1) * window.strides[d] + window.kernel[d] - window.pads[d] -
                      window.pads[d + window.kernel.size()]);
  }
  const int32_t y = channels_first(
      build,
      build.add_like("MaxUnpool", {channels_last(build, x), channels_last(build, node.input(1))},
                     {{"spatial", spatial}}));
  if (node.input(2) < 0) return {y};
  const Dims shape = node.constant_ints(2, "output_shape");
  if (shape.size() != dims.size()) {
    refuse("output_shape has " + std::to_string(shape.size()) + " entries, should have " +
           std::to_string(dims.size()));
  }
  Dims pads(2 * shape.size(), 0);
  for (size_t d = 0; d < shape.size(); ++d) {
    pads[shape.size() + d] = shape[d] - build.dims(y)[d];
  }
  return {build.add_like("Pad", {y}, {{"pads", pads}})};
}

}  // namespace medulla::tools
