// SPDX-License-Identifier: Apache-2.0
// TensorFlow Lite models written by tests.
#ifndef MEDULLA_TESTS_CONVERT_TFLITE_MODEL_H_
#define MEDULLA_TESTS_CONVERT_TFLITE_MODEL_H_

#include <cstring>
#include <memory>

#include "tests/convert/onnx_model.h"
#include "tflite_generated.h"

namespace medulla::tools {

using TfliteOp = tflite::BuiltinOperator;
using TfliteType = tflite::TensorType;

struct TfliteModel {
  TfliteModel() {
    proto.version = 3;
    proto.buffers.push_back(std::make_unique<tflite::BufferT>());  // that of no constant
    add_graph();
  }

  tflite::SubGraphT& graph() { return *proto.subgraphs[at]; }
  tflite::TensorT& tensor(int32_t id) { return *graph().tensors[static_cast<size_t>(id)]; }

  // Tensors and operators go to the newest graph.
  void add_graph() {
    at = proto.subgraphs.size();
    proto.subgraphs.push_back(std::make_unique<tflite::SubGraphT>());
  }
  int32_t add(const std::string& name, const std::vector<int32_t>& shape,
              TfliteType type = TfliteType::FLOAT32) {
    auto tensor = std::make_unique<tflite::TensorT>();
    tensor->name = name;
    tensor->shape = shape;
    tensor->type = type;
    graph().tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(graph().tensors.size()) - 1;
  }
  int32_t input(const std::string& name, const std::vector<int32_t>& shape,
                TfliteType type = TfliteType::FLOAT32) {
    graph().inputs.push_back(add(name, shape, type));
    return graph().inputs.back();
  }
  int32_t output(const std::string& name, const std::vector<int32_t>& shape,
                 TfliteType type = TfliteType::FLOAT32) {
    graph().outputs.push_back(add(name, shape, type));
    return graph().outputs.back();
  }
  template <class T>
  int32_t constant(const std::string& name, const std::vector<int32_t>& shape, TfliteType type,
                   const std::vector<T>& values) {
    const int32_t id = add(name, shape, type);
    auto buffer = std::make_unique<tflite::BufferT>();
    buffer->data.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(buffer->data.data(), values.data(), buffer->data.size());
    tensor(id).buffer = static_cast<uint32_t>(proto.buffers.size());
    proto.buffers.push_back(std::move(buffer));
    return id;
  }
  int32_t ints(const std::vector<int32_t>& values) {
    return constant<int32_t>("ints " + std::to_string(graph().tensors.size()),
                             {static_cast<int32_t>(values.size())}, TfliteType::INT32, values);
  }
  int32_t floats(const std::vector<int32_t>& shape, const std::vector<float>& values) {
    return constant<float>("floats " + std::to_string(graph().tensors.size()), shape,
                           TfliteType::FLOAT32, values);
  }
  // Returns the tensor.
  int32_t quantize(int32_t id, const std::vector<float>& scales,
                   const std::vector<int64_t>& zero_points, int32_t dimension = 0) {
    tensor(id).quantization = std::make_unique<tflite::QuantizationT>();
    tensor(id).quantization->scale = scales;
    tensor(id).quantization->zero_point = zero_points;
    tensor(id).quantization->dimension = dimension;
    return id;
  }

  tflite::OperatorT& node(TfliteOp op, const std::vector<int32_t>& inputs,
                          const std::vector<int32_t>& outputs) {
    auto code = std::make_unique<tflite::OperatorCodeT>();
    code->builtin_code = op;
    code->old_builtin_code = static_cast<int8_t>(std::min(static_cast<int>(op), 127));
    auto node = std::make_unique<tflite::OperatorT>();
    node->opcode_index = static_cast<uint32_t>(proto.operator_codes.size());
    node->inputs = inputs;
    node->outputs = outputs;
    proto.operator_codes.push_back(std::move(code));
    graph().operators.push_back(std::move(node));
    return *graph().operators.back();
  }
  template <class Options>
  tflite::OperatorT& node(TfliteOp op, const std::vector<int32_t>& inputs,
                          const std::vector<int32_t>& outputs, const Options& options) {
    tflite::OperatorT& made = node(op, inputs, outputs);
    made.options.Set(Options(options));
    return made;
  }

  std::string bytes() const {
    flatbuffers::FlatBufferBuilder builder;
    tflite::FinishModelBuffer(builder, tflite::Model::Pack(builder, &proto));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
  }
  ConvertOptions write(const Folder& folder) const { return write_bytes_of(folder, bytes()); }
  static ConvertOptions write_bytes_of(const Folder& folder, const std::string& bytes) {
    ConvertOptions options;
    options.input = folder.file("model.tflite");
    options.output = folder.file("model.mdl");
    std::ofstream(options.input, std::ios::binary) << bytes;
    return options;
  }

  tflite::ModelT proto;
  size_t at = 0;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_TFLITE_MODEL_H_
