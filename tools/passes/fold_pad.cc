// SPDX-License-Identifier: Apache-2.0
//   x -> Pad -> Conv -> y     x -> Conv(pads) -> y
//
// A Pad with what a convolution or a maximum pads with itself (0, z_x, the least value) becomes
// padding of that node. The Conv of a Pad that others read too leaves it to them.
#include <limits>

#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

class FoldPad {
 public:
  explicit FoldPad(const Graph& graph) : rewrite_(graph) {}

  Graph run() {
    return rewrite_.run([this](const Node& node) { return fold(node); });
  }

 private:
  bool fold(const Node& node) {
    const bool conv = node.op == "Conv" || node.op == "QConv";
    const bool max = node.op == "MaxPool" && node.outputs.size() == 1;
    if (!conv && !max) return false;
    const Node* pad = rewrite_.producer(node.inputs[0], "Pad");
    if (pad == nullptr || pad->get<std::string>("mode", "constant") != "constant") return false;
    const Tensor& x = rewrite_.tensor(pad->inputs[0]);
    const double value = pad->get<double>("value", 0);
    if (conv ? !adds_nothing(x, value) : !never_wins(x, value)) return false;

    const size_t rank = x.dims.size(), spatial = rank - 2;
    const Dims around = pad->get<Dims>("pads", {});
    Dims pads = node.get<Dims>("pads", Dims(2 * spatial, 0));
    for (size_t d = 0; d < rank; ++d) {
      const bool inside = d > 0 && d + 1 < rank;
      for (const size_t end : {size_t{0}, size_t{1}}) {
        const int64_t more = around[end * rank + d];
        if (more < 0 || (more > 0 && !inside)) return false;
        if (inside) pads[end * spatial + d - 1] += more;
      }
    }
    if (max && !reaches(node, pads)) return false;

    Node padded = node;
    padded.inputs[0] = pad->inputs[0];
    padded.attributes["pads"] = pads;
    rewrite_.keep(padded);
    return true;
  }

  static bool adds_nothing(const Tensor& x, double value) {
    if (x.dtype == MDL_FLOAT32) return value == 0;
    return x.quantization && value == x.quantization->zero_points[0];
  }

  static bool never_wins(const Tensor& x, double value) {
    if (x.dtype == MDL_INT8) return value == -128;
    return x.dtype == MDL_FLOAT32 &&
           value <= static_cast<double>(std::numeric_limits<float>::lowest());
  }

  // Every window has a value that is no padding, and none hangs over.
  static bool reaches(const Node& pool, const Dims& pads) {
    const Dims kernel = pool.get<Dims>("kernel_shape", {});
    if (pool.get<int64_t>("ceil_mode", 0) != 0) return false;
    for (const int64_t d : pool.get<Dims>("dilations", {})) {
      if (d != 1) return false;
    }
    for (size_t i = 0; i < pads.size(); ++i) {
      if (pads[i] >= kernel[i % kernel.size()]) return false;
    }
    return true;
  }

  Rewriter rewrite_;
};

}  // namespace

Graph fold_pad(const Graph& graph, PassContext&) { return FoldPad(graph).run(); }

}  // namespace medulla::tools
