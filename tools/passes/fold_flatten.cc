// SPDX-License-Identifier: Apache-2.0
//   x [N,H,W,C] -> Transpose -> Flatten -> Relu -> Gemm(w) -> y
//   x [N,H,W,C] -> Flatten -> Relu -> Gemm(w') -> y
//
// Networks of the channels-first world flatten an image channel by channel. A dense layer behind it
// takes the elements in any order, if its rows stand in that order too: w' has the rows of w where
// the channels-last image has their elements. Sums are added in the new order, so a float32 result
// changes by its roundings, an integer one not at all.
#include <cstring>

#include "tools/passes/elementwise.h"
#include "tools/passes/layout.h"
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

// How a tensor of the old graph is found in the new one without its transpose: old =
// Transpose(tensor, perm), or that with the dimensions from `first` on joined.
struct Loose {
  int32_t tensor = -1;
  Dims dims, perm;  // of the Transpose's output
  size_t first = 0;
  int64_t columns = 0;  // 0: nothing is joined yet
};

bool per_tensor(const Tensor& tensor) {
  return !tensor.quantization || tensor.quantization->scales.size() == 1;
}

// old[..., places[i]] = x.tensor[..., i]
std::vector<size_t> places(const Loose& x) {
  const Dims back = invert(x.perm);
  const size_t rank = x.dims.size();
  std::vector<size_t> strides(rank + 1, 1);
  for (size_t d = rank; d-- > x.first;) {
    strides[d] = strides[d + 1] * static_cast<size_t>(x.dims[d]);
  }
  std::vector<size_t> rows = {0};
  for (size_t d = x.first; d < rank; ++d) {
    const auto at = static_cast<size_t>(back[d]);
    std::vector<size_t> finer;
    for (const size_t row : rows) {
      for (size_t i = 0; i < static_cast<size_t>(x.dims[at]); ++i) {
        finer.push_back(row + i * strides[at + 1]);
      }
    }
    rows = std::move(finer);
  }
  return rows;
}

class FoldFlatten {
 public:
  explicit FoldFlatten(const Graph& graph) : rewrite_(graph) {}

  Graph run() {
    return rewrite_.run([this](const Node& node) { return fold(node); });
  }

 private:
  bool fold(const Node& node) {
    const bool gemm = node.op == "Gemm" && node.get<int64_t>("transA", 0) == 0;
    if (!gemm && node.op != "MatMul") return false;
    if (rewrite_.tensor(node.inputs[1]).dims.size() != 2) return false;
    const Loose* x = find(node.inputs[0]);
    if (x == nullptr || x->columns == 0) return false;
    const size_t axis = gemm && node.get<int64_t>("transB", 0) != 0 ? 1 : 0;
    const int32_t w = moved(node.inputs[1], axis, *x);
    if (w < 0) return false;
    Node dense = node;
    for (int32_t& t : dense.inputs) t = rewrite_.at(t);
    for (int32_t& t : dense.outputs) t = rewrite_.at(t);
    dense.inputs[0] = x->tensor;
    dense.inputs[1] = w;
    rewrite_.to.nodes.push_back(std::move(dense));
    return true;
  }

  // Null where no transpose can be left out.
  const Loose* find(int32_t old) {
    auto found = loose_.find(old);
    if (found == loose_.end()) found = loose_.emplace(old, search(old)).first;
    return found->second.tensor < 0 ? nullptr : &found->second;
  }

