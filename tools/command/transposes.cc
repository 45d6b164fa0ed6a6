// SPDX-License-Identifier: Apache-2.0
#include "tools/command/transposes.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "src/ops/op.h"

namespace medulla::tools {
namespace {

using Extents = std::vector<int64_t>;

// What a Transpose does, extents of 1 left out.
struct Move {
  Extents from;
  std::vector<uint32_t> perm;
};

Extents extents_of(const mdl_tensor& tensor) {
  Extents extents;
  std::copy_if(tensor.dims, tensor.dims + tensor.rank, std::back_inserter(extents),
               [](int64_t d) { return d != 1; });
  return extents;
}

Move move_of(const NodeView& node) {
  const mdl_tensor& x = *node.input(0);
  const auto perm = node.ints("perm");
  Move move{extents_of(x), {}};
  for (uint32_t d = 0; d < x.rank; ++d) {
    const auto source = perm.empty() ? x.rank - 1 - d : static_cast<uint32_t>(perm[d]);
    if (x.dims[source] == 1) continue;
    const auto before = std::count_if(x.dims, x.dims + source, [](int64_t n) { return n != 1; });
    move.perm.push_back(static_cast<uint32_t>(before));
  }
  return move;
}

class Counter {
 public:
  explicit Counter(const mdl_graph& graph) : graph_(graph) {
    readers_.resize(graph.tensor_count);
    for (size_t n = 0; n < graph.node_count; ++n) {
      const mdl_node& node = graph.nodes[n];
      for (uint32_t i = 0; i < node.input_count; ++i) {
        if (node.inputs[i] >= 0) readers_[static_cast<size_t>(node.inputs[i])].push_back(&node);
      }
    }
  }

  Transposes count() const {
    Transposes counts;
    for (size_t n = 0; n < graph_.node_count; ++n) {
      const mdl_node& node = graph_.nodes[n];
      if (std::string(node.op) != "Transpose") continue;
      const Move move = move_of({graph_, node});
      if (std::is_sorted(move.perm.begin(), move.perm.end())) continue;
      ++(is_interleaving(node)        ? counts.interleaved
         : from_input(node.inputs[0]) ? counts.inputs
         : to_output(node.outputs[0]) ? counts.outputs
         : is_shuffle(node, move)     ? counts.shuffles
                                      : counts.inside);
    }
    return counts;
  }

 private:
  const mdl_tensor& tensor(int32_t t) const { return graph_.tensors[t]; }

  static bool is_view(const mdl_node& node) {
    const Op* op = find_op(node.op);
    return op != nullptr && op->view;
  }

  // The tensor that the node only scales, rounds or gives another shape; -1: it does more.
  int32_t dressed(const mdl_node& node) const {
    static const std::set<std::string> kLight = {"Add", "Cast",     "Clip", "DequantizeLinear",
                                                 "Div", "Identity", "Mul",  "QuantizeLinear",
                                                 "Sub"};
    if (!is_view(node) && kLight.count(node.op) == 0) return -1;
    int32_t varying = -1;
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] < 0 || tensor(node.inputs[i]).data != nullptr) continue;
      if (varying >= 0) return -1;
      varying = node.inputs[i];
    }
    return varying;
  }

  bool from_input(int32_t t) const {
    while (t >= 0 && tensor(t).producer >= 0) t = dressed(graph_.nodes[tensor(t).producer]);
    return t >= 0 && (tensor(t).flags & MDL_TENSOR_INPUT) != 0;
  }

  bool to_output(int32_t t) const {
    if ((tensor(t).flags & MDL_TENSOR_OUTPUT) != 0) return true;
    const auto& readers = readers_[static_cast<size_t>(t)];
    return std::any_of(readers.begin(), readers.end(), [&](const mdl_node* node) {
      return dressed(*node) == t && to_output(node->outputs[0]);
    });
  }

  // From [N, H, W, phases of H, phases of W, C], as a convolution's channels may be read.
  bool is_interleaving(const mdl_node& node) const {
    constexpr int64_t kPerm[] = {0, 1, 3, 2, 4, 5};
    const auto perm = NodeView(graph_, node).ints("perm");
    const int32_t maker = tensor(node.inputs[0]).producer;
    return std::equal(perm.begin(), perm.end(), std::begin(kPerm), std::end(kPerm)) && maker >= 0 &&
           is_view(graph_.nodes[maker]);
  }

  bool is_shuffle(const mdl_node& node, const Move& move) const {
    const size_t rank = move.perm.size();
    for (size_t d = 0; d + 2 < rank; ++d) {
      if (move.perm[d] != d) return false;
    }
    const auto joins = [&](const mdl_tensor& joined) {
      Extents whole(move.from.begin(), move.from.end() - 2);
      whole.push_back(move.from[rank - 2] * move.from[rank - 1]);
      return extents_of(joined) == whole;
    };
    const int32_t maker = tensor(node.inputs[0]).producer;
    if (maker < 0 || !is_view(graph_.nodes[maker])) return false;
    const auto& readers = readers_[static_cast<size_t>(node.outputs[0])];
    return joins(tensor(graph_.nodes[maker].inputs[0])) && !readers.empty() &&
           std::all_of(readers.begin(), readers.end(), [&](const mdl_node* reader) {
             return is_view(*reader) && joins(tensor(reader->outputs[0]));
           });
  }

  const mdl_graph& graph_;
  std::vector<std::vector<const mdl_node*>> readers_;
};

}  // namespace

Transposes count_transposes(const std::vector<PlacedGraph>& graphs) {
  Transposes all;
  for (const auto& [graph, path] : graphs) {
    const Transposes counts = Counter(*graph).count();
    (path.empty() ? all.inputs : all.inside) += counts.inputs;
    (path.empty() ? all.outputs : all.inside) += counts.outputs;
    all.shuffles += counts.shuffles;
    all.interleaved += counts.interleaved;
    all.inside += counts.inside;
  }
  return all;
}

}  // namespace medulla::tools
