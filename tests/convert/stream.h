// SPDX-License-Identifier: Apache-2.0
// A model that is fed chunk by chunk.
#ifndef MEDULLA_TESTS_CONVERT_STREAM_H_
#define MEDULLA_TESTS_CONVERT_STREAM_H_

#include <string>
#include <vector>

#include "medulla/medulla.h"
#include "tests/catch.h"
#include "tests/convert/run_graph.h"

namespace medulla::tools {

// A session of a model with one input and one output.
class Stream {
 public:
  Stream(const std::string& path, const char* backends) {
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    options.backends = backends;
    check(mdl_model_open(path.c_str(), nullptr, &model_, &error_));
    check(mdl_program_create(model_, &options, &program_, &error_));
    check(mdl_session_create(program_, nullptr, &session_, &error_));
  }
  ~Stream() {
    mdl_session_destroy(session_);
    mdl_program_destroy(program_);
    mdl_model_close(model_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  mdl_status resize(Dims dims) {
    const int64_t* shapes[] = {dims.data()};
    return mdl_session_resize(session_, shapes, 1, &error_);
  }
  // Sets the shape, runs, returns the output.
  Floats feed(const Floats& chunk, const Dims& dims) {
    check(resize(dims));
    check(mdl_session_set_input(session_, 0, chunk.data(), chunk.size(), &error_));
    const mdl_status status = mdl_session_run(session_);
    INFO(mdl_session_error(session_));
    REQUIRE(status == MDL_OK);
    uint32_t rank = 0;
    shape_.assign(MDL_MAX_RANK, 1);
    check(mdl_session_output_shape(session_, 0, shape_.data(), &rank, &error_));
    shape_.resize(rank);
    size_t count = 1;
    for (const int64_t d : shape_) count *= static_cast<size_t>(d);
    Floats values(count);
    check(mdl_session_get_output(session_, 0, values.data(), count, &error_));
    return values;
  }
  void reset() { check(mdl_session_reset(session_, &error_)); }
  // Another session goes on where this one is.
  void move_on() {
    std::vector<char> saved(mdl_session_state_bytes(session_));
    check(mdl_session_save(session_, saved.data(), saved.size(), &error_));
    mdl_session_destroy(session_);
    check(mdl_session_create(program_, nullptr, &session_, &error_));
    check(mdl_session_restore(session_, saved.data(), saved.size(), &error_));
  }
  const Dims& shape() const { return shape_; }

 private:
  void check(mdl_status status) {
    INFO(error_.text);
    REQUIRE(status == MDL_OK);
  }

  mdl_model* model_ = nullptr;
  mdl_program* program_ = nullptr;
  mdl_session* session_ = nullptr;
  mdl_error error_ = MDL_ERROR_INIT;
  Dims shape_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_STREAM_H_
