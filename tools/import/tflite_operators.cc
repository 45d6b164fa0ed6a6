// SPDX-License-Identifier: Apache-2.0
// The operators of a subgraph, one by one. What one of them cannot take stands in nobody's way: its
// outputs are replaced by tensors of the declared type, and the next ones are looked at.
#include <algorithm>

#include "tools/import/tflite.h"

namespace medulla::tools {
namespace {

using Op = tflite::BuiltinOperator;

// What somebody else's custom operators are, and what to convert in their place.
struct CustomRow {
  const char* code;
  const char* reason;
  const char* rewrite;
};
constexpr CustomRow kCustom[] = {
    {"edgetpu-custom-op", "is compiled for the Edge TPU, and only that can run it",
     "convert the .tflite file that edgetpu_compiler was given"},
    {"ethos-u", "is compiled for an Arm Ethos-U, and only that can run it",
     "convert the .tflite file that Vela was given"},
    {"TFLite_Detection_PostProcess", "is a detector's selection of boxes, no builtin operator",
     "cut the model in front of it and select in the application"},
    {"Flex", "is an operator of TensorFlow itself", "export with builtin operators alone"},
};

class Operators {
 public:
  explicit Operators(TfliteScope& scope) : scope_(scope) {}

  void run();

 private:
  void add(const tflite::Operator& proto, size_t index);
  void convert(const tflite::Operator& proto, Op op);
  bool defined(int32_t id);
  [[noreturn]] void refuse_unmade(int32_t id) const;
  void refuse_node(const tflite::Operator& proto, const Refused& why);
  void stand_in(const tflite::Operator& proto);

