// SPDX-License-Identifier: Apache-2.0
//   x -> Conv(w, b) -> BatchNormalization -> Mul [C] -> Add [C] -> y     x -> Conv(w', b') -> y
//
// A chain of y = m[c] * x + a[c] goes into the weights of the Conv, ConvTranspose or Gemm before
// it, or into the scale and bias of the BatchNormalization that starts it. The chain is multiplied
// out in binary64 and rounded once.
#include <cmath>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

// Beyond any model; what is wider is left as it is, unread.
constexpr size_t kMostChannels = 1 << 20;

struct Affine {
  std::vector<double> m, a;
};

std::vector<double> doubles(const Tensor& tensor) {
  const auto values = values_of<float>(tensor);
  return {values.begin(), values.end()};
}

// One value a channel, spread from a constant that is broadcast over the last dimension only.
std::optional<std::vector<double>> per_channel(const Tensor& tensor, size_t channels) {
  if (!tensor.data || tensor.dtype != MDL_FLOAT32) return {};
  if (tensor.elements() == 1) return std::vector<double>(channels, doubles(tensor)[0]);
  const bool last = tensor.dims.back() == static_cast<int64_t>(channels);
  if (!last || tensor.elements() != channels) return {};
  return doubles(tensor);
}

class FoldBatchNorm {
 public:
  explicit FoldBatchNorm(const Graph& graph) : rewrite_(graph) {}

  Graph run() {
    return rewrite_.run([this](const Node& node) { return fold(node); });
  }

 private:
  size_t channels(const Node& node) const {
    return static_cast<size_t>(rewrite_.tensor(node.outputs[0]).dims.back());
  }

  // The node as an affine map of the tensor *x, or nothing.
  std::optional<Affine> affine(const Node& node, int32_t* x) const {
    if (node.outputs.empty() || node.outputs[0] < 0) return {};
    const Tensor& y = rewrite_.tensor(node.outputs[0]);
    if (y.dtype != MDL_FLOAT32 || y.dims.empty()) return {};
    const size_t count = channels(node);
    if (count > kMostChannels) return {};
    Affine map{std::vector<double>(count, 1), std::vector<double>(count, 0)};
    if (node.op == "BatchNormalization") {
      std::vector<double> p[4];
      for (size_t i = 0; i < 4; ++i) {
        const Tensor& constant = rewrite_.tensor(node.inputs[i + 1]);
        if (!constant.data) return {};
        p[i] = doubles(constant);
      }
      for (size_t c = 0; c < count; ++c) {
        map.m[c] = p[0][c] / std::sqrt(p[3][c] + node.get<double>("epsilon", 1e-5));
        map.a[c] = p[1][c] - p[2][c] * map.m[c];
      }
      *x = node.inputs[0];
      return map;
    }
    const bool either = node.op == "Add" || node.op == "Mul";
    if (!either && node.op != "Sub" && node.op != "Div") return {};
    for (const size_t i : {size_t{1}, size_t{0}}) {
      if (i == 0 && !either) break;
      const auto values = per_channel(rewrite_.tensor(node.inputs[i]), count);
      if (!values || rewrite_.tensor(node.inputs[1 - i]).dims != y.dims) continue;
      *x = node.inputs[1 - i];
      for (size_t c = 0; c < count; ++c) {
        if (node.op == "Mul") map.m[c] = (*values)[c];
        if (node.op == "Div") map.m[c] = 1 / (*values)[c];
        if (node.op == "Add") map.a[c] = (*values)[c];
        if (node.op == "Sub") map.a[c] = -(*values)[c];
      }
      return map;
    }
    return {};
  }

  bool fold(const Node& node) {
    int32_t x = -1;
    if (!affine(node, &x)) return false;
    // The last of a chain does the work for all.
    int32_t next_x = -1;
    const Node* reader = rewrite_.only_reader(node.outputs[0]);
    if (reader != nullptr && affine(*reader, &next_x) && next_x == node.outputs[0]) return false;

    std::vector<const Node*> chain = {&node};
    const Node* before = rewrite_.producer(x);
    while (before != nullptr && rewrite_.uses(x) == 1 && affine(*before, &next_x)) {
      chain.push_back(before);
      x = next_x;
      before = rewrite_.producer(x);
    }
    const size_t count = channels(node);
    if (before != nullptr && rewrite_.uses(x) == 1 && channels(*before) == count &&
        fold_into(*before, product(chain, count), node)) {
      return true;
    }
    const Node& first = *chain.back();
    if (first.op != "BatchNormalization" || chain.size() < 2) return false;
    chain.pop_back();
    fold_into_norm(first, product(chain, count), node);
    return true;
  }

