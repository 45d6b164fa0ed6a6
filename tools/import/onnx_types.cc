// SPDX-License-Identifier: Apache-2.0
// Types by the ONNX library, whose inference trusts what it reads: it divides by strides, takes a
// kernel's rank for that of the image, and looks at inputs that are not there. So it runs in a
// child process, and a model that breaks it has the types that it declares.
#include <onnx/shape_inference/implementation.h>

#include "tools/common/child.h"
#include "tools/import/onnx_rules.h"

namespace medulla::tools {

void infer_onnx_types(onnx::ModelProto& model) {
  try {
    const std::string typed = in_child([&] {
      onnx::shape_inference::InferShapes(model);
      return model.SerializeAsString();
    });
    onnx::ModelProto read;
    if (!typed.empty() && read.ParseFromString(typed)) model = std::move(read);
  } catch (const std::exception&) {
    // What the model declares has to do.
  }
}

const onnx::TypeProto* InferredTypes::find(const std::string& name) {
  if (!typed_) {
    infer_onnx_types(typed_.emplace(model_));
    for (const auto* list : {&typed_->graph().value_info(), &typed_->graph().output()}) {
      for (const auto& value : *list) types_[value.name()] = &value.type();
    }
  }
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : found->second;
}

}  // namespace medulla::tools
