// SPDX-License-Identifier: Apache-2.0
#include <onnx/checker.h>
#include <onnx/version_converter/convert.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tools/common/child.h"
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

int rank_of(const onnx::GraphProto& graph, const std::string& name) {
  for (const auto* values : {&graph.input(), &graph.value_info()}) {
    for (const auto& value : *values) {
      if (value.name() == name) return value.type().tensor_type().shape().dim_size();
    }
  }
  return 0;
}

// PRelu had a slope for each channel; since opset 7 slopes are broadcast from the last dimension
// on. The converter leaves them as they are.
void spread_slopes(onnx::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    if (node.op_type() != "PRelu") continue;
    const int ones = rank_of(graph, node.input(0)) - 2;
    for (auto& slope : *graph.mutable_initializer()) {
      if (slope.name() != node.input(1) || slope.dims_size() != 1) continue;
      for (int d = 0; d < ones; ++d) slope.add_dims(1);
    }
    for (auto& input : *graph.mutable_input()) {
      auto* shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
      if (input.name() != node.input(1) || shape->dim_size() != 1) continue;
      for (int d = 0; d < ones; ++d) shape->add_dim()->set_dim_value(1);
    }
  }
}

// The converter takes it for granted that something makes every tensor that is named.
void require_makers(const onnx::GraphProto& graph) {
  std::set<std::string> made = {""};
  for (const auto& input : graph.input()) made.insert(input.name());
  for (const auto& constant : graph.initializer()) made.insert(constant.name());
  for (const auto& node : graph.node()) made.insert(node.output().begin(), node.output().end());
  const auto require = [&](const std::string& name) {
    if (made.count(name) == 0) throw std::runtime_error("nothing makes '" + name + "'");
  };
  for (const auto& node : graph.node()) {
    for (const std::string& name : node.input()) require(name);
  }
  for (const auto* list : {&graph.value_info(), &graph.output()}) {
    for (const auto& value : *list) require(value.name());
  }
}

}  // namespace

std::string bring_to_oldest(onnx::ModelProto& proto) {
  try {
    // The number alone is no reason: what it may add no opset this old can use.
    proto.set_ir_version(std::min<int64_t>(proto.ir_version(), onnx::IR_VERSION));
    onnx::checker::check_model(proto);
    require_makers(proto.graph());
    declare_initializers(*proto.mutable_graph());
    infer_onnx_types(proto);
    spread_slopes(*proto.mutable_graph());
    const std::string brought = in_child([&] {
      return onnx::version_conversion::ConvertVersion(proto, static_cast<int>(kOldestOpset))
          .SerializeAsString();
    });
    if (!proto.ParseFromString(brought)) throw std::runtime_error("it is too large");
  } catch (const std::exception& why) {
    std::string text = why.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return ", which the ONNX library cannot bring to " + std::to_string(kOldestOpset) + ": " + text;
  }
  return "";
}

}  // namespace medulla::tools