  // The maps of a chain, last first, as one.
  Affine product(const std::vector<const Node*>& chain, size_t count) const {
    Affine all{std::vector<double>(count, 1), std::vector<double>(count, 0)};
    for (auto node = chain.rbegin(); node != chain.rend(); ++node) {
      int32_t x = -1;
      const Affine one = *affine(**node, &x);
      for (size_t c = 0; c < count; ++c) {
        all.m[c] *= one.m[c];
        all.a[c] = all.a[c] * one.m[c] + one.a[c];
      }
    }
    return all;
  }

  int32_t floats(const std::string& name, Dims dims, const std::vector<double>& values) {
    std::vector<float> rounded;
    for (const double v : values) rounded.push_back(static_cast<float>(v));
    rewrite_.build.set_name(name);
    return rewrite_.build.constant(MDL_FLOAT32, std::move(dims), rounded);
  }

  bool fold_into(const Node& product_node, const Affine& map, const Node& last) {
    const bool gemm = product_node.op == "Gemm";
    if (!gemm && product_node.op != "Conv" && product_node.op != "ConvTranspose") return false;
    if (gemm &&
        (product_node.get<double>("alpha", 1) != 1 || product_node.get<double>("beta", 1) != 1)) {
      return false;
    }
    const Tensor& w = rewrite_.tensor(product_node.inputs[1]);
    if (!w.data || w.dtype != MDL_FLOAT32) return false;
    const size_t count = map.m.size();
    std::vector<double> bias(count, 0);
    const int32_t b = product_node.inputs.size() > 2 ? product_node.inputs[2] : -1;
    if (b >= 0) {
      const auto values = per_channel(rewrite_.tensor(b), count);
      if (!values) return false;
      bias = *values;
    }
    std::vector<double> weights = doubles(w);
    // Channels are w's rows, but the columns of Gemm's [K, N].
    const bool columns = gemm && product_node.get<int64_t>("transB", 0) == 0;
    const size_t row = weights.size() / count;
    for (size_t i = 0; i < weights.size(); ++i) weights[i] *= map.m[columns ? i % count : i / row];
    for (size_t c = 0; c < count; ++c) bias[c] = bias[c] * map.m[c] + map.a[c];

    Node folded = product_node;
    folded.inputs = {rewrite_.at(product_node.inputs[0]), floats(w.name, w.dims, weights),
                     floats(product_node.name + ".bias", {static_cast<int64_t>(count)}, bias)};
    folded.outputs = {rewrite_.at(last.outputs[0])};
    rewrite_.to.nodes.push_back(std::move(folded));
    return true;
  }

  void fold_into_norm(const Node& norm, const Affine& map, const Node& last) {
    std::vector<double> scale = doubles(rewrite_.tensor(norm.inputs[1]));
    std::vector<double> bias = doubles(rewrite_.tensor(norm.inputs[2]));
    for (size_t c = 0; c < scale.size(); ++c) {
      scale[c] *= map.m[c];
      bias[c] = bias[c] * map.m[c] + map.a[c];
    }
    const Dims dims = {static_cast<int64_t>(scale.size())};
    Node folded = norm;
    folded.inputs = {rewrite_.at(norm.inputs[0]), floats(norm.name + ".scale", dims, scale),
                     floats(norm.name + ".bias", dims, bias), rewrite_.at(norm.inputs[3]),
                     rewrite_.at(norm.inputs[4])};
    folded.outputs = {rewrite_.at(last.outputs[0])};
    rewrite_.to.nodes.push_back(std::move(folded));
  }

  Rewriter rewrite_;
};

}  // namespace

Graph fold_batch_norm(const Graph& graph, PassContext&) { return FoldBatchNorm(graph).run(); }

}  // namespace medulla::tools
