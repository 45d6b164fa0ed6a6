// SPDX-License-Identifier: Apache-2.0
// Attention and RotaryEmbedding. What Medulla's operators lack is written by plain ones: caches are
// joined, windows and counts of valid keys become masks, scores that are asked for are computed
// apart. All of it is float32, whatever precision the node asks of its softmax.
#include <cmath>
#include <limits>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

int32_t reshaped(Builder& build, int32_t x, const Dims& shape) {
  return build.add("Reshape", {x}, {{"shape", shape}});
}

int32_t joined(Builder& build, const std::vector<int32_t>& parts, int64_t axis) {
  return build.add_like("Concat", parts, {{"axis", axis}});
}

// Extents that are one at all times.
bool same_extent(const Tensor& a, size_t i, const Tensor& b, size_t j) {
  const auto symbol = [](const Tensor& t, size_t d) {
    return d < t.symbols.size() ? t.symbols[d] : std::string();
  };
  return a.dims.at(i) == b.dims.at(j) && symbol(a, i) == symbol(b, j);
}

// Which keys a query may attend, by their distance j - i from it less the offset of the first
// query among the keys.
struct Window {
  int64_t least = std::numeric_limits<int64_t>::min();
  int64_t most = std::numeric_limits<int64_t>::max();

  bool open() const { return least == Window{}.least && most == Window{}.most; }
};

Window window_of(const OnnxNode& node) {
  Window window;
  const int64_t left = node.int_or("left_window_size", -1);
  const int64_t right = node.int_or("right_window_size", -1);
  if (left >= 0) window.least = -left;
  if (right >= 0) window.most = right;
  if (node.int_or("is_causal", 0) != 0) window.most = std::min<int64_t>(window.most, 0);
  return window;
}

class AttentionNode {
 public:
  explicit AttentionNode(OnnxNode& of) : node(of), build(of.build) {
    dtype_ = build.tensor(node.input(0)).dtype;
    q_ = node.input(0);
    k_ = with_past(1, 4);
    v_ = with_past(2, 5);
    queries_ = build.rank(q_) == 3 ? 1 : 2;
    keys_ = build.rank(k_) == 3 ? 1 : 2;
    const int64_t width = build.dims(q_).back() / (build.rank(q_) == 3 ? heads("q_num_heads") : 1);
    const double root = std::sqrt(static_cast<double>(std::max<int64_t>(width, 1)));
    scale_ = static_cast<float>(node.float_or("scale", 1 / root));
    softcap_ = static_cast<float>(node.float_or("softcap", 0));
    mode_ = node.int_or("qk_matmul_output_mode", 0);
    mask_ = mask();
  }

  std::vector<int32_t> outputs() {
    const int32_t y = narrowed(build, attention(), dtype_);
    return {y, node.has_output(1) ? heads_first(k_, "kv_num_heads") : -1,
            node.has_output(2) ? heads_first(v_, "kv_num_heads") : -1,
            node.has_output(3) ? narrowed(build, scores(), dtype_) : -1};
  }

 private:
  int64_t heads(const char* name) const {
    const int64_t count = node.int_or(name, 0);
    if (count < 1) refuse("inputs of rank 3 need the number of heads", "set it", name);
    return count;
  }

  // [B, heads, L, width]
  int32_t heads_first(int32_t x, const char* name) {
    if (build.rank(x) != 3) return x;
    const int64_t count = heads(name), width = build.dims(x)[2];
    if (width % count != 0) refuse("it does not divide " + std::to_string(width), "", name);
    return build.transpose(reshaped(build, x, {0, 0, count, width / count}), {0, 2, 1, 3});
  }

  int32_t with_past(size_t input, size_t past) {
    const int32_t x = node.input(input);
    if (node.input(past) < 0) return x;
    return joined(build, {node.input(past), heads_first(x, "kv_num_heads")}, 2);
  }

  int64_t query_count() const { return build.dims(q_).at(queries_); }
  int64_t key_count() const { return build.dims(k_).at(keys_); }

  // Whether the window is what Medulla's Attention has: all keys up to the query's own place, the
  // last query's being the last.
  bool is_plainly_causal(const Window& window) const {
    const Tensor& fresh = build.tensor(node.input(1));
    return window.most == 0 && window.least == Window{}.least && node.input(6) < 0 &&
           same_extent(build.tensor(q_), queries_, fresh, fresh.dims.size() == 3 ? 1 : 2) &&
           !(node.has_output(3) && mode_ >= 2);
  }

