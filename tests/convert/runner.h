// SPDX-License-Identifier: Apache-2.0
// Converted models that run through the C API.
#ifndef MEDULLA_TESTS_CONVERT_RUNNER_H_
#define MEDULLA_TESTS_CONVERT_RUNNER_H_

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "medulla/medulla.h"
#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/shared.h"
#include "tools/import/convert.h"

namespace medulla::tools {

using medulla::test::absent;
using medulla::test::shared;

inline ConvertOptions from(const std::string& path) {
  ConvertOptions options;
  options.input = path;
  return options;
}

// A converted model with one session.
class Runner {
 public:
  explicit Runner(const ConvertOptions& given, const char* backends = nullptr) {
    ConvertOptions options = given;
    const Folder folder;
    options.output = folder.file("model.mdl");
    const ConvertReport report = convert(options);
    for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
    REQUIRE(report.refusals.empty());
    check(mdl_model_open(options.output.c_str(), nullptr, &model_, &error_));
    mdl_program_options program = MDL_PROGRAM_OPTIONS_INIT;
    program.backends = backends;
    check(mdl_program_create(model_, &program, &program_, &error_));
    check(mdl_session_create(program_, nullptr, &session_, &error_));
  }
  ~Runner() {
    mdl_session_destroy(session_);
    mdl_program_destroy(program_);
    mdl_model_close(model_);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  size_t inputs() const { return mdl_model_input_count(model_); }
  size_t outputs() const { return mdl_model_output_count(model_); }
  mdl_tensor_info input(size_t i) {
    mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
    check(mdl_model_input(model_, i, &info, &error_));
    return info;
  }
  // Real numbers, and bytes as they are.
  void set(size_t input, const std::vector<float>& values) {
    check(mdl_session_set_input(session_, input, values.data(), values.size(), &error_));
  }
  void set_bytes(size_t input, const void* bytes, size_t size) {
    void* data = nullptr;
    size_t room = 0;
    check(mdl_session_input(session_, input, &data, &room, &error_));
    REQUIRE(room == size);
    std::memcpy(data, bytes, size);
  }
  void run() {
    const mdl_status status = mdl_session_run(session_);
    INFO(mdl_session_error(session_));
    REQUIRE(status == MDL_OK);
  }
  void reset() { check(mdl_session_reset(session_, &error_)); }
  std::vector<float> get(size_t output) {
    mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
    check(mdl_model_output(model_, output, &info, &error_));
    size_t count = 1;
    for (uint32_t d = 0; d < info.rank; ++d) count *= static_cast<size_t>(info.dims[d]);
    std::vector<float> values(count);
    check(mdl_session_get_output(session_, output, values.data(), count, &error_));
    return values;
  }
  Bytes get_bytes(size_t output) {
    const void* data = nullptr;
    size_t size = 0;
    check(mdl_session_output(session_, output, &data, &size, &error_));
    const auto* first = static_cast<const std::byte*>(data);
    return {first, first + size};
  }

 private:
  void check(mdl_status status) const {
    INFO(error_.text);
    REQUIRE(status == MDL_OK);
  }

  mdl_model* model_ = nullptr;
  mdl_program* program_ = nullptr;
  mdl_session* session_ = nullptr;
  mdl_error error_ = MDL_ERROR_INIT;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_RUNNER_H_
