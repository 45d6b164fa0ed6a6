// SPDX-License-Identifier: Apache-2.0
// Opening a model: what is in it, where it lives, what a caller may ask for.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "src/base/checked.h"
#include "tests/catch.h"
#include "tests/model_builder.h"

namespace medulla::test {
namespace {

ModelBuilder small_model() {
  ModelBuilder b;
  b.model.name = "small";
  b.model.producer = "test 1";
  b.model.metadata = {{"license", "none"}, {"author", "nobody"}};
  b.model.labels = {{0, {"normal", "other"}}};
  b.model.preprocessing = {{0, "NLC", {2, 3}, {0.5f, 1}}};
  const int32_t x = b.input("x", {4, 3, 2}, MDL_FLOAT32, {"n", "", ""});
  const int32_t w = b.constant("w", {2}, {1, 2});
  b.output(b.node("Relu", {b.node("Add", {x, w}, "sum")}, "y"));
  return b;
}

// Counts what is out, and fails from the allocation of that number on.
struct CountingAllocator {
  size_t allowed = SIZE_MAX;
  size_t taken = 0;
  std::map<void*, std::pair<size_t, size_t>> out;
  bool mismatch = false;

  mdl_allocator functions() {
    return {this,
            [](void* context, size_t size, size_t alignment) -> void* {
              auto* self = static_cast<CountingAllocator*>(context);
              if (self->taken >= self->allowed) return nullptr;
              ++self->taken;
              void* memory = ::operator new (size, std::align_val_t{alignment});
              self->out[memory] = {size, alignment};
              return memory;
            },
            [](void* context, void* memory, size_t size, size_t alignment) {
              auto* self = static_cast<CountingAllocator*>(context);
              if (self->out[memory] != std::pair(size, alignment)) self->mismatch = true;
              self->out.erase(memory);
              ::operator delete (memory, std::align_val_t{alignment});
            }};
  }
};

struct Opened {
  mdl_model* model = nullptr;
  mdl_status status = MDL_OK;
  mdl_error error = MDL_ERROR_INIT;

