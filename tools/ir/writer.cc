// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/writer.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "medulla_generated.h"
#include "src/base/checked.h"
#include "src/base/sha256.h"
#include "src/model/preamble.h"
#include "tools/common/new_file.h"

namespace medulla::tools {
namespace {

namespace fb = flatbuffers;

// The constants of a model, each once, in the order in which they are met.
class Buffers {
 public:
  // 1 + index; 0 for none.
  uint32_t add(const std::shared_ptr<const Bytes>& data) {
    if (data == nullptr) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data->data()), data->size());
    const auto [found, added] = index_.try_emplace(bytes, static_cast<uint32_t>(list_.size()));
    if (added) list_.push_back(data);
    return found->second + 1;
  }

  const std::vector<std::shared_ptr<const Bytes>>& list() const { return list_; }

 private:
  std::map<std::string_view, uint32_t> index_;
  std::vector<std::shared_ptr<const Bytes>> list_;
};

class HeaderWriter {
 public:
  Bytes write(const Model& model, uint64_t buffers_offset);
  const Buffers& buffers() const { return buffers_; }

 private:
  using Attributes = std::vector<fb::Offset<format::Attribute>>;

  fb::Offset<format::Tensor> write(const Tensor& tensor);
  fb::Offset<format::Attribute> write(const std::string& name, const Attribute& attribute);
  fb::Offset<format::Node> write(const Node& node);
  fb::Offset<format::Graph> write(const Graph& graph);
  fb::Offset<fb::String> text(const std::string& s) { return builder_.CreateSharedString(s); }
  // Numbers that readers use where they lie: equal lists share their bytes.
  template <class T>
  fb::Offset<fb::Vector<T>> numbers(const std::vector<T>& values);

  fb::FlatBufferBuilder builder_;
  std::map<std::pair<size_t, std::string>, fb::uoffset_t> lists_;  // by element size and bytes
  Buffers buffers_;
};

template <class T>
fb::Offset<fb::Vector<T>> HeaderWriter::numbers(const std::vector<T>& values) {
  const auto* first = reinterpret_cast<const char*>(values.data());
  const std::string bytes(first, values.empty() ? 0 : values.size() * sizeof(T));
  const auto [found, added] = lists_.try_emplace({sizeof(T), bytes});
  if (added) found->second = builder_.CreateVector(values).o;
  return found->second;
}

fb::Offset<format::Tensor> HeaderWriter::write(const Tensor& tensor) {
  const auto name = text(tensor.name);
  const auto dims = numbers(tensor.dims);
  fb::Offset<fb::Vector<fb::Offset<fb::String>>> symbols;
  if (std::ranges::any_of(tensor.symbols, [](const std::string& s) { return !s.empty(); })) {
    std::vector<fb::Offset<fb::String>> list;
    for (const std::string& symbol : tensor.symbols) list.push_back(text(symbol));
    symbols = builder_.CreateVector(list);
  }
  fb::Offset<format::Quantization> quantization;
  if (tensor.quantization) {
    const auto scales = numbers(tensor.quantization->scales);
    const auto zero_points = numbers(tensor.quantization->zero_points);
    quantization =
        format::CreateQuantization(builder_, scales, zero_points, tensor.quantization->axis);
  }
  return format::CreateTensor(builder_, name, static_cast<format::DataType>(tensor.dtype), dims,
                              symbols, quantization, buffers_.add(tensor.data));
}

fb::Offset<format::Attribute> HeaderWriter::write(const std::string& name,
                                                  const Attribute& attribute) {
  const auto key = text(name);
  const auto type = static_cast<format::AttributeType>(attribute.index());
  if (const auto* i = std::get_if<int64_t>(&attribute)) {
    return format::CreateAttribute(builder_, key, type, *i);
  }
  if (const auto* f = std::get_if<double>(&attribute)) {
    return format::CreateAttribute(builder_, key, type, 0, *f);
  }
  if (const auto* s = std::get_if<std::string>(&attribute)) {
    return format::CreateAttribute(builder_, key, type, 0, 0, text(*s));
  }
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) {
    return format::CreateAttribute(builder_, key, type, 0, 0, 0, numbers(*ints));
  }
  if (const auto* floats = std::get_if<std::vector<double>>(&attribute)) {
    return format::CreateAttribute(builder_, key, type, 0, 0, 0, 0, numbers(*floats));
  }
  if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute)) {
    std::vector<fb::Offset<fb::String>> list;
    for (const std::string& s : *strings) list.push_back(text(s));
    return format::CreateAttribute(builder_, key, type, 0, 0, 0, 0, 0, builder_.CreateVector(list));
  }
  return format::CreateAttribute(builder_, key, type, std::get<GraphIndex>(attribute).index);
}

fb::Offset<format::Node> HeaderWriter::write(const Node& node) {
  Attributes attributes;
  for (const auto& [name, attribute] : node.attributes)
    attributes.push_back(write(name, attribute));
  const auto name = text(node.name);
  const auto op = text(node.op);
  const auto list = builder_.CreateVector(attributes);
  const auto inputs = builder_.CreateVector(node.inputs);
  const auto outputs = builder_.CreateVector(node.outputs);
  return format::CreateNode(builder_, name, op, node.version, list, inputs, outputs);
}