  // [Lq, Lk] of j - i; of j alone without queries.
  int32_t distances(bool from_queries) {
    node.require_static(q_, "a mask of attention");
    node.require_static(k_, "a mask of attention");
    const int64_t rows = from_queries ? query_count() : 1;
    std::vector<int64_t> values;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < key_count(); ++j) values.push_back(j - i);
    }
    return build.constant(MDL_INT64, {rows, key_count()}, values);
  }

  void also(int32_t* allowed, int32_t condition) {
    *allowed = *allowed < 0 ? condition : build.add("And", {*allowed, condition});
  }

  int32_t integer(int64_t value) {
    return build.constant(MDL_INT64, {}, std::vector<int64_t>{value});
  }

  // Keys of the window, as a mask; -1: all.
  int32_t within(const Window& window) {
    int32_t allowed = -1;
    if (window.open()) return allowed;
    int32_t offset = integer(0);
    if (node.input(4) >= 0) {
      node.require_static(node.input(4), "a mask of attention");
      offset = integer(build.dims(node.input(4)).at(2));
    } else if (node.input(6) >= 0) {
      offset = build.add("Sub", {valid_keys(), integer(query_count())});
    }
    const int32_t distance = build.add("Sub", {distances(true), offset});
    if (window.most != Window{}.most) {
      also(&allowed, build.add("LessOrEqual", {distance, integer(window.most)}));
    }
    if (window.least != Window{}.least) {
      also(&allowed, build.add("GreaterOrEqual", {distance, integer(window.least)}));
    }
    return allowed;
  }

  // [B, 1, 1, 1]
  int32_t valid_keys() { return reshaped(build, node.input(6), {0, 1, 1, 1}); }

  // attn_mask, with what hides a key where it is too short.
  int32_t given_mask() {
    const int32_t mask = node.input(3);
    if (mask < 0) return -1;
    const bool selects = build.tensor(mask).dtype == MDL_BOOL;
    const int32_t wide = selects ? mask : widened(build, mask);
    Dims rest = build.dims(wide);
    if (rest.empty() || rest.back() == key_count() || rest.back() == 1) return wide;
    node.require_static(mask, "a mask for fewer keys");
    rest.back() = key_count() - rest.back();
    if (rest.back() < 0) refuse("attn_mask has more columns than there are keys");
    const int32_t fill =
        selects ? build.constant(MDL_BOOL, {}, std::vector<uint8_t>{0}) : build.scalar(-kInf);
    const int32_t hidden = build.add("Expand", {fill}, {{"shape", rest}});
    return joined(build, {wide, hidden}, build.rank(wide) - 1);
  }

  // Every mask as one, of bool or float32; -1: none.
  int32_t mask() {
    const Window window = window_of(node);
    causal_ = is_plainly_causal(window);
    int32_t allowed = causal_ ? -1 : within(window);
    if (node.input(6) >= 0) also(&allowed, build.add("Less", {distances(false), valid_keys()}));
    const int32_t given = given_mask();
    if (given < 0 || allowed < 0) return given < 0 ? allowed : given;
    if (build.tensor(given).dtype == MDL_BOOL) return build.add("And", {given, allowed});
    return build.add("Where", {allowed, given, build.scalar(-kInf)});
  }

  int32_t attention() {
    Attributes attributes = {{"scale", static_cast<double>(scale_)},
                             {"softcap", static_cast<double>(softcap_)},
                             {"causal", int64_t{causal_ ? 1 : 0}}};
    if (build.rank(q_) == 3) attributes["num_heads"] = heads("q_num_heads");
    if (build.rank(k_) == 3 || build.rank(v_) == 3) {
      attributes["kv_num_heads"] = heads("kv_num_heads");
    }
    std::vector<int32_t> inputs = {widened(build, q_), widened(build, k_), widened(build, v_)};
    if (mask_ >= 0) inputs.push_back(mask_);
    return build.add("Attention", std::move(inputs), std::move(attributes));
  }

  // What qk_matmul_output_mode asks for: products, capped, masked, or weights.
  int32_t scores() {
    node.require_static(q_, "qk_matmul_output");
    node.require_static(k_, "qk_matmul_output");
    const int32_t k = widened(build, heads_first(k_, "kv_num_heads"));
    const int32_t q = widened(build, heads_first(q_, "q_num_heads"));
    const Dims q_dims = build.dims(q), k_dims = build.dims(k);
    // Heads that share their keys are rows of one product.
    const int32_t scaled = build.add("Mul", {q, build.scalar(scale_)});
    const int32_t rows = reshaped(build, scaled, {q_dims[0], k_dims[1], -1, q_dims[3]});
    const int32_t product = build.add("MatMul", {rows, build.transpose(k, {0, 1, 3, 2})});
    int32_t s = reshaped(build, product, {q_dims[0], q_dims[1], q_dims[2], k_dims[2]});
    if (mode_ >= 1 && softcap_ != 0) {
      const int32_t cap = build.scalar(softcap_);
      s = build.add("Mul", {build.add("Tanh", {build.add("Div", {s, cap})}), cap});
    }
    if (mode_ >= 2 && mask_ >= 0) {
      const bool selects = build.tensor(mask_).dtype == MDL_BOOL;
      s = selects ? build.add("Where", {mask_, s, build.scalar(-kInf)})
                  : build.add("Add", {s, mask_});
    }
    if (mode_ < 3) return s;
    const Attributes row = {{"axes", Dims{3}}, {"keepdims", int64_t{1}}};
    const int32_t none =
        build.add("Equal", {build.add("ReduceMax", {s}, row), build.scalar(-kInf)});
    const int32_t weights = build.add("Softmax", {s}, {{"axis", int64_t{3}}});
    return build.add("Where", {none, build.scalar(0), weights});
  }

  OnnxNode& node;
  Builder& build;
  mdl_dtype dtype_;
  int32_t q_, k_, v_;
  size_t queries_, keys_;  // their dimensions
  float scale_, softcap_;
  int64_t mode_;
  int32_t mask_;
  bool causal_ = false;
};