  Opened(const AlignedBytes& bytes, const mdl_model_options* options = nullptr) {
    status = mdl_model_open_memory(bytes.data(), bytes.size(), options, &model, &error);
  }
  Opened(const std::string& path, const mdl_model_options* options = nullptr) {
    status = mdl_model_open(path.c_str(), options, &model, &error);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { mdl_model_close(model); }

  bool says(const std::string& part) const {
    return std::string(error.text).find(part) != std::string::npos;
  }
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "medulla-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("A model tells its inputs, outputs, metadata, labels and preprocessing") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  const Opened opened(bytes);
  INFO(opened.error.text);
  REQUIRE(opened.status == MDL_OK);
  const mdl_model* model = opened.model;
  CHECK(mdl_model_input_count(model) == 1);
  CHECK(mdl_model_output_count(model) == 1);
  CHECK(mdl_model_state_count(model) == 0);

  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  REQUIRE(mdl_model_output(model, 0, &info, nullptr) == MDL_OK);
  CHECK(std::string(info.name) == "y");
  CHECK(info.dtype == MDL_FLOAT32);
  CHECK(std::vector(info.dims, info.dims + info.rank) == std::vector<int64_t>{4, 3, 2});
  CHECK(info.dynamic == 1);
  CHECK(info.bytes == 96);

  CHECK(std::string(mdl_model_metadata(model, "name")) == "small");
  CHECK(std::string(mdl_model_metadata(model, "producer")) == "test 1");
  CHECK(std::string(mdl_model_metadata(model, "license")) == "none");
  CHECK(mdl_model_metadata(model, "nothing") == nullptr);
  REQUIRE(mdl_model_metadata_count(model) == 2);
  CHECK(std::string(mdl_model_metadata_key(model, 0)) == "author");
  CHECK(std::string(mdl_model_metadata_value(model, 0)) == "nobody");
  CHECK(mdl_model_metadata_key(model, 2) == nullptr);

  REQUIRE(mdl_model_label_count(model, 0) == 2);
  CHECK(std::string(mdl_model_label(model, 0, 1)) == "other");
  CHECK(mdl_model_label(model, 0, 2) == nullptr);
  CHECK(mdl_model_label_count(model, 1) == 0);

  mdl_preprocessing preprocessing = MDL_PREPROCESSING_INIT;
  REQUIRE(mdl_model_preprocessing(model, 0, &preprocessing, nullptr) == MDL_OK);
  CHECK(std::string(preprocessing.layout) == "NLC");
  REQUIRE(preprocessing.count == 2);
  CHECK(preprocessing.scale[1] == 3);
  CHECK(preprocessing.offset[0] == 0.5f);
  CHECK(std::memcmp(mdl_model_digest(model), bytes.data() + 72, 32) == 0);

  size_t index = 7;
  CHECK(mdl_model_find_input(model, "x", &index, nullptr) == MDL_OK);
  CHECK(index == 0);
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_model_find_output(model, "z", &index, &error) == MDL_ERROR_NOT_FOUND);
  CHECK(std::string(error.text) == "no output is called 'z'; the model has 'y'");
  CHECK(mdl_model_input(model, 1, &info, &error) == MDL_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("Files that are none are refused with the path and the reason") {
  const TemporaryFolder folder;
  const auto check = [](const std::string& path, const std::string& reason) {
    const Opened opened(path);
    INFO(opened.error.text);
    CHECK(opened.status == MDL_ERROR_IO);
    CHECK(opened.error.status == MDL_ERROR_IO);
    CHECK(opened.says(path));
    CHECK(opened.says(reason));
  };
  check(folder / "none.mdl", "No such file");
  check(folder / "", "is a directory");
  std::ofstream(folder / "empty.mdl").flush();
  check(folder / "empty.mdl", "is empty");
  check("/dev/null", "device or a pipe");

  std::ofstream(folder / "foreign.mdl") << std::string(1000, 'x');
  const Opened foreign(folder / "foreign.mdl");
  CHECK(foreign.status == MDL_ERROR_BAD_MODEL);
  CHECK(foreign.says("is no Medulla model"));

  const std::pair<const char*, std::string> sources[] = {
      {"ONNX", std::string("\x08\x08\x12\x07pytorch", 11)},
      {"ONNX", std::string("\x08\x0a\x3a\x90\x01", 5) + std::string(200, 0)},
      {"TensorFlow Lite", std::string("\x1c\0\0\0TFL3", 8) + std::string(200, 0)}};
  for (const auto& [format, bytes] : sources) {
    std::ofstream(folder / "source") << bytes;
    const Opened source(folder / "source");
    INFO(source.error.text);
    CHECK(source.status == MDL_ERROR_BAD_MODEL);
    CHECK(source.says(format));
    CHECK(source.says("convert it first: medulla convert " + folder / "source"));
  }
}

TEST_CASE("A path that is empty is named as such") {
  const Opened opened(std::string{});
  CHECK(opened.status == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(opened.says("mdl_model_open: path is empty"));
}

TEST_CASE("A file opens as its bytes do, and can be locked in memory") {
  const TemporaryFolder folder;
  const std::string path = folder / "small.mdl";
  ModelBuilder builder = small_model();
  tools::write_model(builder.model, path);
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.check = MDL_CHECK_FULL;
  options.lock_memory = 1;
  const Opened opened(path, &options);
  INFO(opened.error.text);
  REQUIRE(opened.status == MDL_OK);
  CHECK(std::string(mdl_model_metadata(opened.model, "name")) == "small");
}

TEST_CASE("A block that is not aligned is refused with the alignment it needs") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  const AlignedBytes shifted{std::vector<std::byte>(bytes.size() + 8)};
  std::memcpy(shifted.data() + 8, bytes.data(), bytes.size());
  mdl_model* model = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_model_open_memory(shifted.data() + 8, bytes.size(), nullptr, &model, &error) ==
        MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text) == "memory block: lies 8 bytes off, should be aligned to 64");
  CHECK(model == nullptr);
}

TEST_CASE("A model lives in a block of the size that it asks for, and of no smaller one") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  size_t need = 0;
  REQUIRE(mdl_model_memory_need(bytes.data(), bytes.size(), nullptr, &need, nullptr) == MDL_OK);
  for (size_t size : {need, need - 1, need / 2, size_t{64}, size_t{1}}) {
    CAPTURE(size);
    const AlignedBytes block{std::vector<std::byte>(size)};
    CountingAllocator none;
    none.allowed = 0;
    const mdl_allocator allocator = none.functions();
    mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
    options.allocator = &allocator;
    options.block = {block.data(), block.size()};
    const Opened opened(bytes, &options);
    INFO(opened.error.text);
    CHECK(opened.status == (size == need ? MDL_OK : MDL_ERROR_OUT_OF_MEMORY));
    CHECK((size == need || opened.says("needs " + std::to_string(need))));
    CHECK(none.taken == 0);
  }
}

TEST_CASE("Every allocation that fails gives OUT_OF_MEMORY and leaves nothing behind") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  bool succeeded = false;
  for (size_t allowed = 0; !succeeded; ++allowed) {
    CAPTURE(allowed);
    CountingAllocator counting;
    counting.allowed = allowed;
    const mdl_allocator allocator = counting.functions();
    {
      mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
      options.allocator = &allocator;
      const Opened opened(bytes, &options);
      succeeded = opened.status == MDL_OK;
      CHECK((succeeded || opened.status == MDL_ERROR_OUT_OF_MEMORY));
    }
    CHECK(counting.out.empty());
    CHECK(!counting.mismatch);
    REQUIRE(allowed < 10);
  }
}

