// SPDX-License-Identifier: Apache-2.0
// The state of form_integer_nodes.
#ifndef MEDULLA_TOOLS_PASSES_INTEGER_FORMER_H_
#define MEDULLA_TOOLS_PASSES_INTEGER_FORMER_H_

#include <array>
#include <set>

#include "tools/passes/integer.h"
#include "tools/passes/pass.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {

class IntegerFormer {
 public:
  IntegerFormer(const Graph& graph, PassContext& context)
      : rewrite_(graph), build_(rewrite_.build), context_(context) {}

  Graph run();

 private:
  // The end of an integer node: the QuantizeLinear that rounds it, and the range that activations
  // on the way leave. None: the node has a float output, with `steps` in steps of y's scale.
  struct End {
    const Node* quantize = nullptr;
    Quantization y;
    mdl_dtype dtype = MDL_INT8;  // y's
    int64_t qmin = -128, qmax = 127;
    bool steps = false;
  };
  struct Bias {
    bool ok = false;
    int32_t tensor = -1;
    std::vector<int64_t> values;  // of an integer bias
  };
  // What a float tensor has for each value, -128 to 127, of an int8 tensor of the new graph.
  struct Function {
    int32_t of;
    std::array<float, 256> values;
    int32_t dequantized;  // the int8 tensor that it is the DequantizeLinear of; -1: something else
  };
  struct Table {
    int32_t of;
    std::array<int8_t, 256> values;
  };

  // The new graph's int8 or int16 tensor that a float tensor of the old one is the DequantizeLinear
  // of.
  std::optional<int32_t> integers(int32_t old) const {
    const auto found = integers_.find(old);
    if (found == integers_.end()) return {};
    return found->second;
  }
  // The same, with one scale for the whole tensor, of int8 or int16.
  std::optional<int32_t> wide_activation(int32_t old) const {
    const auto q = integers(old);
    return q && quantization(*q).scales.size() == 1 ? q : std::nullopt;
  }
  // Of int8.
  std::optional<int32_t> activation(int32_t old) const {
    const auto q = wide_activation(old);
    return q && dtype(*q) == MDL_INT8 ? q : std::nullopt;
  }
  mdl_dtype dtype(int32_t id) const { return build_.tensor(id).dtype; }
  const Quantization& quantization(int32_t id) const { return *build_.tensor(id).quantization; }
  float scale(int32_t id) const { return quantization(id).scales[0]; }
  static std::optional<float> scale_of(const End& end) {
    return end.quantize != nullptr || end.steps ? std::optional<float>(end.y.scales[0])
                                                : std::nullopt;
  }

  // Each appends what takes the place of a node and returns true, or does nothing.
  bool form(const Node& node);
  bool dequantize(const Node& node);
  bool quantize_again(const Node& node);
  bool move(const Node& node, Attributes attributes);
  bool add(const Node& node);
  bool mul(const Node& node);
  bool concat(const Node& node);
  bool average_pool(const Node& node);
  bool global_average_pool(const Node& node);
  bool pad(const Node& node);
  bool resize(const Node& node);
  bool find(const Node& node);  // the index of the greatest or least
  // In form_integer_layers.cc.
  bool conv(const Node& node, const End& end);
  bool conv_transpose(const Node& node);
  bool gemm(const Node& node, const End& end);
  bool matmul(const Node& node, const End& end);
  // Conv, Gemm or MatMul; false where it is none of them.
  bool weighted(const Node& node, const End& end);
  // Whether a layer is left to the Add that alone reads it, and is quantized.
  bool wait_for_add(const Node& node);
  bool add_to_layer(const Node& node);
  bool batch_normalization(const Node& node);
  bool layer_normalization(const Node& node);
  // In form_integer_tables.cc.
  bool function(const Node& node);
  bool look_up(const Node& node);
  bool softmax(const Node& node);

  // An integer node gives what it takes: an end of another dtype is none.
  End end_of(const Node& node) const;
  // Appends an integer node on the way to `end` and returns its output.
  int32_t make(const Node& node, const End& end, const char* op, std::vector<int32_t> inputs,
               Attributes attributes, uint32_t version = 1);
  // Lets a tensor of the new graph stand for a node and what follows it up to its end.
  void finish(const Node& node, const End& end, int32_t y);
  void emit(const Node& node, const End& end, const char* op, std::vector<int32_t> inputs,
            Attributes attributes) {
    finish(node, end, make(node, end, op, std::move(inputs), std::move(attributes)));
  }
  // The node on integers, and a DequantizeLinear for those who want its output as float.
  void emit_moved(const Node& node, std::vector<int32_t> inputs, Attributes attributes,
                  Quantization q);

  // The tensor of the old graph, or what it is the DequantizeLinear of.
  const Tensor& parameter(int32_t old) const;
  // Weights with a scale and a zero point for each row, or nothing.
  std::optional<int32_t> weights_by_row(int32_t w);
  // The bias in units of s_x * s_w[c], int32 or for an int16 x int64, or in float for a float
  // output. `channels`: which channel of the node each row of w is; empty: in order.
  Bias bias_of(const Node& node, int32_t x, int32_t w, const std::vector<size_t>& channels,
               bool to_float);
  // The output of an integer layer: inputs x, w, bias, multiplier; sums; the proof.
  std::optional<int32_t> layer(const Node& node, const End& end, const char* op, int32_t x,
                               int32_t w, Attributes attributes,
                               const std::vector<size_t>& channels = {});
  bool product(const Node& node, const End& end, const char* op, int32_t x, int32_t w,
               Attributes attributes);
  bool dense(const Node& node, const End& end, bool transposed);

  std::optional<Function> function_of(int32_t old) const;

  Rewriter rewrite_;
  Builder& build_;
  PassContext& context_;
  std::map<int32_t, int32_t> integers_;
  std::map<int32_t, Function> functions_;  // by tensors of the old graph
  std::map<int32_t, Table> tables_;        // by the outputs of QLookup
  std::set<const Node*> done_;
  std::set<const Node*> waiting_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_INTEGER_FORMER_H_
