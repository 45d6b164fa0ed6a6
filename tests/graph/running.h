// SPDX-License-Identifier: Apache-2.0
// Models made by hand that run as files do.
#ifndef MEDULLA_TESTS_GRAPH_RUNNING_H_
#define MEDULLA_TESTS_GRAPH_RUNNING_H_

#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/graph/painted_stack.h"
#include "tests/model_builder.h"

namespace medulla::test {

struct ModelDeleter {
  void operator()(mdl_model* m) const { mdl_model_close(m); }
};

// A model's session, of the backends named.
struct Running {
  Running(ModelBuilder& b, const char* backends, const mdl_session_options* options = nullptr)
      : bytes(b.bytes()) {
    mdl_error error = MDL_ERROR_INIT;
    mdl_model* opened = nullptr;
    if (mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &opened, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
    model.reset(opened);
    mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
    program_options.backends = backends;
    mdl_program* built = nullptr;
    if (mdl_program_create(opened, &program_options, &built, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
    program.reset(built);
    session = make_session(built, options);
  }

  mdl_session* get() const { return session.get(); }
  mdl_status run() { return mdl_session_run(get()); }
  mdl_status run(const std::vector<float>& x) {
    set_input(get(), 0, x);
    return run();
  }
  // Input i in the session's own memory.
  template <class T>
  T* input(size_t i) const {
    return static_cast<T*>(session->session().data(program->program.graph.inputs[i]));
  }
  Dims shape(size_t output) const {
    Dims dims(MDL_MAX_RANK);
    uint32_t rank = 0;
    REQUIRE(mdl_session_output_shape(session.get(), output, dims.data(), &rank, nullptr) == MDL_OK);
    dims.resize(rank);
    return dims;
  }
  std::vector<float> output(size_t o = 0) const { return get_output(session.get(), o); }

  AlignedBytes bytes;
  std::unique_ptr<mdl_model, ModelDeleter> model;
  ProgramHandle program;
  SessionHandle session;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_RUNNING_H_
