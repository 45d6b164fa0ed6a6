// SPDX-License-Identifier: Apache-2.0
// Variables and variable tensors: states of the model. CALL_ONCE says what they hold before the
// first run.
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

const std::string& variable_of(const TfliteNode& node) {
  if (!node.has(0)) refuse("has no input 0");
  const TfliteValue& handle = node.scope.values[static_cast<size_t>(node.input(0))];
  if (handle.variable.empty()) {
    refuse("input 0 is not made by VAR_HANDLE", "keep the handle in the graph that uses it");
  }
  return handle.variable;
}

}  // namespace

TfliteState& TfliteScope::state_of(int32_t id) {
  TfliteState& state = states[name_of(id) + " (" + std::to_string(id) + ")"];
  if (state.tensor >= 0) return state;
  Tensor kept = declared(id);
  if (kept.dtype != MDL_FLOAT32 && !kept.quantization) {
    refuse("the variable tensor '" + name_of(id) + "' is " + mdl_dtype_name(kept.dtype) +
           ", should be float32 or quantized");
  }
  kept.name = name_of(id);
  kept.dtype = MDL_FLOAT32;
  kept.quantization.reset();
  state.tensor = state.written = build.add_tensor(std::move(kept));
  return state;
}

void convert_var_handle(TfliteNode& node) {
  const auto* name = node.options<tflite::VarHandleOptions>().shared_name();
  node.scope.values[static_cast<size_t>(node.output(0))].variable =
      "variable " + (name == nullptr ? std::string() : name->str());
}

void convert_read_variable(TfliteNode& node) {
  TfliteState& state = node.scope.states[variable_of(node)];
  if (state.written < 0) {
    Tensor tensor = node.scope.declared(node.output(0));
    tensor.name = variable_of(node);
    if (state.initial &&
        state.initial->size() != tensor.elements() * mdl_dtype_bits(tensor.dtype) / 8) {
      refuse("reads another shape than the variable begins with");
    }
    state.tensor = state.written = node.build.add_tensor(std::move(tensor));
  }
  node.set(0, state.written);
}

void convert_assign_variable(TfliteNode& node) {
  node.scope.states[variable_of(node)].written = node.stored(1);
}

// The other subgraph is executed here: all that it assigns has to be constant.
void convert_call_once(TfliteNode& node) {
  const int32_t index = node.options<tflite::CallOnceOptions>().init_subgraph();
  Graph once;
  TfliteScope scope = called_by(node, index, once, "");
  if (scope.subgraph.inputs() != nullptr && scope.subgraph.inputs()->size() > 0) {
    refuse("subgraph " + std::to_string(index) + " has inputs");
  }
  convert_operators(scope);
  for (const auto& [name, state] : scope.states) {
    if (state.written < 0) continue;
    const Tensor& value = once.tensors[static_cast<size_t>(state.written)];
    if (!value.data) refuse("what subgraph " + std::to_string(index) + " assigns is no constant");
    node.scope.states[name].initial = value.data;
  }
}

}  // namespace medulla::tools
