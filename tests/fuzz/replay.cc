// SPDX-License-Identifier: Apache-2.0
// Replays the corpus, and what is close to it: every truncation, every change of one byte.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "src/model/preamble.h"
#include "tests/catch.h"
#include "tests/model/models.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace medulla::test {
namespace {

const std::filesystem::path kCorpus = "tests/fuzz/corpus";

std::vector<uint8_t> read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ModelBuilder layers_model() {
  ModelBuilder b;
  const int32_t x = b.input("x", {1, 4, 4, 2});
  const int32_t w = b.constant("w", {2, 1, 1, 2}, {1, 2, 3, 4});
  const int32_t conv = b.node("Conv", {x, w}, "conv");
  const int32_t pool = b.node(
      "MaxPool", {b.node("Relu", {conv}, "relu")}, "pool",
      {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  const int32_t flat = b.node("Flatten", {pool}, "flat", {{"axis", int64_t{1}}});
  const int32_t g = b.constant("g", {8, 2}, std::vector<float>(16, 0.5f));
  b.output(b.node("Gemm", {flat, g}, "y"));
  return b;
}

// Each byte in turn, changed in the bits of each mask.
void change_each_byte(const AlignedBytes& bytes, const std::vector<uint8_t>& masks) {
  std::vector<uint8_t> changed(bytes.data(), bytes.data() + bytes.size());
  for (size_t i = 0; i < changed.size(); ++i) {
    for (const uint8_t mask : masks) {
      changed[i] = static_cast<uint8_t>(changed[i] ^ mask);
      LLVMFuzzerTestOneInput(changed.data(), changed.size());
      changed[i] = static_cast<uint8_t>(changed[i] ^ mask);
    }
  }
}

}  // namespace

TEST_CASE("The loader survives its corpus") {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus)) {
    CAPTURE(entry.path());
    const std::vector<uint8_t> bytes = read(entry.path());
    CHECK(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()) == 0);
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("Every truncation of a model is refused or runs") {
  ModelBuilder whole = whole_model();
  const AlignedBytes bytes = whole.bytes();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    LLVMFuzzerTestOneInput(bytes.data(), size);
    if (size < sizeof(Preamble)) continue;
    // With sizes in the preamble that fit, the cut is felt further in.
    std::vector<uint8_t> cut(bytes.data(), bytes.data() + size);
    Preamble preamble;
    std::memcpy(&preamble, cut.data(), sizeof(preamble));
    preamble.file_size = size;
    if (size >= preamble.buffers_offset) {
      preamble.buffers_size = size - preamble.buffers_offset;
    } else {
      preamble.header_size = size - sizeof(preamble);
      preamble.buffers_offset = size;
      preamble.buffers_size = 0;
    }
    std::memcpy(cut.data(), &preamble, sizeof(preamble));
    LLVMFuzzerTestOneInput(cut.data(), cut.size());
  }
}

TEST_CASE("A model with one byte changed is refused or runs") {
  ModelBuilder whole = whole_model();
  change_each_byte(whole.bytes(), {0x01, 0x80, 0xFF});
  ModelBuilder layers = layers_model();
  change_each_byte(layers.bytes(), {0x01, 0x80, 0xFF});
}

TEST_CASE("A model with one byte changed to any other value is refused or runs", "[slow]") {
  std::vector<uint8_t> masks;
  for (int mask = 1; mask < 256; ++mask) masks.push_back(static_cast<uint8_t>(mask));
  ModelBuilder whole = whole_model();
  change_each_byte(whole.bytes(), masks);
}

TEST_CASE("The seeds of the corpus run") {
  for (const char* name : {"whole.mdl", "layers.mdl", "conv_transpose.mdl", "gru.mdl", "lstm.mdl",
                           "qadd.mdl", "qcnn.mdl", "resize.mdl", "split.mdl"}) {
    CAPTURE(name);
    mdl_error error = MDL_ERROR_INIT;
    mdl_model* model = nullptr;
    mdl_program* program = nullptr;
    mdl_session* session = nullptr;
    REQUIRE(mdl_model_open((kCorpus / name).c_str(), nullptr, &model, &error) == MDL_OK);
    REQUIRE(mdl_program_create(model, nullptr, &program, &error) == MDL_OK);
    REQUIRE(mdl_session_create(program, nullptr, &session, &error) == MDL_OK);
    CHECK(mdl_session_run(session) == MDL_OK);
    mdl_session_destroy(session);
    mdl_program_destroy(program);
    mdl_model_close(model);
  }
}

// Run by hand when the format has changed.
TEST_CASE("Write the seeds of the corpus", "[.seeds]") {
  const auto write = [](ModelBuilder builder, const char* name) {
    tools::infer_shapes(builder.graph());
    tools::write_model(builder.model, (kCorpus / name).string());
  };
  write(whole_model(), "whole.mdl");
  write(layers_model(), "layers.mdl");
}

}  // namespace medulla::test