// [..., n / 2] as [..., n]: each value at both places of its pair.
int32_t of_pairs(Builder& build, int32_t half, bool interleaved) {
  if (!interleaved) return joined(build, {half, half}, build.rank(half) - 1);
  const int64_t last = build.rank(half);
  const int32_t column = build.add("Unsqueeze", {half}, {{"axes", Dims{last}}});
  Dims shape(static_cast<size_t>(last), 0);
  shape.back() = 2 * build.dims(half).back();
  return reshaped(build, joined(build, {column, column}, last), shape);
}

}  // namespace

std::vector<int32_t> convert_attention(OnnxNode& node) { return AttentionNode(node).outputs(); }

std::vector<int32_t> convert_rotary_embedding(OnnxNode& node) {
  Builder& build = node.build;
  const mdl_dtype dtype = build.tensor(node.input(0)).dtype;
  int32_t x = widened(build, node.input(0));
  const bool flat = build.rank(x) == 3;
  const int64_t hidden = build.dims(x).back();
  if (flat) {
    const int64_t heads = node.int_or("num_heads", 0);
    if (heads < 1 || hidden % heads != 0) {
      refuse("it should divide the width " + std::to_string(hidden), "", "num_heads");
    }
    x = reshaped(build, x, {0, 0, heads, hidden / heads});
  }
  const bool interleaved = node.int_or("interleaved", 0) != 0;
  std::vector<int32_t> angles;
  for (const size_t i : {1, 2}) {
    int32_t half = widened(build, node.input(i));
    if (node.input(3) >= 0) {
      half = build.add("Gather", {half, node.input(3)}, {{"axis", int64_t{0}}});
    }
    const Dims heads = {flat ? 2 : 1};
    angles.push_back(
        build.add("Unsqueeze", {of_pairs(build, half, interleaved)}, {{"axes", heads}}));
  }
  const int64_t width = build.dims(x).back();
  const int64_t turned = node.int_or("rotary_embedding_dim", 0);
  const bool partly = turned > 0 && turned < width;
  std::vector<int32_t> parts = {x};
  if (partly) {
    parts = build.add_many("Split", {x},
                           {{"axis", int64_t{3}}, {"sizes", Dims{turned, width - turned}}},
                           {true, true});
  }
  parts[0] = build.add("RotaryEmbedding", {parts[0], angles[0], angles[1]},
                       {{"interleaved", int64_t{interleaved ? 1 : 0}}});
  int32_t y = partly ? joined(build, parts, 3) : parts[0];
  if (flat) y = reshaped(build, y, {0, 0, hidden});
  return {narrowed(build, y, dtype)};
}

}  // namespace medulla::tools
