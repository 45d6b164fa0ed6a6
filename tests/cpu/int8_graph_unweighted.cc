// SPDX-License-Identifier: Apache-2.0
// The operators without weights.
#include <algorithm>
#include <cmath>

#include "src/ops/functions_f64.h"
#include "tests/cpu/int8_graph.h"

namespace medulla::test {

void Int8Graph::sum() {
  const int32_t a = pick([](int32_t) { return true; });
  int32_t b = pick([&](int32_t t) {
    return dims(t) == dims(a) || (size(t) == dims(a).back() && dims(t).back() == size(t));
  });
  if (random_.one_in(4)) {
    const auto length = static_cast<size_t>(dims(a).back());
    b = add_constant(MDL_INT8, {dims(a).back()}, random_.bytes(length));
    builder_.at(b).quantization = quantization(near(0.05f));
  }
  const float s_y = near((scale(a) + scale(b)) * 0.7f);
  Attributes attributes = {
      {"multipliers", std::vector<double>{ratio(scale(a), s_y), ratio(scale(b), s_y)}}};
  add_range(&attributes);
  add_int8(random_.one_in(3) ? "QSub" : "QAdd", {a, b}, std::move(attributes), quantization(s_y));
}

void Int8Graph::product() {
  const int32_t a = pick([](int32_t) { return true; });
  const int32_t b = pick([&](int32_t t) { return dims(t) == dims(a); });
  const double both = static_cast<double>(scale(a)) * static_cast<double>(scale(b));
  const float s_y = near(static_cast<float>(both) * 80);
  Attributes attributes = {{"multiplier", rounded(both / static_cast<double>(s_y))}};
  add_range(&attributes);
  add_int8("QMul", {a, b}, std::move(attributes), quantization(s_y));
}

// Along the channels, or along another dimension of tensors with as many.
void Int8Graph::concat() {
  const int32_t a = pick([&](int32_t t) { return size(t) < kMaxElements / 4; });
  if (a < 0) return;
  const int64_t axis =
      random_.one_in(3) ? random_.integer(0, std::ssize(dims(a)) - 1) : std::ssize(dims(a)) - 1;
  std::vector<int32_t> inputs = {a};
  for (int64_t n = random_.integer(1, 3); n > 0; --n) {
    inputs.push_back(pick([&](int32_t t) {
      Dims other = dims(t);
      if (other.size() != dims(a).size() || size(t) > kMaxElements / 4) return false;
      other[static_cast<size_t>(axis)] = dims(a)[static_cast<size_t>(axis)];
      return other == dims(a);
    }));
  }
  const bool alike =
      std::all_of(inputs.begin(), inputs.end(), [&](int32_t t) { return same_quantization(t, a); });
  if (alike && random_.one_in(2)) {
    add_moved("Concat", inputs, {{"axis", axis}});
    return;
  }
  // Now and then an input's own, which is copied then.
  const tools::Quantization q =
      random_.one_in(2) ? *builder_.at(inputs[1]).quantization : quantization(near(scale(a)));
  std::vector<double> multipliers;
  for (const int32_t t : inputs) multipliers.push_back(ratio(scale(t), q.scales[0]));
  add_int8("QConcat", inputs, {{"axis", axis}, {"multipliers", multipliers}}, q);
}

void Int8Graph::pool() {
  const int32_t x = pick_image();
  if (x < 0) return;
  const size_t spatial = dims(x).size() - 2;
  Dims kernel, strides, pads(2 * spatial);
  for (size_t s = 0; s < spatial; ++s) {
    kernel.push_back(random_.integer(1, std::min<int64_t>(4, dims(x)[1 + s])));
    strides.push_back(random_.integer(1, 3));
    pads[s] = random_.integer(0, kernel[s] - 1);
    pads[spatial + s] = random_.integer(0, kernel[s] - 1);
  }
  Attributes attributes = {{"kernel_shape", kernel},
                           {"strides", strides},
                           {"pads", pads},
                           {"ceil_mode", random_.integer(0, 1)}};
  if (random_.one_in(2)) {
    add_moved("MaxPool", {x}, std::move(attributes));
    return;
  }
  const float s_y = near(scale(x));
  std::vector<double> multipliers;
  for (int64_t n = 1; n <= count(kernel); ++n) multipliers.push_back(ratio(scale(x), s_y, n));
  attributes["multipliers"] = multipliers;
  attributes["count_include_pad"] = random_.integer(0, 1);
  add_range(&attributes);
  add_int8("QAveragePool", {x}, std::move(attributes), quantization(s_y));
}

void Int8Graph::global_pool() {
  const int32_t x = pick_image();
  if (x < 0) return;
  if (random_.one_in(3)) {
    add_moved("GlobalMaxPool", {x}, {});
    return;
  }
  const float s_y = near(scale(x));
  const int64_t pixels = size(x) / dims(x)[0] / dims(x).back();
  Attributes attributes = {{"multiplier", ratio(scale(x), s_y, pixels)}};
  add_range(&attributes);
  add_int8("QGlobalAveragePool", {x}, std::move(attributes), quantization(s_y));
}

void Int8Graph::look_up() {
  const int32_t x = pick([](int32_t) { return true; });
  const int32_t table = add_constant(MDL_INT8, {256}, random_.bytes(256));
  add_int8("QLookup", {x, table}, {}, quantization(near(0.05f)));
}

void Int8Graph::resize() {
  const int32_t x = pick_image();
  if (x < 0) return;
  constexpr const char* kCoordinates[] = {"half_pixel", "align_corners", "asymmetric",
                                          "pytorch_half_pixel"};
  std::vector<double> scales(dims(x).size(), 1.0);
  int64_t outputs = size(x);
  for (size_t d = 1; d + 1 < scales.size(); ++d) {
    scales[d] = random_.one_in(3) ? 1.5 : static_cast<double>(random_.integer(1, 3));
    outputs *= 3;
  }
  if (outputs > kMaxElements) return;
  Attributes attributes = {
      {"scales", scales},
      {"mode", std::string("nearest")},
      {"coordinate_transformation_mode", std::string(kCoordinates[random_.integer(0, 3)])}};
  if (random_.one_in(2)) {
    add_moved("Resize", {x}, std::move(attributes));
    return;
  }
  const float s_y = near(scale(x));
  attributes["mode"] = std::string("linear");
  attributes["multiplier"] = ratio(scale(x), s_y);
  add_range(&attributes);
  add_int8("QResize", {x}, std::move(attributes), quantization(s_y));
}

void Int8Graph::normalize() {
  const int32_t x = pick([&](int32_t t) { return !dims(t).empty(); });
  if (x < 0) return;
  const Dims row = {dims(x).back()};
  std::vector<int32_t> inputs = {x};
  for (int64_t n = random_.integer(1, 2); n > 0; --n) {
    std::vector<float> values(static_cast<size_t>(row[0]));
    for (float& v : values) v = static_cast<float>(random_.integer(-4000, 4000)) / 100;
    inputs.push_back(add_constant(MDL_FLOAT32, row, values));
  }
  const bool batch = inputs.size() == 3 && random_.one_in(2);
  Attributes attributes;
  if (!batch) attributes["epsilon"] = static_cast<double>(1e-5f);
  add_range(&attributes);
  add_int8(batch ? "QBatchNormalization" : "QLayerNormalization", inputs, std::move(attributes),
           quantization(near(0.03f)));
}

void Int8Graph::softmax() {
  const int32_t x = pick([&](int32_t t) { return !dims(t).empty(); });
  if (x < 0) return;
  std::vector<uint32_t> table;
  for (int d = 0; d < 256; ++d) {
    const double entry = exp_f64(-static_cast<double>(scale(x)) * d);
    table.push_back(static_cast<uint32_t>(std::nearbyint(std::ldexp(entry, 23))));
  }
  Attributes attributes = {
      {"axis", random_.one_in(3) ? random_.integer(0, std::ssize(dims(x)) - 1) : int64_t{-1}}};
  add_range(&attributes);
  add_int8("QSoftmax", {x, add_constant(MDL_UINT32, {256}, table)}, std::move(attributes),
           quantization(near(1.0f / 256)));
}

void Int8Graph::move() {
  const int32_t x = pick([&](int32_t t) { return dims(t).size() >= 2; });
  if (x < 0) return;
  const Dims from = dims(x);
  const size_t rank = from.size();
  const int64_t kind = random_.integer(0, 4);
  if (kind == 0) {
    add_moved("Reshape", {x}, {{"shape", Dims{-1, from.back()}}});
  } else if (kind == 1) {
    add_moved("Flatten", {x}, {{"axis", random_.integer(0, static_cast<int64_t>(rank))}});
  } else if (kind == 2) {
    Dims perm(rank);
    for (size_t d = 0; d < rank; ++d) perm[d] = static_cast<int64_t>(d);
    for (size_t d = 1; d < rank; ++d) {
      std::swap(perm[d], perm[static_cast<size_t>(random_.integer(0, static_cast<int64_t>(d)))]);
    }
    add_moved("Transpose", {x}, {{"perm", perm}});
  } else if (kind == 3) {
    const int64_t axis = random_.integer(0, static_cast<int64_t>(rank) - 1);
    const int64_t length = from[static_cast<size_t>(axis)];
    const int64_t start = random_.integer(0, length - 1);
    add_moved("Slice", {x},
              {{"starts", Dims{start}},
               {"ends", Dims{random_.integer(start + 1, length)}},
               {"axes", Dims{axis}},
               {"steps", Dims{random_.integer(1, 2)}}});
  } else if (size(x) < kMaxElements / 8) {
    Dims pads(2 * rank, 0);
    for (size_t d = 1; d + 1 < rank; ++d) {
      pads[d] = random_.integer(0, 2);
      pads[rank + d] = random_.integer(0, 2);
    }
    const int32_t z = builder_.at(x).quantization->zero_points[0];
    add_moved("Pad", {x}, {{"pads", pads}, {"value", static_cast<double>(z)}});
  }
}

void Int8Graph::split() {
  const int32_t x = pick([&](int32_t t) { return dims(t).back() >= 2; });
  if (x < 0) return;
  const int64_t channels = dims(x).back(), first = random_.integer(1, channels - 1);
  const tools::Quantization q = *builder_.at(x).quantization;
  add("Split", {x},
      {{"axis", static_cast<int64_t>(dims(x).size()) - 1},
       {"sizes", Dims{first, channels - first}}},
      {add_tensor(MDL_INT8, q), add_tensor(MDL_INT8, q)});
}

void Int8Graph::float_island() {
  const int32_t x = pick([](int32_t) { return true; });
  const int32_t real = add_tensor(MDL_FLOAT32, {}), y = add_tensor(MDL_FLOAT32, {});
  add("DequantizeLinear", {x}, {}, {real});
  if (random_.one_in(2)) {
    add("Softmax", {real}, {{"axis", static_cast<int64_t>(dims(x).size()) - 1}}, {y});
  } else {
    add("Sigmoid", {real}, {}, {y});
  }
  add_int8("QuantizeLinear", {y}, {}, quantization(1.0f / 256));
}

}  // namespace medulla::test
