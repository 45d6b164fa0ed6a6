// SPDX-License-Identifier: Apache-2.0
// Layers with constant weights, and products of two activations.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/ops/window.h"
#include "tools/passes/frame.h"
#include "tools/passes/integer_former.h"

namespace medulla::tools {
namespace {

// One dimension of a transposed convolution by output phases. Output count * j + phase is tap
// `tap(phase, k)` of input j + k - pad_begin.
struct PhaseAxis {
  WindowAxis from;
  int64_t count;  // of phases: the stride
  int64_t out;    // outputs of a phase, at least
  int64_t kernel;
  int64_t pad_begin, pad_end;

  // -1: none.
  int64_t tap(int64_t phase, int64_t k) const {
    const int64_t reach = phase + from.begin - (k - pad_begin) * from.stride;
    const int64_t t = reach / from.dilation;
    return reach % from.dilation == 0 && t >= 0 && t < from.kernel ? t : -1;
  }
};

std::optional<std::array<PhaseAxis, 3>> phases_of(const Window& window) {
  std::array<PhaseAxis, 3> phases;
  for (size_t d = 0; d < 3; ++d) {
    const WindowAxis& a = window.axis[d];
    int64_t first = 0, last = 0;  // inputs that are reached, relative to j
    for (int64_t phase = 0; phase < a.stride; ++phase) {
      for (int64_t t = 0; t < a.kernel; ++t) {
        const int64_t at = phase + a.begin - t * a.dilation;
        if (at % a.stride != 0) continue;
        first = std::min(first, at / a.stride);
        last = std::max(last, at / a.stride);
      }
    }
    const int64_t out = (a.out + a.stride - 1) / a.stride;
    phases[d] = {a, a.stride, out, last - first + 1, -first, out - a.in + last};
    if (phases[d].pad_end < 0) return {};
  }
  return phases;
}

// Weights whose rows are those of another tensor, and which of them each is.
struct Phased {
  Tensor weights;
  std::vector<size_t> rows;
};

// [groups * O, kernel..., C] to [groups * phases * O, kernel..., C], per row.
Phased phased_weights(const Tensor& w, const std::array<PhaseAxis, 3>& phases, int64_t groups) {
  const auto& [a, b, c] = phases;
  const auto values = values_of<int8_t>(w);
  const auto length = static_cast<size_t>(w.dims.back());
  const auto group_rows = static_cast<size_t>(w.dims[0] / groups);
  const auto taps = static_cast<size_t>(a.from.kernel * b.from.kernel * c.from.kernel);
  const int64_t count = a.count * b.count * c.count;
  std::vector<int8_t> phased;
  Phased result{w, {}};
  Tensor& made = result.weights;
  made.quantization->scales.clear();
  made.quantization->zero_points.clear();
  for (int64_t part = 0; part < groups * count; ++part) {
    const int64_t phase = part % count;
    const size_t first_row = static_cast<size_t>(part / count) * group_rows;
    for (size_t row = first_row; row < first_row + group_rows; ++row) {
      result.rows.push_back(row);
      made.quantization->scales.push_back(w.quantization->scales[row]);
      made.quantization->zero_points.push_back(w.quantization->zero_points[row]);
      const auto none = static_cast<int8_t>(w.quantization->zero_points[row]);
      for (int64_t k = 0; k < a.kernel * b.kernel * c.kernel; ++k) {
        const int64_t i = a.tap(phase / c.count / b.count, k / c.kernel / b.kernel);
        const int64_t j = b.tap(phase / c.count % b.count, k / c.kernel % b.kernel);
        const int64_t l = c.tap(phase % c.count, k % c.kernel);
        if (i < 0 || j < 0 || l < 0) {
          phased.insert(phased.end(), length, none);
          continue;
        }
        const auto tap = static_cast<size_t>((i * b.from.kernel + j) * c.from.kernel + l);
        const auto* from = values.data() + (row * taps + tap) * length;
        phased.insert(phased.end(), from, from + length);
      }
    }
  }
  made.dims[0] *= count;
  for (size_t d = 1; d + 1 < made.dims.size(); ++d) {
    made.dims[d] = phases[d + 4 - made.dims.size()].kernel;
  }
  const auto* first = reinterpret_cast<const std::byte*>(phased.data());
  made.data = std::make_shared<const Bytes>(first, first + phased.size());
  return result;
}

// Rounded once; nothing where it is not finite.
std::optional<float> normal_or_zero(double value) {
  const auto rounded = static_cast<float>(value);
  if (!std::isfinite(rounded)) return {};
  return std::isnormal(rounded) ? rounded : 0.0f;
}

// The real numbers of a constant, float32 or integers with one scale; nothing when it is none.
std::optional<std::vector<float>> reals_of(const Tensor& tensor) {
  if (!tensor.data) return {};
  std::vector<float> real;
  const auto dequantize = [&](const auto& integers) {
    if (!tensor.quantization || tensor.quantization->scales.size() != 1) return;
    for (const int64_t q : integers) {
      real.push_back(static_cast<float>(q - tensor.quantization->zero_points[0]) *
                     tensor.quantization->scales[0]);
    }
  };
  if (tensor.dtype == MDL_FLOAT32) real = values_of<float>(tensor);
  if (tensor.dtype == MDL_INT8) dequantize(values_of<int8_t>(tensor));
  if (tensor.dtype == MDL_INT32) dequantize(values_of<int32_t>(tensor));
  if (real.size() != tensor.elements()) return {};
  return real;
}

// The same in units of a scale; nothing when they leave float32.
std::optional<std::vector<float>> in_units(const Tensor& tensor, float scale) {
  const auto real = reals_of(tensor);
  if (!real) return {};
  std::vector<float> units;
  for (const float v : *real) {
    const double unit = static_cast<double>(v) / static_cast<double>(scale);
    if (!(std::abs(unit) < 1e38)) return {};
    units.push_back(static_cast<float>(unit));
  }
  return units;
}

}  // namespace

std::optional<int32_t> IntegerFormer::weights_by_row(int32_t w) {
  const Tensor& from = build_.tensor(w);
  if (!from.data || from.dtype != MDL_INT8) return {};
  const auto rows = static_cast<size_t>(from.dims[0]);
  Quantization q = *from.quantization;
  if (q.scales.size() > 1 && q.axis != 0) return {};
  if (q.scales.size() == rows && q.axis == 0) return w;
  q.scales.resize(rows, q.scales[0]);
  q.zero_points.resize(rows, q.zero_points[0]);
  q.axis = 0;
  Tensor copy = from;
  copy.quantization = q;
  return build_.add_tensor(std::move(copy));
}

IntegerFormer::Bias IntegerFormer::bias_of(const Node& node, int32_t x, int32_t w,
                                           const std::vector<size_t>& channels, bool to_float) {
  const int32_t old = node.inputs.size() > 2 ? node.inputs[2] : -1;
  if (old < 0) return {true, -1, {}};
  const bool wide = dtype(x) == MDL_INT16;
  const auto& scales = quantization(w).scales;
  std::vector<double> real;
  std::vector<int32_t> integers;
  const std::vector<float>* own = nullptr;
  const Node* dequantize = rewrite_.producer(old, "DequantizeLinear");
  const Tensor& source = parameter(old);
  const size_t rows = scales.size();
  const auto channel_of = [&](size_t row) { return channels.empty() ? row : channels[row]; };
  const size_t count =
      channels.empty() ? rows : *std::max_element(channels.begin(), channels.end()) + 1;
  if (!source.data || source.elements() != count) return {};
  if (dequantize != nullptr && source.dtype == MDL_INT32) {
    integers = values_of<int32_t>(source);
    own = &source.quantization->scales;
    for (size_t c = 0; c < integers.size(); ++c) {
      real.push_back(static_cast<double>(integers[c]) *
                     static_cast<double>((*own)[own->size() > 1 ? c : 0]));
    }
  } else if (source.dtype == MDL_FLOAT32) {
    for (const float v : values_of<float>(source)) real.push_back(static_cast<double>(v));
  } else {
    return {};
  }
  const Dims dims = {static_cast<int64_t>(rows)};
  if (to_float) {
    std::vector<float> floats;
    for (size_t r = 0; r < rows; ++r) floats.push_back(static_cast<float>(real[channel_of(r)]));
    return {true, build_.constant(MDL_FLOAT32, dims, floats), {}};
  }
  bool rescaled = own == nullptr;
  const double limit = std::ldexp(1.0, wide ? 53 : 31);
  std::vector<int64_t> values;
  for (size_t r = 0; r < rows; ++r) {
    const size_t c = channel_of(r);
    const double unit = static_cast<double>(scale(x)) * static_cast<double>(scales[r]);
    const double given = own ? static_cast<double>((*own)[own->size() > 1 ? c : 0]) : 0;
    if (own != nullptr && std::abs(given - unit) <= std::ldexp(unit, -22)) {
      values.push_back(integers[c]);
      continue;
    }
    const double units = std::nearbyint(real[c] / unit);
    if (!(std::abs(units) < limit)) return {};
    values.push_back(static_cast<int64_t>(units));
    rescaled = true;
  }
  if (rescaled) {
    context_.notes.push_back("node '" + node.name + "': bias rounded to " +
                             (wide ? "int64" : "int32"));
  }
  if (wide) return {true, build_.constant(MDL_INT64, dims, values), values};
  return {
      true,
      build_.constant<int32_t>(MDL_INT32, dims, std::vector<int32_t>(values.begin(), values.end())),
      values};
}

std::optional<int32_t> IntegerFormer::layer(const Node& node, const End& end, const char* op,
                                            int32_t x, int32_t w, Attributes attributes,
                                            const std::vector<size_t>& channels) {
  const bool wide = dtype(x) == MDL_INT16;
  if (wide && end.quantize == nullptr) return {};
  const Bias bias = bias_of(node, x, w, channels, end.quantize == nullptr && !end.steps);
  if (!bias.ok) return {};
  const auto rows = static_cast<size_t>(build_.dims(w)[0]);
  const Rows sums = sums_of_rows(build_.tensor(w), rows);
  const int32_t z_x = quantization(x).zero_points[0];
  const std::string overflow = overflow_of(sums, bias.values, z_x, dtype(x));
  if (!overflow.empty()) {
    context_.refusals.push_back("node '" + node.name + "' (" + op + "): " + overflow +
                                "; keep it in float32, or give its weights a larger scale");
  }
  std::vector<float> multipliers;
  std::vector<double> wide_multipliers;
  for (const float s_w : quantization(w).scales) {
    multipliers.push_back(product_multiplier(scale(x), s_w, scale_of(end)));
    if (wide) wide_multipliers.push_back(wide_multiplier(scale(x), s_w, end.y.scales[0]));
  }
  const Dims dims = {static_cast<int64_t>(rows)};
  const int32_t multiplier = wide ? build_.constant(MDL_FLOAT64, dims, wide_multipliers)
                                  : build_.constant(MDL_FLOAT32, dims, multipliers);
  attributes["sum_range"] = sum_range(sums, bias.values, z_x, dtype(x));
  return make(node, end, op, {x, w, bias.tensor, multiplier}, std::move(attributes), 2);
}

bool IntegerFormer::product(const Node& node, const End& end, const char* op, int32_t x, int32_t w,
                            Attributes attributes) {
  const auto y = layer(node, end, op, x, w, std::move(attributes));
  if (y) finish(node, end, *y);
  return y.has_value();
}

bool IntegerFormer::conv(const Node& node, const End& end) {
  const auto x = wide_activation(node.inputs[0]), w = integers(node.inputs[1]);
  const auto rows = x && w ? weights_by_row(*w) : std::nullopt;
  return rows && product(node, end, "QConv", *x, *rows, node.attributes);
}

// A transposed convolution is a convolution whose channels are those of each output phase (output
// index modulo stride) beside each other, group by group; a Transpose then puts the phases between
// each other. A tap that does not reach a phase is z_w there and adds nothing to its sums.
bool IntegerFormer::conv_transpose(const Node& node) {
  const auto x = wide_activation(node.inputs[0]), w = integers(node.inputs[1]);
  const auto rows = x && w ? weights_by_row(*w) : std::nullopt;
  if (!rows || !build_.is_static(*x)) return false;
  const NodeFrame frame(rewrite_.from, node);
  Convolution from;
  if (read_transposed_convolution(frame.view(), frame.inputs()[0].shape, frame.inputs()[1].shape,
                                  &from, nullptr) != MDL_OK) {
    return false;
  }
  const auto phases = phases_of(from.window);
  // [N, outs..., group, phases..., C / group], where one group needs no dimension.
  const auto spatial = static_cast<size_t>(build_.rank(*x)) - 2;
  const size_t grouped = from.group > 1 ? 1 : 0;
  if (!phases || 2 * spatial + 2 + grouped > MDL_MAX_RANK) return false;
  Phased phased = phased_weights(build_.tensor(*rows), *phases, from.group);
  const int32_t weights = build_.add_tensor(std::move(phased.weights));
  const size_t first = 3 - spatial;
  Dims pads, split = {build_.dims(*x)[0]}, whole = split, starts, ends, axes;
  for (size_t d = first; d < 3; ++d) {
    const PhaseAxis& a = (*phases)[d];
    pads.push_back(a.pad_begin);
    split.push_back(a.out);
    whole.push_back(a.out * a.count);
    starts.push_back(0);
    ends.push_back(from.window.axis[d].out);
    axes.push_back(static_cast<int64_t>(1 + d - first));
  }
  if (grouped != 0) split.push_back(from.group);
  for (size_t d = first; d < 3; ++d) {
    pads.push_back((*phases)[d].pad_end);
    split.push_back((*phases)[d].count);
  }
  const End end = end_of(node);
  auto y =
      layer(node, end, "QConv", *x, weights, {{"pads", pads}, {"group", from.group}}, phased.rows);
  if (!y) return false;
  split.push_back(from.group_out);
  whole.push_back(from.out_channels());
  Dims perm = {0};
  for (size_t d = first; d < 3; ++d) {
    perm.push_back(static_cast<int64_t>(1 + d - first));
    perm.push_back(static_cast<int64_t>(1 + spatial + grouped + d - first));
  }
  if (grouped != 0) perm.push_back(static_cast<int64_t>(1 + spatial));
  perm.push_back(static_cast<int64_t>(perm.size()));
  *y = build_.reshape(build_.transpose(build_.reshape(*y, split), perm), whole);
  if (ends != Dims(whole.begin() + 1, whole.end() - 1)) {
    *y = build_.add_like("Slice", {*y}, {{"starts", starts}, {"ends", ends}, {"axes", axes}});
  }
  finish(node, end, *y);
  return true;
}

// Weights [N, K] of a product whose second operand is [K, N], or [N, K] when `transposed`.
bool IntegerFormer::dense(const Node& node, const End& end, bool transposed) {
  const auto x = wide_activation(node.inputs[0]), w = integers(node.inputs[1]);
  if (!x || !w || !build_.tensor(*w).data || build_.rank(*w) != 2) return false;
  const auto rows = weights_by_row(transposed ? *w : build_.transpose(*w, {1, 0}));
  return rows && product(node, end, "QGemm", *x, *rows, {});
}

bool IntegerFormer::gemm(const Node& node, const End& end) {
  const bool plain = node.get<int64_t>("transA", 0) == 0 && node.get<double>("alpha", 1) == 1 &&
                     node.get<double>("beta", 1) == 1;
  return plain && dense(node, end, node.get<int64_t>("transB", 0) != 0);
}

const Tensor& IntegerFormer::parameter(int32_t old) const {
  const Node* dequantize = rewrite_.producer(old, "DequantizeLinear");
  return rewrite_.tensor(dequantize != nullptr ? dequantize->inputs[0] : old);
}

bool IntegerFormer::batch_normalization(const Node& node) {
  const auto x = activation(node.inputs[0]);
  const End end = end_of(node);
  if (!x || end.quantize == nullptr) return false;
  std::array<std::vector<float>, 4> constants;  // scale, bias, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    const auto real = reals_of(parameter(node.inputs[i + 1]));
    if (!real) return false;
    constants[i] = *real;
  }
  const double s_x = scale(*x), s_y = end.y.scales[0], epsilon = node.get<double>("epsilon", 1e-5);
  std::vector<float> multipliers, biases;
  for (size_t c = 0; c < constants[0].size(); ++c) {
    const auto at = [&](size_t i) { return static_cast<double>(constants[i][c]); };
    const double k = at(0) / std::sqrt(at(3) + epsilon);
    const auto m = normal_or_zero(s_x * k / s_y), b = normal_or_zero((at(1) - at(2) * k) / s_y);
    if (!m || !b) return false;
    multipliers.push_back(*m);
    biases.push_back(*b);
  }
  const Dims channels = {static_cast<int64_t>(multipliers.size())};
  emit(node, end, "QBatchNormalization",
       {*x, build_.constant(MDL_FLOAT32, channels, multipliers),
        build_.constant(MDL_FLOAT32, channels, biases)},
       {});
  return true;
}

