// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/weights.h"

#include <algorithm>
#include <cmath>

#include "tools/passes/integer.h"

namespace medulla::tools {
namespace {

constexpr double kMost = 127;

const Tensor& constant_of(const Graph& graph, const Node& node, size_t i) {
  return graph.tensors[static_cast<size_t>(node.inputs[i])];
}

}  // namespace

WeightLayout::WeightLayout(const Graph& graph, const Node& layer) {
  const Tensor& w = constant_of(graph, layer, 1);
  const bool columns =
      layer.op == "MatMul" || (layer.op == "Gemm" && layer.get<int64_t>("transB", 0) == 0);
  axis_ = columns ? 1 : 0;
  channels_ = static_cast<size_t>(w.dims[static_cast<size_t>(axis_)]);
  row_ = w.elements() / std::max<size_t>(channels_, 1);
  depth_ = static_cast<size_t>(w.dims.back());
  const auto groups = static_cast<size_t>(layer.get<int64_t>("group", 1));
  per_group_ = channels_ / std::max<size_t>(groups, 1);
}

Tensor quantize_constant(const Tensor& from, int32_t axis, const std::vector<double>& least) {
  const auto values = values_of<float>(from);
  const auto along = static_cast<size_t>(axis);
  const auto channels = static_cast<size_t>(from.dims[along]);
  size_t inner = 1;
  for (size_t d = along + 1; d < from.dims.size(); ++d) inner *= static_cast<size_t>(from.dims[d]);
  const auto channel = [&](size_t i) { return i / inner % channels; };
  std::vector<double> greatest(channels, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    double& most = greatest[channel(i)];
    most = std::max(most, std::abs(static_cast<double>(values[i])));
  }
  Quantization q;
  q.axis = axis;
  for (size_t c = 0; c < channels; ++c) {
    const auto scale =
        static_cast<float>(std::max(greatest[c] / kMost, least.empty() ? 0 : least[c]));
    q.scales.push_back(scale >= 1e-30f ? scale : 1.0f);  // a channel of zeros
    q.zero_points.push_back(0);
  }
  Bytes bytes(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double t = static_cast<double>(values[i]) / static_cast<double>(q.scales[channel(i)]);
    bytes[i] =
        static_cast<std::byte>(static_cast<int8_t>(std::clamp(std::nearbyint(t), -kMost, kMost)));
  }
  Tensor made = from;
  made.dtype = MDL_INT8;
  made.quantization = std::move(q);
  made.data = std::make_shared<const Bytes>(std::move(bytes));
  return made;
}

LayerConstants quantize_layer(const Graph& graph, const Node& layer, const Quantization& x,
                              const Statistics* statistics) {
  const WeightLayout layout(graph, layer);
  const auto s_x = static_cast<double>(x.scales[0]);
  LayerConstants made;
  const bool given = layer.inputs.size() > 2 && layer.inputs[2] >= 0;
  if (given) made.bias = values_of<float>(constant_of(graph, layer, 2));
  std::vector<double> least;
  for (const float b : made.bias) {
    least.push_back(std::abs(static_cast<double>(b)) / (s_x * std::ldexp(1.0, 30)));
  }
  if (least.size() != layout.channels()) least.clear();  // the layer has no integer form
  made.weights = quantize_constant(constant_of(graph, layer, 1), layout.axis(), least);

  const auto values = values_of<float>(constant_of(graph, layer, 1));
  const auto integers = values_of<int8_t>(made.weights);
  const auto& scales = made.weights.quantization->scales;
  Rows rows{std::vector<int64_t>(layout.channels(), 0), std::vector<int64_t>(layout.channels(), 0)};
  std::vector<double> error(layout.channels(), 0);
  const size_t inputs = values.empty() ? 0 : layout.input(values.size() - 1) + 1;
  if (statistics != nullptr && statistics->channel_mean.size() != inputs) statistics = nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = layout.channel(i);
    const int64_t q = integers[i];
    (q > 0 ? rows.positive_sums : rows.negative_sums)[c] += std::abs(q);
    if (statistics == nullptr) continue;
    const double rounded = static_cast<double>(q) * static_cast<double>(scales[c]);
    error[c] +=
        (rounded - static_cast<double>(values[i])) * statistics->channel_mean[layout.input(i)];
  }
  if (statistics != nullptr && (made.bias.size() == layout.channels() || !given)) {
    made.bias.resize(layout.channels(), 0);
    for (size_t c = 0; c < made.bias.size(); ++c) {
      made.bias[c] = static_cast<float>(static_cast<double>(made.bias[c]) - error[c]);
    }
  }
  std::vector<int64_t> units;
  for (size_t c = 0; c < made.bias.size() && c < scales.size(); ++c) {
    const double unit =
        std::nearbyint(static_cast<double>(made.bias[c]) / (s_x * static_cast<double>(scales[c])));
    units.push_back(static_cast<int64_t>(std::clamp(unit, -2147483647.0, 2147483647.0)));
  }
  if (units.size() != layout.channels()) units.clear();
  made.overflow = overflow_of(rows, units, x.zero_points[0]);
  return made;
}

}  // namespace medulla::tools