  TfliteScope& scope_;
  std::string name_, op_;
};

void Operators::run() {
  if (scope_.subgraph.operators() == nullptr) return;
  size_t index = 0;
  for (const tflite::Operator* proto : *scope_.subgraph.operators()) add(*proto, index++);
}

// Constants become tensors when they are first read. False: nothing makes it.
bool Operators::defined(int32_t id) {
  TfliteValue& value = scope_.values[static_cast<size_t>(id)];
  const tflite::Tensor& tensor = scope_.tensor(id);
  if (value.stored >= 0 || !value.variable.empty() || tensor.is_variable()) return true;
  const auto* shape = tensor.shape();
  const bool empty = shape != nullptr && std::find(shape->begin(), shape->end(), 0) != shape->end();
  if (!empty && scope_.file.bytes_of(tensor).empty()) return false;
  value.stored = scope_.build.add_tensor(constant_of(scope_, id));
  return true;
}

// What reads the tensor comes before what makes it, in a cycle too.
void Operators::refuse_unmade(int32_t id) const {
  size_t index = 0;
  for (const tflite::Operator* proto : *scope_.subgraph.operators()) {
    const std::vector<int32_t> made = ids(proto->outputs());
    if (std::find(made.begin(), made.end(), id) != made.end()) {
      refuse("is read, but nothing before makes it: operator " + std::to_string(index) +
                 " does, which is listed behind or reads what this one makes",
             "export the model again");
    }
    ++index;
  }
  refuse("is read, but nothing before makes it", "export the model again");
}

void Operators::add(const tflite::Operator& proto, size_t index) {
  const auto* codes = scope_.file.model().operator_codes();
  op_ = "operator " + std::to_string(index);
  name_ = "";
  if (codes != nullptr && proto.opcode_index() < codes->size()) {
    const tflite::OperatorCode& code = *codes->Get(proto.opcode_index());
    op_ = tflite::EnumNameBuiltinOperator(
        std::max(code.builtin_code(), static_cast<Op>(code.old_builtin_code())));
  }
  for (const int32_t id : ids(proto.outputs())) {
    const bool is_there = id >= 0 && id < static_cast<int32_t>(scope_.values.size());
    if (name_.empty() && is_there) name_ = scope_.name_of(id);
  }
  for (const auto* list : {proto.inputs(), proto.outputs()}) {
    for (const int32_t id : ids(list)) {
      if (id < -1 || id >= static_cast<int32_t>(scope_.values.size())) {
        return refuse_node(proto, {"",
                                   "names tensor " + std::to_string(id) + " of " +
                                       std::to_string(scope_.values.size()),
                                   "export the model again"});
      }
    }
  }
  if (codes == nullptr || proto.opcode_index() >= codes->size()) {
    return refuse_node(proto, {"",
                               "has the code " + std::to_string(proto.opcode_index()) +
                                   ", which the file does not list",
                               ""});
  }
  const tflite::OperatorCode& code = *codes->Get(proto.opcode_index());
  const Op op = std::max(code.builtin_code(), static_cast<Op>(code.old_builtin_code()));
  op_ = tflite::EnumNameBuiltinOperator(op);
  if (op_.empty()) op_ = "operator " + std::to_string(static_cast<int>(op));
  if (op == Op::CUSTOM) {
    op_ = code.custom_code() == nullptr ? "" : code.custom_code()->str();
    ++scope_.report.nodes_before[op_];
    for (const CustomRow& row : kCustom) {
      if (op_.starts_with(row.code)) return refuse_node(proto, {"", row.reason, row.rewrite});
    }
    return refuse_node(proto, {"", "is a custom operator, which the file does not define",
                               "export with builtin operators alone"});
  }
  ++scope_.report.nodes_before[op_];
  convert(proto, op);
}

void Operators::convert(const tflite::Operator& proto, Op op) {
  const auto rows = tflite_table();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.op == op; });
  if (row == rows.end()) {
    return refuse_node(proto, {"", "Medulla has no such operator",
                               "express it by those that docs/convert.md lists for it"});
  }
  scope_.build.set_name(name_.empty() ? op_ : name_);
  const size_t first_new = scope_.build.graph().tensors.size();
  try {
    for (const int32_t id : ids(proto.inputs())) {
      if (id < 0) continue;
      try {
        if (!defined(id)) refuse_unmade(id);
      } catch (const Refused& why) {
        refuse("input '" + scope_.name_of(id) + "' " + why.reason, why.rewrite);
      }
      if (scope_.values[static_cast<size_t>(id)].stands_in) return stand_in(proto);
    }
    TfliteNode node{scope_, proto, op, scope_.build};
    row->convert(node);
    for (const int32_t id : ids(proto.outputs())) {
      if (id < 0) continue;
      const TfliteValue& value = scope_.values[static_cast<size_t>(id)];
      if (value.stored >= static_cast<int32_t>(first_new)) {
        scope_.build.graph().tensors[static_cast<size_t>(value.stored)].name = scope_.name_of(id);
      }
    }
  } catch (const BodyRefused&) {
    stand_in(proto);
  } catch (const Refused& why) {
    refuse_node(proto, why);
  } catch (const std::exception& why) {
    refuse_node(proto, {"", why.what(), ""});
  }
}

void Operators::refuse_node(const tflite::Operator& proto, const Refused& why) {
  scope_.report.refusals.push_back(
      {name_.empty() ? "operator" : name_, op_, why.attribute, 0, why.reason, why.rewrite});
  stand_in(proto);
}

// So that the nodes behind a refused one are looked at too: outputs of the declared type. Of
// integers the values may matter, so what reads them is left out.
void Operators::stand_in(const tflite::Operator& proto) {
  for (const int32_t id : ids(proto.outputs())) {
    if (id < 0 || id >= static_cast<int32_t>(scope_.values.size())) continue;
    TfliteValue& value = scope_.values[static_cast<size_t>(id)];
    value = {};
    try {
      Tensor tensor = scope_.declared(id);
      value.stands_in = tensor.dtype != MDL_FLOAT32 && !tensor.quantization;
      value.stored = scope_.build.add_tensor(std::move(tensor));
    } catch (const Refused&) {
      value.stands_in = true;
      value.stored = scope_.build.add_tensor({});
    }
  }
}

}  // namespace

void convert_operators(TfliteScope& scope) { Operators(scope).run(); }

}  // namespace medulla::tools
