// SPDX-License-Identifier: Apache-2.0
// Nodes of ONNX's opsets 1 to 6, said as opset 7 says them.
#include <algorithm>
#include <cmath>

#include "tools/import/onnx_importer.h"

namespace medulla::tools {
namespace {

using Type = onnx::AttributeProto;

[[noreturn]] void refuse_old(std::string reason, std::string attribute = "") {
  refuse(std::move(reason), "export with opset 7 or newer", std::move(attribute));
}

struct OldNode {
  onnx::NodeProto node;
  std::vector<int64_t> ranks;           // of the inputs; -1: left out
  std::string spare;                    // a name that no tensor has
  std::vector<onnx::NodeProto> before;  // makes `spare`

  // Takes the attribute away; none where there is none.
  std::optional<Type> take(const std::string& name, Type::AttributeType type) {
    auto& list = *node.mutable_attribute();
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const Type& a) { return a.name() == name; });
    if (found == list.end()) return {};
    Type attribute = *found;
    list.erase(found);
    if (attribute.type() != type) refuse_old("is of another type than ONNX gives it", name);
    return attribute;
  }

  Type* add(const std::string& name, Type::AttributeType type) {
    Type* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }

  onnx::NodeProto& add_before(const std::string& op) {
    onnx::NodeProto& maker = before.emplace_back();
    maker.set_op_type(op);
    maker.set_name(name_of(node) + "/" + op);
    maker.add_output(spare);
    return maker;
  }

  // Input 1 gets more dimensions of one element at its end.
  void append_ones(int64_t count) {
    if (count <= 0) return;
    onnx::NodeProto& unsqueeze = add_before("Unsqueeze");
    unsqueeze.add_input(node.input(1));
    Type* axes = unsqueeze.add_attribute();
    axes->set_name("axes");
    axes->set_type(Type::INTS);
    for (int64_t i = 0; i < count; ++i) axes->add_ints(ranks[1] + i);
    node.set_input(1, spare);
  }
};

// Input 1 had its place among the dimensions of input 0 by its first one; since opset 7 it has it
// by its last.
void bring_broadcast(OldNode& old) {
  const auto broadcast = old.take("broadcast", Type::INT);
  const auto axis = old.take("axis", Type::INT);
  if (old.ranks.size() != 2) return;  // refused by its count of inputs
  const int64_t a = old.ranks[0], b = old.ranks[1];
  const std::string ranks =
      "its inputs have " + std::to_string(a) + " and " + std::to_string(b) + " dimensions";
  if (!broadcast || broadcast->i() == 0) {
    if (a != b) refuse_old("is not set, and " + ranks, "broadcast");
    return;
  }
  if (!axis) return;
  if (axis->i() < 0 || axis->i() > a - b) {
    refuse_old("is " + std::to_string(axis->i()) + ", and " + ranks, "axis");
  }
  old.append_ones(a - b - axis->i());
}

// A slope for each channel.
void bring_prelu(OldNode& old) {
  if (old.ranks.size() == 2 && old.ranks[1] == 1) old.append_ones(old.ranks[0] - 2);
}

void bring_batch_normalization(OldNode& old) {
  const auto is_test = old.take("is_test", Type::INT);
  if (is_test && is_test->i() == 0) refuse_old("is 0, a step of training", "is_test");
}

void bring_cast(OldNode& old) {
  const auto to = old.take("to", Type::STRING);
  if (!to) return;
  onnx::TensorProto::DataType type;
  if (!onnx::TensorProto::DataType_Parse(to->s(), &type)) {
    refuse_old("is '" + to->s() + "', which is no type of ONNX", "to");
  }
  old.add("to", Type::INT)->set_i(type);
}

void bring_concat(OldNode& old) {
  const auto axis = old.take("axis", Type::INT);
  old.add("axis", Type::INT)->set_i(axis ? axis->i() : 1);
}

// At inference it hands on what it reads, whatever is_test says.
void bring_dropout(OldNode& old) { old.take("is_test", Type::INT); }

void bring_gemm(OldNode& old) { old.take("broadcast", Type::INT); }

void bring_lp_pool(OldNode& old) {
  const auto p = old.take("p", Type::FLOAT);
  if (!p) return;
  if (!(p->f() >= 1 && p->f() <= 1024 && p->f() == std::floor(p->f()))) {
    refuse_old("is " + number_text(static_cast<double>(p->f())) + ", no whole number", "p");
  }
  old.add("p", Type::INT)->set_i(static_cast<int64_t>(p->f()));
}

void bring_pad(OldNode& old) {
  for (auto& attribute : *old.node.mutable_attribute()) {
    if (attribute.name() == "paddings") attribute.set_name("pads");
  }
}

// Y was made where this was set; now it is made where it is read.
void bring_recurrent(OldNode& old) { old.take("output_sequence", Type::INT); }