TEST_CASE("A caller's limits are kept to") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  const auto check = [&](auto set, const std::string& text) {
    mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
    set(options, 0);
    CHECK(Opened(bytes, &options).status == MDL_OK);
    set(options, 1);
    const Opened opened(bytes, &options);
    INFO(opened.error.text);
    CHECK(opened.status == MDL_ERROR_LIMIT);
    CHECK(opened.says(text));
  };
  check([&](mdl_model_options& o, size_t less) { o.max_file_bytes = bytes.size() - less; },
        "the limit is " + std::to_string(bytes.size() - 1));
  check([](mdl_model_options& o, uint32_t less) { o.max_nodes = 2 - less; },
        "has 2 nodes, the limit is 1");
  check([](mdl_model_options& o, uint32_t less) { o.max_tensors = 4 - less; },
        "has 4 tensors, the limit is 3");
  check([](mdl_model_options& o, uint32_t less) { o.max_tensor_bytes = 96 - less; },
        "takes 96 bytes, the limit is 95");
  check([](mdl_model_options& o, uint32_t less) { o.max_rank = 3 - less; },
        "rank is 3, the limit is 2");

  const TemporaryFolder folder;
  tools::write_model(builder.model, folder / "small.mdl");
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.max_file_bytes = 200;
  CHECK(Opened(folder / "small.mdl", &options).status == MDL_ERROR_LIMIT);
}

TEST_CASE("Options that are none are refused") {
  ModelBuilder builder = small_model();
  const AlignedBytes bytes = builder.bytes();
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.lock_memory = 2;
  CHECK(Opened(bytes, &options).status == MDL_ERROR_INVALID_ARGUMENT);
  options = MDL_MODEL_OPTIONS_INIT;
  options.struct_size = 3;
  CHECK(Opened(bytes, &options).status == MDL_ERROR_INVALID_ARGUMENT);
  options = MDL_MODEL_OPTIONS_INIT;
  options.block = {bytes.data() + 1, 1000};
  CHECK(Opened(bytes, &options).status == MDL_ERROR_INVALID_ARGUMENT);
  mdl_model* model = nullptr;
  CHECK(mdl_model_open(nullptr, nullptr, &model, nullptr) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_model_open_memory(nullptr, 4, nullptr, &model, nullptr) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_model_input_count(nullptr) == 0);
  mdl_model_close(nullptr);
}

}  // namespace medulla::test
