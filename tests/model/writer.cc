// SPDX-License-Identifier: Apache-2.0
#include "tools/ir/writer.h"

#include <filesystem>
#include <stdexcept>

#include "src/model/preamble.h"
#include "tests/catch.h"
#include "tests/model_builder.h"

namespace medulla::test {
namespace {

ModelBuilder small_model() {
  ModelBuilder b;
  b.model.name = "small";
  b.model.metadata = {{"b", "2"}, {"a", "1"}};
  const int32_t x = b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""});
  const int32_t w = b.constant("w", {3}, {1, 2, 3});
  const int32_t same = b.constant("same", {1, 3}, {1, 2, 3});
  const int32_t sum = b.node("Add", {x, w}, "sum");
  b.output(b.node("Relu", {b.node("Mul", {sum, same}, "product")}, "y"));
  return b;
}

}  // namespace

TEST_CASE("One model gives the same bytes each time") {
  ModelBuilder first = small_model();
  ModelBuilder second = small_model();
  const AlignedBytes a = first.bytes();
  const AlignedBytes b = second.bytes();
  REQUIRE(a.size() == b.size());
  CHECK(std::memcmp(a.data(), b.data(), a.size()) == 0);
}

TEST_CASE("A model file is a preamble, a header and aligned buffers") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  Preamble preamble;
  std::memcpy(&preamble, bytes.data(), sizeof(preamble));
  CHECK(std::memcmp(preamble.magic, "MEDULLA", 8) == 0);
  CHECK(preamble.format_version == 1);
  CHECK(preamble.file_size == bytes.size());
  CHECK(preamble.header_offset == 128);
  CHECK(preamble.buffers_offset % 64 == 0);
  CHECK(preamble.buffers_size == 64);  // equal constants share a buffer
  const float second[] = {1, 2, 3};
  CHECK(std::memcmp(bytes.data() + preamble.buffers_offset, second, sizeof(second)) == 0);
  uint8_t digest[kSha256Bytes];
  header_digest(preamble, bytes.data() + preamble.header_offset, digest);
  CHECK(std::memcmp(digest, preamble.digest, sizeof(digest)) == 0);
}

TEST_CASE("A file that cannot be written leaves nothing behind") {
  ModelBuilder builder = small_model();
  const std::string folder = (std::filesystem::temp_directory_path() / "medulla-writer").string();
  std::filesystem::create_directories(folder + "/taken.mdl/inside");
  for (const char* name : {"/none/small.mdl", "/taken.mdl"}) {
    CAPTURE(name);
    std::string text;
    try {
      tools::write_model(builder.model, folder + name);
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    CHECK(text.find(folder + name + ": cannot be written: ") == 0);
  }
  const std::filesystem::directory_iterator entries(folder);
  CHECK(std::distance(begin(entries), end(entries)) == 1);
  const AlignedBytes bytes = builder.bytes();
  tools::write_model(builder.model, folder + "/small.mdl");
  CHECK(std::filesystem::file_size(folder + "/small.mdl") == bytes.size());
  std::filesystem::remove_all(folder);
}

}  // namespace medulla::test
