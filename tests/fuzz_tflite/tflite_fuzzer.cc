// SPDX-License-Identifier: Apache-2.0
// Converts bytes as a TensorFlow Lite model, which is mutated by its tables. Preset fuzz makes a
// libFuzzer program of it; the test of this folder replays the corpus.
#include <algorithm>
#include <cstring>
#include <memory>

#include "tests/fuzz/import.h"
#include "tflite_generated.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr size_t kMaxData = 4096;

class Mutator {
 public:
  Mutator(tflite::ModelT& model, unsigned seed) : random_(seed), model_(model) {}

  size_t below(size_t n) { return random_() % n; }

  // Changes one thing somewhere in the model.
  void change() {
    tflite::SubGraphT* graph = some(model_.subgraphs);
    switch (graph == nullptr ? 0 : below(10)) {
      case 0:
        change_constant();
        break;
      case 1:
        if (auto* code = some(model_.operator_codes)) {
          code->builtin_code = static_cast<tflite::BuiltinOperator>(below(210));
          code->old_builtin_code =
              static_cast<int8_t>(std::min<int>(static_cast<int>(code->builtin_code), 127));
        }
        break;
      case 2:
        change_ids(below(2) == 0 ? graph->inputs : graph->outputs, *graph);
        break;
      case 3:
        if (model_.subgraphs.size() > 1 && below(2) == 0) {
          std::swap(model_.subgraphs[below(model_.subgraphs.size())],
                    model_.subgraphs[below(model_.subgraphs.size())]);
        } else {
          repeat_or_drop(graph->operators);
        }
        break;
      case 4:
      case 5:
        if (auto* node = some(graph->operators)) change_operator(*node, *graph);
        break;
      default:
        if (auto* tensor = some(graph->tensors)) change_tensor(*tensor, *graph);
    }
  }

 private:
  template <class T>
  T* some(const std::vector<std::unique_ptr<T>>& list) {
    return list.empty() ? nullptr : list[below(list.size())].get();
  }

