// SPDX-License-Identifier: Apache-2.0
#include <onnx/shape_inference/implementation.h>
#include <onnx/version_converter/convert.h>

#include <algorithm>
#include <set>

#include "tools/import/onnx.h"

namespace medulla::tools {
namespace {

// The converter looks for every tensor's shape among inputs and inferred values; IR versions above
// 3 no longer list initializers among inputs.
void declare_initializers(onnx::GraphProto& graph) {
  std::set<std::string> inputs;
  for (const auto& input : graph.input()) inputs.insert(input.name());
  for (const auto& constant : graph.initializer()) {
    if (inputs.count(constant.name()) > 0) continue;
    auto* input = graph.add_input();
    input->set_name(constant.name());
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(constant.data_type());
    for (const int64_t d : constant.dims()) type->mutable_shape()->add_dim()->set_dim_value(d);
  }
}

}  // namespace

std::string bring_to_oldest(onnx::ModelProto& proto) {
  try {
    declare_initializers(*proto.mutable_graph());
    onnx::shape_inference::InferShapes(proto);
    proto = onnx::version_conversion::ConvertVersion(proto, static_cast<int>(kOldestOpset));
  } catch (const std::exception& why) {
    std::string text = why.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return ", which the ONNX library cannot bring to " + std::to_string(kOldestOpset) + ": " + text;
  }
  return "";
}

}  // namespace medulla::tools
