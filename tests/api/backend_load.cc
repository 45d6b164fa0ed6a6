// SPDX-License-Identifier: Apache-2.0
// A backend from a shared object takes its node and gives the right bytes.
#include "medulla/backend.hpp"
#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/paths.h"

using namespace medulla;
using namespace medulla::test;

namespace {

const std::string kPath = std::string(kBinaryDir) + "/tests/example_backend.so";

struct Library {
  Library() : library(mdl::BackendLibrary::load(kPath.c_str())) {
    if (!library) throw std::runtime_error(library.error().text());
    backend = library->backend();
  }

  mdl::Result<mdl::BackendLibrary> library;
  const mdl_backend* backend = nullptr;
};

}  // namespace

TEST_CASE("a backend is loaded by its path") {
  const Library example;
  REQUIRE(std::string(example.backend->name) == "example");
  GraphBuilder b;
  const int32_t x = b.input("x", {2, 3});
  const int32_t y = b.node("Relu", {x}, {}, "relu");
  b.output(b.node("Add", {y, y}, {}, "sum"));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "example";
  options.extra_backends = &example.backend;
  options.extra_backend_count = 1;
  const ProgramHandle program = make_program(b.graph(), &options);
  CHECK(std::string(program->program.steps[0].plan.kernel) == "example_relu");
  CHECK(std::string(program->program.steps[1].refusals).find("example: it takes Relu only") == 0);
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 0, {-1, 2, -3, 4, -5, 6});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(get_output(session.get(), 0) == std::vector<float>{0, 4, 0, 8, 0, 12});

  SECTION("strict placement refuses the rest, by name and with the reason") {
    options.placement = MDL_PLACEMENT_STRICT;
    mdl_program* none = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) ==
          MDL_ERROR_UNSUPPORTED);
    const std::string text = error.text;
    INFO(text);
    CHECK(text.find("'sum' (Add)") != std::string::npos);
    CHECK(text.find("example: it takes Relu only") != std::string::npos);
    CHECK(text.find("strict") != std::string::npos);
    CHECK(text.back() != ' ');  // no separator behind the last reason
  }
}

TEST_CASE("a loaded backend leaves what it does not compute to others") {
  const Library example;
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {2, 3}, {}, MDL_FLOAT16)}, {}, "relu"));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "example";
  options.extra_backends = &example.backend;
  options.extra_backend_count = 1;
  const ProgramHandle program = make_program(b.graph(), &options);
  CHECK(std::string(program->program.steps[0].plan.kernel) != "example_relu");
  CHECK(std::string(program->program.steps[0].refusals).find("example: it takes float32 only") ==
        0);
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 0, {-1, 2, -3, 4, -5, 6});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(get_output(session.get(), 0) == std::vector<float>{0, 2, 0, 4, 0, 6});
}

TEST_CASE("a backend's handle moves, and says why it is empty") {
  mdl::Result<mdl::BackendLibrary> loaded = mdl::BackendLibrary::load(kPath.c_str());
  REQUIRE(loaded);
  const mdl::BackendLibrary owner = std::move(*loaded);
  CHECK(std::string(owner.backend()->name) == "example");
  CHECK(loaded->backend() == nullptr);
  const mdl::Result<mdl::BackendLibrary> none = mdl::BackendLibrary::load("/nowhere/backend.so");
  CHECK(none.error().status() == MDL_ERROR_IO);
  CHECK(none->backend() == nullptr);
}

TEST_CASE("what is no backend is refused") {
  mdl_backend_library* library = nullptr;
  const mdl_backend* backend = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_backend_load("/nowhere/backend.so", &library, &backend, &error) == MDL_ERROR_IO);
  CHECK(std::string(error.text).find("/nowhere/backend.so") != std::string::npos);
  CHECK(mdl_backend_load(nullptr, &library, &backend, &error) == MDL_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("an unknown backend is named, with those there are") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "warp";
  mdl_program* none = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) == MDL_ERROR_NOT_BUILT);
  const std::string text = error.text;
  INFO(text);
  CHECK(text.find("'warp'") != std::string::npos);
  CHECK(text.find("reference") != std::string::npos);
}