// Scale and bias are constants, divided by the output's scale.
bool IntegerFormer::layer_normalization(const Node& node) {
  const auto x = activation(node.inputs[0]);
  if (!x || node.outputs.size() != 1) return false;
  const End end = end_of(node);
  if (end.quantize == nullptr) return false;
  std::vector<int32_t> inputs = {*x};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] < 0) continue;
    const Tensor& constant = parameter(node.inputs[i]);
    const auto units = in_units(constant, end.y.scales[0]);
    if (!units) return false;
    inputs.push_back(build_.constant(MDL_FLOAT32, constant.dims, *units));
  }
  emit(node, end, "QLayerNormalization", std::move(inputs), node.attributes);
  return true;
}

bool IntegerFormer::weighted(const Node& node, const End& end) {
  if (node.op == "Conv") return conv(node, end);
  if (node.op == "Gemm") return gemm(node, end);
  return node.op == "MatMul" && matmul(node, end);
}

bool IntegerFormer::matmul(const Node& node, const End& end) {
  if (dense(node, end, false)) return true;
  const auto a = activation(node.inputs[0]), b = activation(node.inputs[1]);
  if (!a || !b || end.steps || build_.rank(*a) < 2 || build_.rank(*b) < 2) return false;
  const float m = product_multiplier(scale(*a), scale(*b), scale_of(end));
  emit(node, end, "QMatMul", {*a, *b}, {{"multiplier", static_cast<double>(m)}});
  return true;
}

}  // namespace medulla::tools