fb::Offset<format::Graph> HeaderWriter::write(const Graph& graph) {
  std::vector<fb::Offset<format::Tensor>> tensors;
  for (const Tensor& tensor : graph.tensors) tensors.push_back(write(tensor));
  std::vector<fb::Offset<format::Node>> nodes;
  for (const Node& node : graph.nodes) nodes.push_back(write(node));
  std::vector<fb::Offset<format::State>> states;
  for (const State& state : graph.states) {
    states.push_back(format::CreateState(builder_, state.tensor, state.written,
                                         static_cast<format::StateKind>(state.kind), state.axis,
                                         buffers_.add(state.initial)));
  }
  const auto name = text(graph.name);
  const auto tensor_list = builder_.CreateVector(tensors);
  const auto node_list = builder_.CreateVector(nodes);
  const auto inputs = builder_.CreateVector(graph.inputs);
  const auto outputs = builder_.CreateVector(graph.outputs);
  const auto state_list = builder_.CreateVector(states);
  return format::CreateGraph(builder_, name, tensor_list, node_list, inputs, outputs, state_list);
}

// The header for buffers that begin at `buffers_offset`; its size does not depend on that.
Bytes HeaderWriter::write(const Model& model, uint64_t buffers_offset) {
  const auto name = text(model.name);
  const auto producer = text(model.producer);
  std::vector<fb::Offset<format::KeyValue>> pairs;
  for (const auto& [key, value] : model.metadata) {
    const auto k = text(key);
    pairs.push_back(format::CreateKeyValue(builder_, k, text(value)));
  }
  std::vector<fb::Offset<format::Graph>> graphs;
  for (const Graph& graph : model.graphs) graphs.push_back(write(graph));
  std::vector<fb::Offset<format::Labels>> labels;
  for (const Labels& entry : model.labels) {
    labels.push_back(
        format::CreateLabels(builder_, entry.output, builder_.CreateVectorOfStrings(entry.names)));
  }
  std::vector<fb::Offset<format::Preprocessing>> preprocessing;
  for (const Preprocessing& entry : model.preprocessing) {
    const auto layout = text(entry.layout);
    const auto scale = builder_.CreateVector(entry.scale);
    const auto offset = builder_.CreateVector(entry.offset);
    preprocessing.push_back(
        format::CreatePreprocessing(builder_, entry.input, layout, scale, offset));
  }

  std::vector<format::Buffer> places;
  Sha256 sha;
  uint64_t offset = buffers_offset;
  for (const auto& data : buffers_.list()) {
    places.emplace_back(offset, data->size());
    sha.update(data->data(), data->size());
    offset = align_up(offset + data->size(), MDL_ALIGNMENT);
  }
  uint8_t digest[kSha256Bytes];
  sha.finish(digest);

  const auto pair_list = builder_.CreateVector(pairs);
  const auto graph_list = builder_.CreateVector(graphs);
  const auto place_list = builder_.CreateVectorOfStructs(places);
  const auto digest_list = builder_.CreateVector(digest, sizeof(digest));
  const auto label_list = builder_.CreateVector(labels);
  const auto preprocessing_list = builder_.CreateVector(preprocessing);
  format::FinishHeaderBuffer(
      builder_,
      format::CreateHeader(builder_, kNumericsVersion, name, producer, pair_list, graph_list,
                           place_list, digest_list, label_list, preprocessing_list));
  const auto* first = reinterpret_cast<const std::byte*>(builder_.GetBufferPointer());
  return {first, first + builder_.GetSize()};
}

}  // namespace

Bytes model_bytes(const Model& model) {
  // The first pass tells the header's size, the second knows where the buffers begin.
  const size_t header_size = HeaderWriter().write(model, 0).size();
  Preamble preamble = {};
  std::memcpy(preamble.magic, kMagic, sizeof(kMagic));
  preamble.format_version = kFormatVersion;
  preamble.header_offset = sizeof(Preamble);
  preamble.header_size = header_size;
  preamble.buffers_offset = align_up(sizeof(Preamble) + header_size, MDL_ALIGNMENT);
  HeaderWriter writer;
  const Bytes header = writer.write(model, preamble.buffers_offset);
  for (const auto& data : writer.buffers().list()) {
    preamble.buffers_size += align_up(data->size(), MDL_ALIGNMENT);
  }
  preamble.file_size = preamble.buffers_offset + preamble.buffers_size;
  header_digest(preamble, header.data(), preamble.digest);
  Bytes bytes;
  bytes.reserve(preamble.file_size);
  bytes.resize(preamble.buffers_offset);
  std::memcpy(bytes.data(), &preamble, sizeof(preamble));
  std::ranges::copy(header, bytes.begin() + sizeof(Preamble));
  for (const auto& data : writer.buffers().list()) {
    bytes.insert(bytes.end(), data->begin(), data->end());
    bytes.resize(align_up(bytes.size(), MDL_ALIGNMENT));
  }
  return bytes;
}

void write_model(const Bytes& bytes, const std::string& path) {
  NewFile file(path);
  file.write(bytes.data(), bytes.size());
  file.sync();
  file.commit();
}

void write_model(const Model& model, const std::string& path) {
  write_model(model_bytes(model), path);
}

}  // namespace medulla::tools
