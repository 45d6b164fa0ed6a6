// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/int8_graph.h"

#include <cmath>

namespace medulla::test {
namespace {

constexpr int64_t kMaxProducts = 600000;  // of a layer

}  // namespace

Int8Graph::Int8Graph(uint32_t seed) : random_(seed) {
  Dims input = {random_.one_in(5) ? 2 : 1};
  for (int64_t d = random_.one_in(4) ? 1 : 2; d > 0; --d) input.push_back(random_.integer(1, 18));
  input.push_back(random_.one_in(3) ? random_.integer(1, 4) : random_.integer(5, 40));
  add_input(input);
  if (random_.one_in(3)) {
    if (random_.one_in(2)) input.back() = random_.integer(1, 40);
    add_input(input);
  }
  constexpr void (Int8Graph::*kOperators[])() = {
      &Int8Graph::conv,      &Int8Graph::conv,    &Int8Graph::conv,         &Int8Graph::conv,
      &Int8Graph::gemm,      &Int8Graph::matmul,  &Int8Graph::sum,          &Int8Graph::sum,
      &Int8Graph::product,   &Int8Graph::concat,  &Int8Graph::pool,         &Int8Graph::global_pool,
      &Int8Graph::look_up,   &Int8Graph::resize,  &Int8Graph::move,         &Int8Graph::move,
      &Int8Graph::normalize, &Int8Graph::softmax, &Int8Graph::float_island, &Int8Graph::split};
  for (int64_t n = random_.integer(2, 9); n > 0 || builder_.graph().nodes.empty(); --n) {
    (this->*kOperators[random_.integer(0, std::ssize(kOperators) - 1)])();
  }
  // What nobody reads, and now and then what somebody does.
  std::vector<bool> read(builder_.graph().tensors.size());
  for (const tools::Node& node : builder_.graph().nodes) {
    for (const int32_t t : node.inputs) {
      if (t >= 0) read[index(t)] = true;
    }
  }
  for (const tools::Node& node : builder_.graph().nodes) {
    for (const int32_t t : node.outputs) {
      if (!read[index(t)] || random_.one_in(6)) builder_.output(t);
    }
  }
}

int64_t Int8Graph::size(int32_t t) { return count(dims(t)); }

int32_t Int8Graph::zero_point() {
  constexpr int32_t kEnds[] = {-128, 0, 127};
  return random_.one_in(2) ? kEnds[random_.integer(0, 2)]
                           : static_cast<int32_t>(random_.integer(-128, 127));
}

float Int8Graph::near(float around) {
  return around * static_cast<float>(random_.integer(512, 2048)) / 1024;
}

void Int8Graph::add_range(Attributes* attributes) {
  if (!random_.one_in(3)) return;
  const int64_t low = random_.integer(-128, 100);
  (*attributes)["qmin"] = low;
  (*attributes)["qmax"] = random_.one_in(2) ? int64_t{127} : random_.integer(low, 127);
}

int32_t Int8Graph::pick(const std::function<bool(int32_t)>& suits) {
  std::vector<int32_t> found;
  for (const int32_t t : live_) {
    if (suits(t)) found.push_back(t);
  }
  if (found.empty()) return -1;
  const int64_t last = std::ssize(found) - 1;
  return found[index(static_cast<int32_t>(random_.one_in(2) ? last : random_.integer(0, last)))];
}

int32_t Int8Graph::pick_image(size_t least_rank) {
  return pick([&](int32_t t) { return dims(t).size() >= least_rank && dims(t).size() <= 4; });
}

int32_t Int8Graph::add_tensor(mdl_dtype dtype, std::optional<tools::Quantization> q) {
  tools::Tensor tensor;
  tensor.name = "t";
  tensor.dtype = dtype;
  tensor.quantization = std::move(q);
  return builder_.graph().add_tensor(std::move(tensor));
}

void Int8Graph::add_input(Dims dims) {
  const int32_t t = builder_.input("x" + std::to_string(live_.size()), std::move(dims), MDL_INT8);
  builder_.at(t).quantization = quantization(near(0.05f));
  live_.push_back(t);
}

std::vector<int32_t> Int8Graph::add(const char* op, const std::vector<int32_t>& inputs,
                                    Attributes attributes, const std::vector<int32_t>& outputs) {
  tools::Graph& graph = builder_.graph();
  const std::string name = op + std::to_string(graph.nodes.size());
  graph.nodes.push_back({name, op, 1, std::move(attributes), inputs, outputs});
  tools::infer_node(graph, graph.nodes.back());
  for (const int32_t t : outputs) {
    if (builder_.at(t).dtype == MDL_INT8) live_.push_back(t);
  }
  return outputs;
}

void Int8Graph::layer(const char* op, int32_t x, Dims weights, int64_t outputs,
                      Attributes attributes) {
  const int64_t channels = weights[0];
  const int64_t length = count(weights) / channels;
  if (outputs > kMaxElements || outputs * length > kMaxProducts) return;
  const bool per_channel = random_.one_in(2);
  const bool has_zero_points = random_.one_in(5);
  const bool is_float = random_.one_in(10);
  const bool is_added = !is_float && random_.one_in(8);  // to integers, before it is rounded
  tools::Quantization q_w;
  for (int64_t c = 0; c < (per_channel ? channels : 1); ++c) {
    q_w.scales.push_back(near(0.01f));
    q_w.zero_points.push_back(has_zero_points ? zero_point() : 0);
  }
  const std::vector<int8_t> values = random_.bytes(static_cast<size_t>(count(weights)));
  const int32_t w = add_constant(MDL_INT8, std::move(weights), values);
  builder_.at(w).quantization = q_w;

  // Outputs of some 50 steps of their scale.
  const float s_y = near(scale(x) * 0.01f * 100 * std::sqrt(static_cast<float>(length)));
  const int64_t z = builder_.at(x).quantization->zero_points[0];
  std::vector<int64_t> positive, negative;
  std::vector<float> multipliers;
  std::vector<int32_t> bias;
  for (int64_t c = 0; c < channels; ++c) {
    const size_t of = per_channel ? static_cast<size_t>(c) : 0;
    int64_t p = 0, n = 0;
    for (int64_t k = 0; k < length; ++k) {
      const int64_t v = values[static_cast<size_t>(c * length + k)] - q_w.zero_points[of];
      (v > 0 ? p : n) += std::abs(v);
    }
    positive.push_back(p);
    negative.push_back(n);
    const double m = static_cast<double>(scale(x)) * static_cast<double>(q_w.scales[of]);
    multipliers.push_back(static_cast<float>(is_float ? m : m / static_cast<double>(s_y)));
    // What the proof allows, to its ends.
    const int64_t least = INT32_MIN - (p * (-128 - z) - n * (127 - z));
    const int64_t most = INT32_MAX - (p * (127 - z) - n * (-128 - z));
    const int64_t ends = random_.one_in(2) ? least : most;
    bias.push_back(static_cast<int32_t>(
        random_.one_in(20) ? ends : random_.integer(-100 * length, 100 * length)));
  }
  attributes["positive_sums"] = positive;
  attributes["negative_sums"] = negative;
  int32_t b = -1;
  if (is_float) {
    b = random_.one_in(3)
            ? -1
            : add_constant(MDL_FLOAT32, {channels}, random_.floats(static_cast<size_t>(channels)));
  } else if (!random_.one_in(4)) {
    b = add_constant(MDL_INT32, {channels}, bias);
  }
  const int32_t m = add_constant(MDL_FLOAT32, {channels}, multipliers);
  if (is_float) {
    const int32_t y = add_tensor(MDL_FLOAT32, {});
    add(op, {x, w, b, m}, std::move(attributes), {y});
    add_int8("QuantizeLinear", {y}, {}, quantization(s_y));
    return;
  }
  if (is_added) {
    const int32_t y = add_tensor(MDL_FLOAT32, {});
    attributes["output_scale"] = static_cast<double>(s_y);
    add(op, {x, w, b, m}, std::move(attributes), {y});
    const int32_t other = pick([&](int32_t t) { return dims(t) == dims(y); });
    if (other < 0) {
      add_int8("QuantizeLinear", {y}, {}, quantization(1));
      return;
    }
    Attributes sum = {{"multiplier", ratio(scale(other), s_y)}};
    add_range(&sum);
    add_int8("QAddFloat", {y, other}, std::move(sum), quantization(s_y));
    return;
  }
  add_range(&attributes);
  add_int8(op, {x, w, b, m}, std::move(attributes), quantization(s_y));
}

void Int8Graph::conv() {
  const int32_t x = pick_image();
  if (x < 0) return;
  const Dims from = dims(x);
  const size_t spatial = from.size() - 2;
  const int64_t channels = from.back();
  // Depthwise, in groups, or neither; many are what forms for 3x3 alone are for.
  const int64_t kind = random_.integer(0, 5);
  const bool plain3x3 = kind >= 4 || (kind == 0 && random_.one_in(2));
  const int64_t two = random_.one_in(2) ? 2 : channels / 2;
  const int64_t group = kind == 0 ? channels : (kind == 1 && channels % 2 == 0 ? two : 1);
  const int64_t multiple = kind == 0 && !random_.one_in(4) ? 1 : random_.integer(1, 48);
  Dims weights = {group * multiple}, strides, dilations, pads(2 * spatial);
  if (weights[0] > 96) return;
  int64_t outputs = from[0] * weights[0];
  for (size_t s = 0; s < spatial; ++s) {
    constexpr int64_t kKernels[] = {1, 1, 2, 3, 3, 3, 5, 7};
    const int64_t kernel = plain3x3 ? 3 : kKernels[random_.integer(0, 7)];
    strides.push_back(plain3x3 || !random_.one_in(3) ? 1 : 2);
    dilations.push_back(plain3x3 || !random_.one_in(5) ? 1 : 2);
    const int64_t reach = (kernel - 1) * dilations[s] + 1;
    pads[s] = random_.integer(0, reach / 2);
    pads[spatial + s] = random_.integer(0, reach / 2);
    const int64_t room = from[1 + s] + pads[s] + pads[spatial + s] - reach;
    if (room < 0) return;
    outputs *= room / strides[s] + 1;
    weights.push_back(kernel);
  }
  weights.push_back(channels / group);
  layer("QConv", x, std::move(weights), outputs,
        {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", group}});
}

void Int8Graph::gemm() {
  const int32_t x = pick([&](int32_t t) { return dims(t).size() >= 2; });
  if (x < 0) return;
  const int64_t channels = random_.one_in(4) ? random_.integer(60, 140) : random_.integer(1, 40);
  const int64_t length = dims(x).back();
  layer("QGemm", x, {channels, length}, size(x) / length * channels, {});
}

// A tensor and itself, or its like, transposed.
void Int8Graph::matmul() {
  const int32_t a = pick([&](int32_t t) { return dims(t).size() >= 2; });
  if (a < 0) return;
  const int32_t b = pick([&](int32_t t) { return dims(t) == dims(a); });
  const size_t rank = dims(a).size();
  const int64_t m = dims(a)[rank - 2], k = dims(a)[rank - 1];
  if (size(a) / k * m > kMaxElements || size(a) * m > kMaxProducts) return;
  Dims perm(rank);
  for (size_t d = 0; d < rank; ++d) perm[d] = static_cast<int64_t>(d);
  std::swap(perm[rank - 2], perm[rank - 1]);
  const int32_t transposed = add_moved("Transpose", {b}, {{"perm", perm}});
  const double product = static_cast<double>(scale(a)) * static_cast<double>(scale(b));
  const float s_y = near(static_cast<float>(product) * 100 * std::sqrt(static_cast<float>(k)));
  Attributes attributes = {{"multiplier", rounded(product / static_cast<double>(s_y))}};
  add_range(&attributes);
  add_int8("QMatMul", {a, transposed}, std::move(attributes), quantization(s_y));
}

}  // namespace medulla::test
