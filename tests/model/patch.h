// SPDX-License-Identifier: Apache-2.0
// Model files that are changed on purpose, and whose digests then fit again.
#ifndef MEDULLA_TESTS_MODEL_PATCH_H_
#define MEDULLA_TESTS_MODEL_PATCH_H_

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "medulla_generated.h"
#include "src/base/checked.h"
#include "src/model/preamble.h"
#include "tests/model_builder.h"

namespace medulla::test {

inline Preamble preamble_of(const AlignedBytes& bytes) {
  Preamble preamble;
  std::memcpy(&preamble, bytes.data(), sizeof(preamble));
  return preamble;
}

// Makes the digest of preamble and header fit.
inline void seal(AlignedBytes& bytes) {
  Preamble preamble = preamble_of(bytes);
  header_digest(preamble, bytes.data() + sizeof(Preamble), preamble.digest);
  std::memcpy(bytes.data(), &preamble, sizeof(preamble));
}

template <class Change>
AlignedBytes change_preamble(const AlignedBytes& bytes, Change change) {
  AlignedBytes changed(bytes.data(), bytes.size());
  Preamble preamble = preamble_of(bytes);
  const uint64_t header_size = preamble.header_size;
  change(preamble);
  std::memcpy(changed.data(), &preamble, sizeof(preamble));
  if (preamble.header_size == header_size) seal(changed);
  return changed;
}

// A file of this header and the buffers of `bytes`.
inline AlignedBytes with_header(const AlignedBytes& bytes, const void* header, size_t size) {
  Preamble preamble = preamble_of(bytes);
  const size_t from = preamble.buffers_offset;
  preamble.header_size = size;
  preamble.buffers_offset = align_up(sizeof(Preamble) + size, MDL_ALIGNMENT);
  preamble.file_size = preamble.buffers_offset + preamble.buffers_size;
  tools::Bytes made(preamble.file_size);
  std::memcpy(made.data(), &preamble, sizeof(preamble));
  std::memcpy(made.data() + sizeof(Preamble), header, size);
  std::memcpy(made.data() + preamble.buffers_offset, bytes.data() + from, preamble.buffers_size);
  AlignedBytes changed(made);
  seal(changed);
  return changed;
}

// Unpacks the header, changes it and packs it again; buffers keep their place among each other.
template <class Change>
AlignedBytes change_header(const AlignedBytes& bytes, Change change) {
  format::HeaderT header;
  format::GetHeader(bytes.data() + sizeof(Preamble))->UnPackTo(&header);
  // The size of the new header says where the buffers go, and does not depend on that.
  const size_t offset = preamble_of(bytes).buffers_offset;
  flatbuffers::FlatBufferBuilder measure;
  {
    format::HeaderT copy;
    format::GetHeader(bytes.data() + sizeof(Preamble))->UnPackTo(&copy);
    change(copy);
    format::FinishHeaderBuffer(measure, format::Header::Pack(measure, &copy));
  }
  const size_t moved = align_up(sizeof(Preamble) + measure.GetSize(), MDL_ALIGNMENT) - offset;
  for (format::Buffer& buffer : header.buffers) {
    buffer = format::Buffer(buffer.offset() + moved, buffer.size());
  }
  change(header);
  flatbuffers::FlatBufferBuilder builder;
  format::FinishHeaderBuffer(builder, format::Header::Pack(builder, &header));
  return with_header(bytes, builder.GetBufferPointer(), builder.GetSize());
}

inline int32_t index_of(const format::HeaderT& header, const std::string& name) {
  const auto& tensors = header.graphs[0]->tensors;
  for (size_t t = 0; t < tensors.size(); ++t) {
    if (tensors[t]->name == name) return static_cast<int32_t>(t);
  }
  throw std::runtime_error("no tensor " + name);
}

inline format::TensorT& tensor_of(format::HeaderT& header, const std::string& name) {
  return *header.graphs[0]->tensors[static_cast<size_t>(index_of(header, name))];
}

inline format::NodeT& node_of(format::HeaderT& header, const std::string& name) {
  for (auto& node : header.graphs[0]->nodes) {
    if (node->name == name) return *node;
  }
  throw std::runtime_error("no node " + name);
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_MODEL_PATCH_H_
