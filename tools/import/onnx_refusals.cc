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

std::set<int32_t> sources_of(const Graph& graph, std::vector<int32_t> tensors) {
  std::set<int32_t> seen(tensors.begin(), tensors.end()), sources;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const int32_t tensor = tensors[i];
    if (std::count(graph.inputs.begin(), graph.inputs.end(), tensor) > 0) sources.insert(tensor);
    const int32_t producer = graph.producer(tensor);
    if (producer < 0) continue;
    for (const int32_t input : graph.nodes[static_cast<size_t>(producer)].inputs) {
      if (input >= 0 && seen.insert(input).second) tensors.push_back(input);
    }
  }
  return sources;
}

}  // namespace medulla::tools
