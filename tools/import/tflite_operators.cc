// SPDX-License-Identifier: Apache-2.0
// The operators of a subgraph, one by one. What one of them cannot take stands in nobody's way: its
// outputs are replaced by tensors of the declared type, and the next ones are looked at.
#include <algorithm>

#include "tools/import/cycle.h"
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
  void convert(const tflite::Operator& proto, Op op, size_t index);
  bool defined(int32_t id);
  void require_own_outputs(const tflite::Operator& proto, size_t index);
  void require_scales(const tflite::Operator& proto, Op op) const;
  std::string name_of(const tflite::Operator& proto) const;
  [[noreturn]] void refuse_unmade(const tflite::Operator& proto, int32_t id);
  void refuse_node(const tflite::Operator& proto, const Refused& why);
  void stand_in(const tflite::Operator& proto);

  TfliteScope& scope_;
  std::string name_, op_;
  std::map<int32_t, size_t> writers_;   // by tensor: operators so far
  std::map<int32_t, uint32_t> makers_;  // all, once one is asked for
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

// Of its first output.
std::string Operators::name_of(const tflite::Operator& proto) const {
  for (const int32_t id : ids(proto.outputs())) {
    if (id >= 0 && id < static_cast<int32_t>(scope_.values.size())) return scope_.name_of(id);
  }
  return "";
}

// A tensor has one value in a run.
void Operators::require_own_outputs(const tflite::Operator& proto, size_t index) {
  const std::vector<int32_t> inputs = ids(scope_.subgraph.inputs());
  for (const int32_t id : ids(proto.outputs())) {
    if (id < 0) continue;
    const std::string writes = "writes '" + scope_.name_of(id) + "', which ";
    if (std::find(inputs.begin(), inputs.end(), id) != inputs.end()) {
      refuse(writes + "is an input of its graph", "export the model again");
    }
    const auto [writer, is_new] = writers_.emplace(id, index);
    if (!is_new) {
      refuse(writes + "operator " + std::to_string(writer->second) + " writes too",
             "export the model again");
    }
  }
}

// Integers that mean real numbers say which: all of one type that an operator has, or none.
void Operators::require_scales(const tflite::Operator& proto, Op op) const {
  using T = tflite::TensorType;
  const bool mixes = op == Op::CAST || op == Op::IF || op == Op::WHILE;
  std::map<T, int32_t> scaled;
  std::vector<int32_t> plain;
  for (const auto* list : {proto.inputs(), proto.outputs()}) {
    for (const int32_t id : ids(list)) {
      if (id < 0) continue;
      const tflite::Tensor& tensor = scope_.tensor(id);
      const T type = tensor.type();
      if (type != T::INT8 && type != T::UINT8 && type != T::INT16) continue;
      if (is_quantized(tensor)) {
        scaled.emplace(type, id);
      } else {
        plain.push_back(id);
      }
    }
  }
  for (const int32_t id : plain) {
    const tflite::Tensor& tensor = scope_.tensor(id);
    const auto* q = tensor.quantization();
    const std::string what = "tensor '" + scope_.name_of(id) + "' ";
    if (q != nullptr && q->zero_point() != nullptr && q->zero_point()->size() > 0) {
      refuse(what + "has a zero point and no scale", "export the model again");
    }
    const auto other = scaled.find(tensor.type());
    if (other == scaled.end() || mixes) continue;
    refuse(what + "is " + mdl_dtype_name(tflite_dtype(tensor.type())) + " without a scale, and '" +
               scope_.name_of(other->second) + "' has one",
           "export the model again");
  }
}

// What reads the tensor comes before what makes it, in a cycle too.
void Operators::refuse_unmade(const tflite::Operator& proto, int32_t id) {
  const std::string unmade = "is read, but nothing before makes it";
  const auto& operators = *scope_.subgraph.operators();
  if (makers_.empty()) {
    for (uint32_t i = 0; i < operators.size(); ++i) {
      for (const int32_t made : ids(operators.Get(i)->outputs())) makers_.emplace(made, i);
    }
  }
  const auto maker = makers_.find(id);
  if (maker == makers_.end()) refuse(unmade, "export the model again");
  const auto makers_of = [&](const tflite::Operator* reader) {
    std::vector<const tflite::Operator*> found;
    for (const int32_t input : ids(reader->inputs())) {
      const auto from = makers_.find(input);
      if (input >= 0 && from != makers_.end()) found.push_back(operators.Get(from->second));
    }
    return found;
  };
  const std::string cycle =
      cycle_through(&proto, makers_of, [&](const auto* node) { return name_of(*node); });
  if (!cycle.empty()) refuse(unmade + ": it stands in a cycle: " + cycle, "export the model again");
  refuse(unmade + ": operator " + std::to_string(maker->second) + " does, which is listed behind",
         "list operators behind those that make what they read");
}

void Operators::add(const tflite::Operator& proto, size_t index) {
  const auto* codes = scope_.file.model().operator_codes();
  op_ = "operator " + std::to_string(index);
  name_ = name_of(proto);
  if (codes != nullptr && proto.opcode_index() < codes->size()) {
    const tflite::OperatorCode& code = *codes->Get(proto.opcode_index());
    op_ = tflite::EnumNameBuiltinOperator(
        std::max(code.builtin_code(), static_cast<Op>(code.old_builtin_code())));
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
  convert(proto, op, index);
}

void Operators::convert(const tflite::Operator& proto, Op op, size_t index) {
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
    require_own_outputs(proto, index);
    require_scales(proto, op);
    for (const int32_t id : ids(proto.inputs())) {
      if (id < 0) continue;
      try {
        if (!defined(id)) refuse_unmade(proto, id);
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
  scope_.report.refusals.push_back({scope_.place + (name_.empty() ? "operator" : name_), op_,
                                    why.attribute, 0, why.reason, why.rewrite});
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