void bring_reshape(OldNode& old) {
  const auto shape = old.take("shape", Type::INTS);
  if (!shape) refuse_old("is missing", "shape");
  Type* value = old.add_before("Constant").add_attribute();
  value->set_name("value");
  value->set_type(Type::TENSOR);
  value->mutable_t()->set_data_type(onnx::TensorProto::INT64);
  value->mutable_t()->add_dims(shape->ints_size());
  *value->mutable_t()->mutable_int64_data() = shape->ints();
  old.node.add_input(old.spare);
}

void bring_selu(OldNode& old) {
  const auto alpha = old.take("alpha", Type::FLOAT);
  const auto gamma = old.take("gamma", Type::FLOAT);
  old.add("alpha", Type::FLOAT)->set_f(alpha ? alpha->f() : 1.6732f);
  old.add("gamma", Type::FLOAT)->set_f(gamma ? gamma->f() : 1.0507f);
}

void bring_split(OldNode& old) {
  if (old.ranks.size() > 1) refuse_old("has the sizes of its outputs as an input");
}

void bring_tile(OldNode&) { refuse_old("is said by 'tiles' and 'axis', which are not taken"); }

void bring_upsample(OldNode& old) {
  const auto height = old.take("height_scale", Type::FLOAT);
  const auto width = old.take("width_scale", Type::FLOAT);
  if (!height || !width) refuse_old("height_scale or width_scale is missing");
  Type* scales = old.add("scales", Type::FLOATS);
  for (const float scale : {1.0f, 1.0f, height->f(), width->f()}) scales->add_floats(scale);
  const auto mode = old.take("mode", Type::STRING);
  if (!mode) return;
  old.add("mode", Type::STRING)->set_s(mode->s() == "bilinear" ? "linear" : mode->s());
}

// What changed between opset 1 and 7 beside the dtypes.
struct Row {
  const char* op;
  int64_t before;  // the opset that has it as opset 7
  void (*bring)(OldNode& old);
};
constexpr Row kRows[] = {
    {"Add", 7, bring_broadcast},
    {"And", 7, bring_broadcast},
    {"BatchNormalization", 7, bring_batch_normalization},
    {"Cast", 6, bring_cast},
    {"Concat", 4, bring_concat},
    {"Div", 7, bring_broadcast},
    {"Dropout", 7, bring_dropout},
    {"Equal", 7, bring_broadcast},
    {"GRU", 7, bring_recurrent},
    {"Gemm", 7, bring_gemm},
    {"GlobalLpPool", 2, bring_lp_pool},
    {"Greater", 7, bring_broadcast},
    {"LSTM", 7, bring_recurrent},
    {"Less", 7, bring_broadcast},
    {"LpPool", 2, bring_lp_pool},
    {"Mul", 7, bring_broadcast},
    {"Or", 7, bring_broadcast},
    {"PRelu", 7, bring_prelu},
    {"Pad", 2, bring_pad},
    {"Pow", 7, bring_broadcast},
    {"RNN", 7, bring_recurrent},
    {"Reshape", 5, bring_reshape},
    {"Selu", 6, bring_selu},
    {"Split", 2, bring_split},
    {"Sub", 7, bring_broadcast},
    {"Tile", 6, bring_tile},
    {"Upsample", 7, bring_upsample},
    {"Xor", 7, bring_broadcast},
};

// The last stands in the node's place.
std::vector<onnx::NodeProto> bring_to_oldest(OldNode old, int64_t opset) {
  if (opset < 6) old.take("consumed_inputs", Type::INTS);  // what might be overwritten
  for (const Row& row : kRows) {
    if (old.node.op_type() == row.op && opset < row.before) row.bring(old);
  }
  old.before.push_back(std::move(old.node));
  return std::move(old.before);
}

}  // namespace

bool OnnxImporter::is_old(const onnx::NodeProto& proto) const {
  return opset_ < kOldestOpset && rules_.opset_of(proto) == kOldestOpset &&
         is_default_domain(proto.domain());
}

void OnnxImporter::add_node(const onnx::NodeProto& proto) {
  if (!is_old(proto)) return convert_node(proto);
  OldNode old{proto, {}, first_output(proto) + "/older", {}};
  for (const std::string& name : proto.input()) {
    const int32_t tensor = name.empty() ? -1 : find(name);
    if (tensor < 0 && !name.empty()) {
      return refuse_node(proto, rules_.why_unmade(*source_, proto, name));
    }
    old.ranks.push_back(tensor < 0 ? -1 : build_.rank(tensor));
  }
  if (depends_on_refused(proto)) {
    if (find_row(proto) != nullptr) pass_over(proto);
    return;
  }
  while (find(old.spare) >= 0) old.spare += "'";
  read_.insert(old.spare);
  try {
    for (const auto& node : bring_to_oldest(std::move(old), opset_)) convert_node(node);
  } catch (const Refused& why) {
    refuse_node(proto, why);
  }
}

}  // namespace medulla::tools
