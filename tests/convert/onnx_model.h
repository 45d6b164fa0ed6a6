// SPDX-License-Identifier: Apache-2.0
// ONNX models written by tests.
#ifndef MEDULLA_TESTS_CONVERT_ONNX_MODEL_H_
#define MEDULLA_TESTS_CONVERT_ONNX_MODEL_H_

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tools/import/convert.h"

namespace medulla::tools {

// A folder that goes with its object.
class Folder {
 public:
  Folder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("medulla_test_convert_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct OnnxModel {
  explicit OnnxModel(int64_t opset) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(opset);
    proto.mutable_graph()->set_name("test");
  }

  // A dimension below 0 is the symbol "N".
  void value(onnx::ValueInfoProto* info, const std::string& name, const std::vector<int64_t>& dims,
             int type = onnx::TensorProto::FLOAT) {
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    auto* shape = tensor->mutable_shape();
    for (const int64_t d : dims) {
      if (d < 0) {
        shape->add_dim()->set_dim_param("N");
      } else {
        shape->add_dim()->set_dim_value(d);
      }
    }
  }
  void input(const std::string& name, const std::vector<int64_t>& dims,
             int type = onnx::TensorProto::FLOAT) {
    value(proto.mutable_graph()->add_input(), name, dims, type);
  }
  void output(const std::string& name, const std::vector<int64_t>& dims,
              int type = onnx::TensorProto::FLOAT) {
    value(proto.mutable_graph()->add_output(), name, dims, type);
  }
  onnx::TensorProto* constant(const std::string& name, const std::vector<int64_t>& dims, int type) {
    auto* tensor = proto.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const int64_t d : dims) tensor->add_dims(d);
    return tensor;
  }
  void floats(const std::string& name, const std::vector<int64_t>& dims,
              const std::vector<float>& values) {
    auto* tensor = constant(name, dims, onnx::TensorProto::FLOAT);
    for (const float v : values) tensor->add_float_data(v);
  }
  void ints(const std::string& name, const std::vector<int64_t>& values) {
    auto* tensor = constant(name, {static_cast<int64_t>(values.size())}, onnx::TensorProto::INT64);
    for (const int64_t v : values) tensor->add_int64_data(v);
  }
  void bytes(const std::string& name, const std::vector<int64_t>& dims, int type,
             const std::vector<int32_t>& values) {
    auto* tensor = constant(name, dims, type);
    for (const int32_t v : values) tensor->add_int32_data(v);
  }
  // A node named after its first output.
  onnx::NodeProto* node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
    auto* node = proto.mutable_graph()->add_node();
    node->set_op_type(op);
    node->set_name(outputs[0] + "_node");
    for (const std::string& name : inputs) node->add_input(name);
    for (const std::string& name : outputs) node->add_output(name);
    return node;
  }

  // Writes the model into the folder; options that read it.
  ConvertOptions write(const Folder& folder) const {
    ConvertOptions options;
    options.input = folder.file("model.onnx");
    options.output = folder.file("model.mdl");
    std::ofstream file(options.input, std::ios::binary);
    proto.SerializeToOstream(&file);
    return options;
  }

  onnx::ModelProto proto;
};

inline void set_int(onnx::NodeProto* node, const std::string& name, int64_t value) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

inline void set_float(onnx::NodeProto* node, const std::string& name, float value) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}

inline void set_string(onnx::NodeProto* node, const std::string& name, const std::string& value) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

inline void set_ints(onnx::NodeProto* node, const std::string& name,
                     const std::vector<int64_t>& values) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const int64_t v : values) attribute->add_ints(v);
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_ONNX_MODEL_H_