  template <class T>
  void repeat_or_drop(std::vector<std::unique_ptr<T>>& list) {
    if (list.empty()) return;
    const size_t at = below(list.size());
    if (below(2) == 0) {
      list.push_back(std::make_unique<T>(*list[at]));
    } else {
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  template <class T>
  void change_numbers(std::vector<T>& list) {
    const auto number = [&] {
      return static_cast<T>(below(2) == 0 ? static_cast<int64_t>(below(12)) - 2
                                          : strange_number(random_));
    };
    if (list.empty() || below(6) == 0) {
      list.push_back(number());
    } else if (below(6) == 0) {
      list.pop_back();
    } else {
      list[below(list.size())] = number();
    }
  }

  void change_ids(std::vector<int32_t>& list, const tflite::SubGraphT& graph) {
    change_numbers(list);
    if (list.empty() || graph.tensors.empty() || below(4) == 0) return;
    list[below(list.size())] = static_cast<int32_t>(below(graph.tensors.size()));
  }

  void change_operator(tflite::OperatorT& node, const tflite::SubGraphT& graph) {
    switch (below(5)) {
      case 0:
        node.opcode_index = static_cast<uint32_t>(below(model_.operator_codes.size() + 1));
        break;
      case 1:
        node.options = some(graph.operators)->options;
        break;
      case 2:
        change_ids(node.outputs, graph);
        break;
      default:
        change_ids(node.inputs, graph);
    }
  }

  void change_tensor(tflite::TensorT& tensor, const tflite::SubGraphT& graph) {
    switch (below(9)) {
      case 0:
        tensor.type = static_cast<tflite::TensorType>(below(20));
        break;
      case 1:
        tensor.buffer = static_cast<uint32_t>(below(model_.buffers.size() + 1));
        break;
      case 2:
        tensor.name = below(4) == 0 ? std::string("\xff\0n", 3) : some(graph.tensors)->name;
        break;
      case 3:
        tensor.is_variable = !tensor.is_variable;
        break;
      case 4:
        change_numbers(tensor.shape_signature);
        break;
      case 5:
      case 6:
        change_quantization(tensor);
        break;
      default:
        change_numbers(tensor.shape);
    }
  }

  void change_quantization(tflite::TensorT& tensor) {
    if (!tensor.quantization || below(8) == 0) {
      tensor.quantization = below(4) == 0 ? nullptr : std::make_unique<tflite::QuantizationT>();
    }
    if (!tensor.quantization) return;
    tflite::QuantizationT& q = *tensor.quantization;
    constexpr float kScales[] = {
        0.0f, -1.0f, 0.5f, 1e-38f, 3e38f, 1 / 256.0f, __builtin_inff(), __builtin_nanf("")};
    switch (below(4)) {
      case 0:
        q.dimension = static_cast<int32_t>(below(6)) - 1;
        break;
      case 1:
        change_numbers(q.zero_point);
        break;
      case 2:
        if (!q.scale.empty()) q.scale[below(q.scale.size())] = kScales[below(std::size(kScales))];
        break;
      default:
        q.scale.push_back(0.5f);
        q.zero_point.push_back(0);
    }
  }

  void change_constant() {
    auto* buffer = some(model_.buffers);
    if (buffer == nullptr) return;
    std::vector<uint8_t>& data = buffer->data;
    if (data.empty() || below(8) == 0) data.resize(std::min(below(4) * 8, kMaxData));
    if (below(16) == 0) buffer->offset = static_cast<uint64_t>(strange_number(random_));
    if (below(16) == 0) buffer->size = static_cast<uint64_t>(strange_number(random_));
    if (data.size() >= 4 && below(2) == 0) {
      const auto number = static_cast<int32_t>(strange_number(random_));
      std::memcpy(data.data() + below(data.size() / 4) * 4, &number, sizeof(number));
    } else if (!data.empty()) {
      data[below(data.size())] = static_cast<uint8_t>(random_());
    }
  }

  std::mt19937 random_;
  tflite::ModelT& model_;
};

// One number of some table, an operator's options most of all, without a look at what it is.
void change_word(uint8_t* data, size_t size, unsigned seed) {
  std::mt19937 random(seed);
  const auto number = static_cast<int32_t>(strange_number(random));
  std::memcpy(data + random() % (size / 4) * 4, &number, 1u << random() % 3);
}

// Some files keep zero points at multiples of 4 alone, where FlatBuffers may not unpack them.
bool is_aligned(const tflite::Model& model) {
  if (model.subgraphs() == nullptr) return true;
  for (const tflite::SubGraph* graph : *model.subgraphs()) {
    if (graph->tensors() == nullptr) continue;
    for (const tflite::Tensor* tensor : *graph->tensors()) {
      const auto* q = tensor->quantization();
      if (q == nullptr || q->zero_point() == nullptr) continue;
      if (reinterpret_cast<uintptr_t>(q->zero_point()->Data()) % alignof(int64_t) != 0)
        return false;
    }
  }
  return true;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  flatbuffers::Verifier verifier(data, size, 64, 1 << 16);
  if (size < 8 || !tflite::ModelBufferHasIdentifier(data) || !tflite::VerifyModelBuffer(verifier)) {
    return LLVMFuzzerMutate == nullptr ? size : LLVMFuzzerMutate(data, size, most);
  }
  if (seed % 3 == 0 || !is_aligned(*tflite::GetModel(data))) {
    change_word(data, size, seed);
    return size;
  }
  const std::unique_ptr<tflite::ModelT> model(tflite::GetModel(data)->UnPack());
  for (const auto& graph : model->subgraphs) {
    for (const auto& node : graph->operators) {
      if (node->options.value == nullptr) node->options.Reset();  // a type alone does not pack
    }
  }
  Mutator mutator(*model, seed);
  for (size_t n = mutator.below(3) + 1; n > 0; --n) mutator.change();
  flatbuffers::FlatBufferBuilder builder;
  tflite::FinishModelBuffer(builder, tflite::Model::Pack(builder, model.get()));
  if (builder.GetSize() > most) return size;
  std::memcpy(data, builder.GetBufferPointer(), builder.GetSize());
  return builder.GetSize();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  convert_bytes(data, size, ".tflite");
  return 0;
}