  Loose search(int32_t old) {
    const Node* node = rewrite_.producer(old);
    if (node == nullptr || !per_tensor(rewrite_.tensor(old))) return {};
    if (rewrite_.tensor(old).elements() == 0) return {};
    if (node->op == "Transpose" && node->attributes.count("perm") > 0) {
      return {rewrite_.at(node->inputs[0]), rewrite_.tensor(old).dims, node->get<Dims>("perm", {})};
    }
    // What comes from the image: a sum with a constant may name that first.
    size_t from = 0;
    while (from < node->inputs.size() && constant(node->inputs[from])) ++from;
    if (from == node->inputs.size() || !per_tensor(rewrite_.tensor(node->inputs[from]))) return {};
    const bool norm = node->op == "BatchNormalization";
    if (!norm && !is_broadcast(node->op) && !is_unary(node->op) && !is_view(node->op)) return {};
    const Loose* x = find(node->inputs[from]);
    if (x == nullptr || (norm && x->columns == 0)) return {};
    rewrite_.build.set_name(rewrite_.tensor(old).name + ".channels_last");
    if (is_view(node->op)) return x->columns == 0 ? joined(*node, *x) : Loose{};

    std::vector<int32_t> inputs;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const int32_t t = node->inputs[i];
      const int32_t input = i == from ? x->tensor : per_column(t, *x);
      if (input < 0) return {};
      inputs.push_back(input);
    }
    const Tensor& y = rewrite_.tensor(old);
    Loose result = *x;
    result.tensor = rewrite_.build.add_typed(node->op, std::move(inputs), node->attributes, y.dtype,
                                             y.quantization);
    return result;
  }

  // Behind a view that joins the last dimensions of the image and leaves the others where they are.
  Loose joined(const Node& view, const Loose& x) {
    const Tensor& from = rewrite_.tensor(view.inputs[0]);
    const Tensor& to = rewrite_.tensor(view.outputs[0]);
    if (to.dims.empty()) return {};
    Loose result = x;
    result.columns = 1;
    for (size_t first = from.dims.size(); first-- > 0;) {
      if (first < from.symbols.size() && !from.symbols[first].empty()) return {};
      result.first = first;
      result.columns *= from.dims[first];
      bool leads = result.columns == to.dims.back();
      for (size_t d = 0; d < first; ++d) leads &= x.perm[d] == static_cast<int64_t>(d);
      if (!leads) continue;
      result.tensor = reshaped(rewrite_.build, x.tensor, to.dims, to.symbols);
      return result;
    }
    return {};
  }

  bool constant(int32_t t) const { return t >= 0 && rewrite_.tensor(t).data != nullptr; }

  // A constant that has one value, or one for each column of the joined image, in its order; -1
  // for any other.
  int32_t per_column(int32_t t, const Loose& x) {
    if (!constant(t)) return -1;
    const Tensor& tensor = rewrite_.tensor(t);
    if (tensor.elements() == 1) return rewrite_.at(t);
    const bool last =
        tensor.dims.back() == x.columns && tensor.elements() == static_cast<size_t>(x.columns);
    return last ? moved(t, tensor.dims.size() - 1, x) : -1;
  }

  // A constant, or what DequantizeLinear and Transpose make of one, with the elements of `axis` in
  // the order of the image's; -1 for anything else.
  int32_t moved(int32_t old, size_t axis, const Loose& image) {
    const Tensor& tensor = rewrite_.tensor(old);
    rewrite_.build.set_name(tensor.name + ".channels_last");
    if (tensor.data) {
      const auto& q = tensor.quantization;
      const bool scaled = q && q->scales.size() > 1 && static_cast<size_t>(q->axis) == axis;
      if (scaled || mdl_dtype_bits(tensor.dtype) % 8 != 0) return -1;
      return moved_constant(tensor, axis, places(image));
    }
    const Node* node = rewrite_.producer(old);
    if (node == nullptr) return -1;
    const bool transpose = node->op == "Transpose";
    if (!transpose && node->op != "DequantizeLinear") return -1;
    if (transpose) axis = static_cast<size_t>(node->get<Dims>("perm", {})[axis]);
    const int32_t x = moved(node->inputs[0], axis, image);
    if (x < 0) return -1;
    rewrite_.build.set_name(tensor.name + ".channels_last");
    return rewrite_.build.add_typed(node->op, {x}, node->attributes, tensor.dtype,
                                    tensor.quantization);
  }

  int32_t moved_constant(const Tensor& tensor, size_t axis, const std::vector<size_t>& rows) {
    size_t inner = mdl_dtype_bits(tensor.dtype) / 8;
    for (size_t d = axis + 1; d < tensor.dims.size(); ++d) {
      inner *= static_cast<size_t>(tensor.dims[d]);
    }
    const size_t block = inner * rows.size();
    Bytes bytes(tensor.data->size());
    for (size_t at = 0; at < bytes.size(); at += block) {
      for (size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(&bytes[at + i * inner], &(*tensor.data)[at + rows[i] * inner], inner);
      }
    }
    Tensor copy = tensor;
    copy.name = rewrite_.build.name();
    copy.data = std::make_shared<const Bytes>(std::move(bytes));
    return rewrite_.build.add_tensor(std::move(copy));
  }

  Rewriter rewrite_;
  std::map<int32_t, Loose> loose_;
};

}  // namespace

Graph fold_flatten(const Graph& graph, PassContext&) { return FoldFlatten(graph).run(); }

}  // namespace medulla::tools
