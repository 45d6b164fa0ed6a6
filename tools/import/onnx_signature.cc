// SPDX-License-Identifier: Apache-2.0
// How many inputs and which attributes an operator has in versions of ONNX that the installed
// library does not check: its newest schema, and what has changed since 1.12.
#include <onnx/defs/schema.h>

#include <climits>
#include <set>
#include <sstream>

#include "tools/import/onnx_rules.h"

namespace medulla::tools {
namespace {

using Type = onnx::AttributeProto;

// `attributes`: those that the operator has from opset `since` on beside older ones, with their
// types; -name is gone. max_inputs 0: as before.
struct Change {
  const char* op;
  int since;
  int min_inputs;
  int max_inputs;
  const char* attributes;
};

constexpr const char* kReduce = "noop_with_empty_axes:int -axes";

constexpr Change kChanges[] = {
    {"AffineGrid", 20, 2, 2, "align_corners:int"},
    {"Attention", 23, 3, 6,
     "is_causal:int kv_num_heads:int q_num_heads:int qk_matmul_output_mode:int scale:float "
     "softcap:float softmax_precision:int"},
    {"Attention", 24, 3, 7, ""},
    {"Attention", 25, 3, 7, "left_window_size:int right_window_size:int"},
    {"AveragePool", 19, 1, 0, "dilations:ints"},
    {"BitCast", 26, 1, 1, "to:int"},
    {"BitwiseAnd", 18, 2, 2, ""},
    {"BitwiseNot", 18, 1, 1, ""},
    {"BitwiseOr", 18, 2, 2, ""},
    {"BitwiseXor", 18, 2, 2, ""},
    {"Cast", 19, 1, 0, "saturate:int"},
    {"Cast", 24, 1, 0, "round_mode:string"},
    {"CastLike", 19, 2, 0, "saturate:int"},
    {"CastLike", 24, 2, 0, "round_mode:string"},
    {"CausalConvWithState", 27, 2, 4, "activation:string"},
    {"CenterCropPad", 18, 2, 2, "axes:ints"},
    {"Col2Im", 18, 3, 3, "dilations:ints pads:ints strides:ints"},
    {"CumProd", 26, 2, 2, "exclusive:int reverse:int"},
    {"DFT", 20, 1, 3, "-axis"},
    {"DeformConv", 19, 3, 5,
     "dilations:ints group:int kernel_shape:ints offset_group:int pads:ints strides:ints"},
    {"DequantizeLinear", 21, 2, 0, "block_size:int"},
    {"DequantizeLinear", 23, 2, 0, "output_dtype:int"},
    {"Gelu", 20, 1, 1, "approximate:string"},
    {"GroupNormalization", 18, 3, 3, "epsilon:float num_groups:int"},
    {"GroupNormalization", 21, 3, 3, "stash_type:int"},
    {"LpPool", 18, 1, 0, "ceil_mode:int dilations:ints"},
    {"Mish", 18, 1, 1, ""},
    {"Pad", 18, 2, 4, ""},
    {"QuantizeLinear", 19, 2, 0, "saturate:int"},
    {"QuantizeLinear", 21, 2, 0, "block_size:int output_dtype:int"},
    {"QuantizeLinear", 23, 2, 0, "precision:int"},
    {"RMSNormalization", 23, 2, 2, "axis:int epsilon:float stash_type:int"},
    {"Range", 27, 3, 3, "stash_type:int"},
    {"ReduceL1", 18, 1, 2, kReduce},
    {"ReduceL2", 18, 1, 2, kReduce},
    {"ReduceLogSum", 18, 1, 2, kReduce},
    {"ReduceLogSumExp", 18, 1, 2, kReduce},
    {"ReduceMax", 18, 1, 2, kReduce},
    {"ReduceMean", 18, 1, 2, kReduce},
    {"ReduceMin", 18, 1, 2, kReduce},
    {"ReduceProd", 18, 1, 2, kReduce},
    {"ReduceSumSquare", 18, 1, 2, kReduce},
    {"Resize", 18, 1, 0, "antialias:int axes:ints keep_aspect_ratio_policy:string"},
    {"RotaryEmbedding", 23, 3, 4, "interleaved:int num_heads:int rotary_embedding_dim:int"},
    {"SpaceToDepth", 28, 1, 1, "mode:string"},
    {"Split", 18, 1, 0, "num_outputs:int"},
    {"SwiGLU", 28, 2, 2, "alpha:float"},
    {"Swish", 24, 1, 1, "alpha:float"},
    {"TensorScatter", 24, 2, 3, "axis:int mode:string"},
};

struct Signature {
  bool known = false;
  int min_inputs = 0;
  int max_inputs = INT_MAX;
  int max_outputs = INT_MAX;
  std::set<int> optional;  // inputs that may be left out though others follow
  std::map<std::string, std::string> attributes;  // types by name
};

std::string type_name(int type) {
  std::string name =
      onnx::AttributeProto_AttributeType_Name(static_cast<Type::AttributeType>(type));
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return name;
}

void apply(const Change& change, Signature& s) {
  s.known = true;
  s.min_inputs = change.min_inputs;
  if (change.max_inputs > 0) s.max_inputs = change.max_inputs;
  std::istringstream words(change.attributes);
  for (std::string word; words >> word;) {
    if (word[0] == '-') {
      s.attributes.erase(word.substr(1));
    } else {
      const size_t colon = word.find(':');
      s.attributes[word.substr(0, colon)] = word.substr(colon + 1);
    }
  }
}

Signature signature_of(const std::string& op, int64_t opset) {
  Signature s;
  const auto version = static_cast<int>(std::min<int64_t>(opset, INT_MAX));
  if (const auto* schema = onnx::OpSchemaRegistry::Schema(op, version, "")) {
    s.known = true;
    s.min_inputs = schema->min_input();
    s.max_inputs = schema->max_input();
    s.max_outputs = schema->max_output();
    const auto& inputs = schema->inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool may_be_absent = inputs[i].GetOption() == onnx::OpSchema::Optional;
      if (may_be_absent) s.optional.insert(static_cast<int>(i));
    }
    for (const auto& [name, a] : schema->attributes()) s.attributes[name] = type_name(a.type);
    for (const Change& change : kChanges) {
      if (op == change.op && opset >= change.since && schema->since_version() < change.since) {
        apply(change, s);
      }
    }
    return s;
  }
  for (const Change& change : kChanges) {
    if (op == change.op && opset >= change.since) apply(change, s);
  }
  return s;
}

void require_count(const char* what, int count, int least, int most) {
  if (count >= least && count <= most) return;
  refuse("has " + std::to_string(count) + " " + what + ", should have " + std::to_string(least) +
             (most == least     ? ""
              : most == INT_MAX ? " or more"
                                : " to " + std::to_string(most)),
         "export the model anew");
}

}  // namespace

void check_signature(const onnx::NodeProto& node, int64_t opset) {
  const Signature s = signature_of(node.op_type(), opset);
  if (!s.known) return;
  require_count("inputs", node.input_size(), s.min_inputs, s.max_inputs);
  require_count("outputs", node.output_size(), 1, s.max_outputs);
  for (int i = 0; i < s.min_inputs; ++i) {
    if (node.input(i).empty() && s.optional.count(i) == 0)
      refuse("input " + std::to_string(i) + " is missing");
  }
  std::set<std::string> seen;
  for (const auto& a : node.attribute()) {
    const auto found = s.attributes.find(a.name());
    if (found == s.attributes.end()) {
      refuse("the operator has no such attribute in this opset", "export the model anew", a.name());
    }
    if (type_name(a.type()) != found->second) {
      refuse("has type " + type_name(a.type()) + ", should be " + found->second, "", a.name());
    }
    if (!seen.insert(a.name()).second) refuse("stands twice", "", a.name());
  }
}

}  // namespace medulla::tools
