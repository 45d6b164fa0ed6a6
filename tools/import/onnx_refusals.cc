// SPDX-License-Identifier: Apache-2.0
#include "tools/import/onnx_refusals.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace medulla::tools {
namespace {

constexpr OnnxRefusal kRandom = {
    "draws random numbers, and equal inputs have to give equal outputs",
    "make the numbers an input of the model, or export it in eval mode"};
constexpr OnnxRefusal kTraining = {"is a step of training, and models are only run here",
                                   "export the trained model in eval mode"};
constexpr OnnxRefusal kString = {"works on strings, and tensors hold numbers here",
                                 "turn text into numbers before the model"};
constexpr OnnxRefusal kSequence = {
    "works on a sequence of tensors, whose number is not known before a run",
    "stack the tensors into one, or give each a name of its own"};
constexpr OnnxRefusal kOptional = {
    "works on an optional value, and what a run reads and makes is planned before it",
    "export the model with the value, or without it"};

struct Row {
  std::string_view op;
  const OnnxRefusal* refusal;
};

constexpr Row kRows[] = {
    {"Adagrad", &kTraining},
    {"Adam", &kTraining},
    {"Bernoulli", &kRandom},
    {"ConcatFromSequence", &kSequence},
    {"Gradient", &kTraining},
    {"Momentum", &kTraining},
    {"Multinomial", &kRandom},
    {"Optional", &kOptional},
    {"OptionalGetElement", &kOptional},
    {"OptionalHasElement", &kOptional},
    {"RandomNormal", &kRandom},
    {"RandomNormalLike", &kRandom},
    {"RandomUniform", &kRandom},
    {"RandomUniformLike", &kRandom},
    {"RegexFullMatch", &kString},
    {"SequenceAt", &kSequence},
    {"SequenceConstruct", &kSequence},
    {"SequenceEmpty", &kSequence},
    {"SequenceErase", &kSequence},
    {"SequenceInsert", &kSequence},
    {"SequenceLength", &kSequence},
    {"SequenceMap", &kSequence},
    {"SplitToSequence", &kSequence},
    {"StringConcat", &kString},
    {"StringNormalizer", &kString},
    {"StringSplit", &kString},
};

constexpr OnnxRefusal kUnknown = {"Medulla has no such operator",
                                  "express it by operators that docs/convert.md lists"};

const OnnxRefusal* find(const onnx::NodeProto& node) {
  const std::string_view domain = node.domain();
  if (!domain.empty() && !domain.starts_with("ai.onnx")) return nullptr;
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.op == node.op_type(); });
  return row != std::end(kRows) ? row->refusal : nullptr;
}

}  // namespace

bool is_refused(const onnx::NodeProto& node) { return find(node) != nullptr; }

const OnnxRefusal& refusal_of(const onnx::NodeProto& node) {
  const OnnxRefusal* refusal = find(node);
  return refusal != nullptr ? *refusal : kUnknown;
}

int32_t source_of(const Graph& graph, int32_t parameter) {
  if (parameter < 0) return -1;
  std::set<int32_t> seen = {parameter};
  std::vector<int32_t> list = {parameter}, sources;
  for (size_t i = 0; i < list.size(); ++i) {
    const int32_t tensor = list[i];
    if (std::count(graph.inputs.begin(), graph.inputs.end(), tensor) > 0) sources.push_back(tensor);
    const int32_t producer = graph.producer(tensor);
    if (producer < 0) continue;
    for (const int32_t input : graph.nodes[static_cast<size_t>(producer)].inputs) {
      if (input >= 0 && seen.insert(input).second) list.push_back(input);
    }
  }
  if (sources.size() != 1) return -1;
  const Tensor& source = graph.tensors[static_cast<size_t>(sources[0])];
  const bool integers = source.dtype == MDL_INT64 || source.dtype == MDL_INT32;
  return sources[0] == parameter || (integers && source.dims.size() <= 1) ? sources[0] : -1;
}

}  // namespace medulla::tools
