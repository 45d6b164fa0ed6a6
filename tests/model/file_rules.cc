// SPDX-License-Identifier: Apache-2.0
// Each rule of a model's file and of what it carries beside its graph, broken.
#include <cmath>

#include "tests/model/rules.h"

namespace medulla::test {

TEST_CASE("The whole model, packed again, opens") {
  opens(whole(), MDL_OK, "", MDL_CHECK_FULL);
  opens(change_header(whole(), [](Header&) {}), MDL_OK, "", MDL_CHECK_FULL);
}

TEST_CASE("Rules of the preamble") {
  preamble_refused("is no Medulla model", [](Preamble& p) { p.magic[7] = '!'; });
  preamble_refused(
      "format version 2 is not known", [](Preamble& p) { p.format_version = 2; },
      MDL_ERROR_VERSION);
  preamble_refused(
      "format version 0 is not known", [](Preamble& p) { p.format_version = 0; },
      MDL_ERROR_VERSION);
  preamble_refused(
      "flags are 4", [](Preamble& p) { p.flags = 4; }, MDL_ERROR_VERSION);
  preamble_refused("it was cut", [](Preamble& p) { ++p.file_size; });
  preamble_refused("its preamble says 0", [](Preamble& p) { p.file_size = 0; });
  preamble_refused("header_offset is 64, should be 128", [](Preamble& p) { p.header_offset = 64; });
  preamble_refused("header_size is 18446744073709551615",
                   [](Preamble& p) { p.header_size = UINT64_MAX; });
  preamble_refused("buffers_offset is 18446744073709551552",
                   [](Preamble& p) { p.buffers_offset = uint64_t{0} - 64; });
  preamble_refused("buffers_size is 18446744073709551552",
                   [](Preamble& p) { p.buffers_size = uint64_t{0} - 64; });
  preamble_refused("buffers_size is 127, should be a multiple of 64",
                   [](Preamble& p) { --p.buffers_size; });
  preamble_refused("trailer_size is 0, should be 64", [](Preamble& p) { p.buffers_size -= 64; });
  preamble_refused("trailer_size is 1", [](Preamble& p) { p.trailer_size = 1; });
  preamble_refused("trailer_offset is 64, should be 0", [](Preamble& p) { p.trailer_offset = 64; });
  preamble_refused("offset 127: padding holds 1", [](Preamble& p) { p.reserved[23] = 1; });
  const AlignedBytes bytes = whole();
  opens(AlignedBytes(bytes.data(), 127), MDL_ERROR_BAD_MODEL, "has 127 bytes");

  AlignedBytes changed(bytes.data(), bytes.size());
  changed.data()[200] ^= 1;
  opens(changed, MDL_ERROR_DIGEST, "digest of preamble and header does not fit");
}

TEST_CASE("A trailer is taken, and leaves the digest as it is") {
  const AlignedBytes bytes = whole();
  Preamble preamble = preamble_of(bytes);
  preamble.trailer_offset = bytes.size();
  preamble.trailer_size = 72;
  preamble.file_size += 72;
  tools::Bytes made(preamble.file_size, std::byte{9});
  std::memcpy(made.data(), bytes.data(), bytes.size());
  std::memcpy(made.data(), &preamble, sizeof(preamble));
  opens(AlignedBytes(made), MDL_OK, "", MDL_CHECK_FULL);
}

TEST_CASE("Padding is zero") {
  AlignedBytes bytes = whole();
  const Preamble preamble = preamble_of(bytes);
  const size_t header_end = preamble.header_offset + preamble.header_size;
  if (header_end < preamble.buffers_offset) {
    AlignedBytes changed(bytes.data(), bytes.size());
    changed.data()[header_end] = 1;
    opens(changed, MDL_ERROR_BAD_MODEL, "offset " + std::to_string(header_end) + ": padding");
  }
  bytes.data()[preamble.buffers_offset + 12] = 1;  // behind the three floats of w
  opens(bytes, MDL_OK, "");
  opens(bytes, MDL_ERROR_BAD_MODEL,
        "offset " + std::to_string(preamble.buffers_offset + 12) + ": padding holds 1",
        MDL_CHECK_FULL);
}

TEST_CASE("The weights' digest is read when asked for") {
  AlignedBytes bytes = whole();
  bytes.data()[preamble_of(bytes).buffers_offset] ^= 1;
  opens(bytes, MDL_OK, "");
  opens(bytes, MDL_ERROR_DIGEST, "digest of the weights", MDL_CHECK_FULL);
}

TEST_CASE("Rules of the header") {
  const AlignedBytes bytes = whole();
  opens(with_header(bytes, "no FlatBuffer at all", 20), MDL_ERROR_BAD_MODEL, "no valid FlatBuffer");
  opens(with_header(bytes, "", 0), MDL_ERROR_BAD_MODEL, "no valid FlatBuffer");
  header_refused(
      "numerics version 2 is not known", [](Header& h) { h.numerics_version = 2; },
      MDL_ERROR_VERSION);
  header_refused(
      "numerics version 0", [](Header& h) { h.numerics_version = 0; }, MDL_ERROR_VERSION);
  header_refused("weights_digest has 31 bytes", [](Header& h) { h.weights_digest.pop_back(); });
  header_refused("weights_digest has 0 bytes", [](Header& h) { h.weights_digest.clear(); });
  header_refused("has no graph", [](Header& h) { h.graphs.clear(); });
  header_refused("the model's name is no text", [](Header& h) { h.name = "\xC0\x80"; });
}

TEST_CASE("Rules of buffers") {
  const auto moved = [](Header& h, size_t b, uint64_t offset, uint64_t size) {
    const format::Buffer& old = h.buffers[b];
    h.buffers[b] = format::Buffer(old.offset() + offset, size == 0 ? old.size() : size);
  };
  header_refused("buffer 1: offset is", [&](Header& h) { moved(h, 1, uint64_t{0} - 64, 0); });
  header_refused("it overlaps", [&](Header& h) { moved(h, 1, uint64_t{0} - 64, 0); });
  header_refused("buffer 1: offset is", [&](Header& h) { moved(h, 1, 4, 0); });
  header_refused("buffer 0: offset is", [&](Header& h) { moved(h, 0, 64, 0); });
  header_refused("buffer 1: size is 65", [&](Header& h) { moved(h, 1, 0, 65); });
  header_refused("buffer 0: size is 18446744073709551615",
                 [&](Header& h) { moved(h, 0, 0, UINT64_MAX); });
  header_refused("the buffers end at", [](Header& h) { h.buffers.pop_back(); });
}

TEST_CASE("Lists may not share bytes to be large when decoded") {
  flatbuffers::FlatBufferBuilder b;
  const auto name = b.CreateString("n");
  const auto inputs = b.CreateVector(std::vector<int32_t>(500, -1));
  const auto node = format::CreateNode(b, name, name, 1, 0, inputs, inputs);
  const auto nodes = b.CreateVector(std::vector<flatbuffers::Offset<format::Node>>(500, node));
  const auto graph = format::CreateGraph(b, name, 0, nodes);
  const auto graphs = b.CreateVector(&graph, 1);
  const auto digest = b.CreateVector(std::vector<uint8_t>(32));
  format::FinishHeaderBuffer(b, format::CreateHeader(b, 1, 0, 0, 0, graphs, 0, digest));
  opens(with_header(whole(), b.GetBufferPointer(), b.GetSize()), MDL_ERROR_BAD_MODEL,
        "the buffers end at");  // the weights of the whole model have no entry here
  ModelBuilder plain;
  plain.output(plain.node("Relu", {plain.input("x", {1})}, "y"));
  opens(with_header(plain.bytes(), b.GetBufferPointer(), b.GetSize()), MDL_ERROR_BAD_MODEL,
        "lists may not share bytes");
}

TEST_CASE("Long strings are not shared without end") {
  for (const size_t nodes : {10, 100}) {
    ModelBuilder b;
    int32_t t = b.input("x", {2});
    for (size_t n = 0; n < nodes; ++n) {
      t = b.node("Relu", {t}, "t" + std::to_string(n));
      b.graph().nodes[n].name = std::string(100000, 'n');  // stored once
    }
    b.output(t);
    opens(b.bytes(), nodes == 10 ? MDL_OK : MDL_ERROR_BAD_MODEL, "strings are used more than 16");
  }
}

TEST_CASE("Rules of metadata, labels and preprocessing") {
  header_refused("metadata: 'author' stands behind 'license'",
                 [](Header& h) { std::swap(h.metadata[0], h.metadata[1]); });
  for (const char* key : {"name", "producer"}) {
    header_refused(std::string("metadata: '") + key + "' is a field of the header",
                   [&](Header& h) { h.metadata[1]->key = key; });
  }
  header_refused("metadata: the value of 'author' is no text",
                 [](Header& h) { h.metadata[0]->value = "\xE2\x82"; });
  header_refused("labels 0: are for output 2", [](Header& h) { h.labels[0]->output = 2; });
  header_refused("labels 0: name 1 is no text", [](Header& h) { h.labels[0]->names[1] = "\xC1"; });
  header_refused("labels 1: outputs should ascend",
                 [](Header& h) { h.labels.push_back(std::make_unique<format::LabelsT>()); });
  header_refused("preprocessing 0: is for input 2",
                 [](Header& h) { h.preprocessing[0]->input = 2; });
  header_refused("preprocessing 0: layout is 'HWC'",
                 [](Header& h) { h.preprocessing[0]->layout = "HWC"; });
  header_refused("preprocessing 0: layout is NLC, the input [4,3] should have 3 dimensions for it",
                 [](Header& h) { h.preprocessing[0]->layout = "NLC"; });
  header_refused("preprocessing 0: has 3 scales, the input [4,3] without a layout counts as 1",
                 [](Header& h) {
                   h.preprocessing[0]->scale = {1, 2, 3};
                   h.preprocessing[0]->offset = {0, 0, 0};
                 });
  header_refused("preprocessing 0: has 1 scales and 2 offsets",
                 [](Header& h) { h.preprocessing[0]->offset.push_back(1); });
  header_refused("preprocessing 0: scale or offset 0 is not finite",
                 [](Header& h) { h.preprocessing[0]->scale[0] = std::nanf(""); });
}

}  // namespace medulla::test
