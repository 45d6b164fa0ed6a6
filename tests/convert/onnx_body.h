// SPDX-License-Identifier: Apache-2.0
// Graphs inside ONNX models written by tests.
#ifndef MEDULLA_TESTS_CONVERT_ONNX_BODY_H_
#define MEDULLA_TESTS_CONVERT_ONNX_BODY_H_

#include "tests/convert/onnx_model.h"

namespace medulla::tools {

constexpr int kInt64 = onnx::TensorProto::INT64;
constexpr int kBool = onnx::TensorProto::BOOL;

// A graph of its own as a model, so that it is written like one.
struct Body : OnnxModel {
  explicit Body(const char* name) : OnnxModel(13) { proto.mutable_graph()->set_name(name); }
};

// The inputs that every body of a Loop has.
inline Body loop_body() {
  Body body("body");
  body.input("i", {}, kInt64);
  body.input("go", {}, kBool);
  body.output("go", {}, kBool);
  return body;
}

inline void set_graph(onnx::NodeProto* node, const std::string& name, const Body& body) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  *attribute->mutable_g() = body.proto.graph();
}

inline void add_if(OnnxModel& in, const std::string& condition, const std::string& output,
                   const Body& then_body, const Body& else_body) {
  auto* node = in.node("If", {condition}, {output});
  set_graph(node, "then_branch", then_body);
  set_graph(node, "else_branch", else_body);
}

// A body of one node.
inline Body one_node(const char* op, const std::vector<std::string>& inputs,
                     const std::string& output, const std::vector<int64_t>& dims = {2}) {
  Body body(op);
  body.node(op, inputs, {output});
  body.output(output, dims);
  return body;
}

inline void scalar(OnnxModel& in, const std::string& name, int64_t value) {
  in.constant(name, {}, kInt64)->add_int64_data(value);
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_ONNX_BODY_H_
