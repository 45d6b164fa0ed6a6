// SPDX-License-Identifier: Apache-2.0
// Backends that do not keep to the ABI, or that are not there.
#include <cstring>
#include <limits>

#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// What the backend below does next, and what is wrong with it.
struct Faults {
  mdl_status open = MDL_OK;
  mdl_status plan = MDL_OK;
  mdl_status resize = MDL_OK;
  mdl_status run = MDL_OK;
  mdl_session* cancels = nullptr;  // in run
  size_t scratch_bytes = 0;
  size_t packs = 0;
} faults;

constexpr mdl_status kNoStatus = static_cast<mdl_status>(31);  // the enum's last bits, no value

mdl_status open(const mdl_backend_context*, const mdl_host*, void**, mdl_error* error) {
  if (faults.open == MDL_OK) return MDL_OK;
  return fail(error, faults.open, "the device is not plugged in");
}
mdl_status supports(void*, const mdl_graph*, const mdl_group*, mdl_error*) { return MDL_OK; }
mdl_status run(const void*, uint32_t, int64_t, int64_t, void*) {
  mdl_session_cancel(faults.cancels);
  return faults.run;
}
mdl_status plan(void*, const mdl_graph*, const mdl_group*, const mdl_host*, mdl_step* step,
                mdl_error*) {
  step->kernel = "faulty";
  step->phase_count = 1;
  step->run = run;
  step->packed_bytes = 64;
  step->scratch_bytes = faults.scratch_bytes;
  return faults.plan;
}
mdl_status pack(void*, const mdl_graph*, const mdl_group*, const mdl_step*, void*, mdl_error*) {
  ++faults.packs;
  return MDL_OK;
}
mdl_status resize(void*, const mdl_step*, const mdl_shape*, void*, mdl_rows* rows, mdl_error*) {
  rows->rows[0] = 1;
  return faults.resize;
}
mdl_status bind(void*, const mdl_step*, const mdl_operand*, const void*, void*, mdl_error*) {
  return MDL_OK;
}

mdl_backend faulty_backend() {
  faults = {};
  mdl_backend b = {};
  b.struct_size = sizeof(b);
  b.abi = MDL_BACKEND_ABI;
  b.name = "faulty";
  b.version = b.device = "none";
  b.open = open;
  b.supports = supports;
  b.plan = plan;
  b.pack = pack;
  b.resize = resize;
  b.bind = bind;
  return b;
}

// A graph of one node, and the options that hand the backend in.
struct Case {
  explicit Case(const mdl_backend& backend) : extra(&backend) {
    b.output(b.node("Relu", {b.input("x", {2, 3})}, {}, "relu"));
    options.backends = "faulty";
    options.extra_backends = &extra;
    options.extra_backend_count = 1;
  }

  mdl_status create() {
    mdl_program* made = nullptr;
    error = MDL_ERROR_INIT;
    const mdl_status status = create_program(b.graph(), nullptr, &options, true, &made, &error);
    program.reset(made);
    return status;
  }
  std::string plan(mdl_plan_format format) const {
    size_t bytes = 0;
    mdl_program_plan(program.get(), format, nullptr, 0, &bytes, nullptr);
    std::string text(bytes, 0);
    mdl_program_plan(program.get(), format, text.data(), bytes, &bytes, nullptr);
    return text;
  }
  bool says(const std::string& part) const {
    return std::string(error.text).find(part) != std::string::npos;
  }

  const mdl_backend* extra;
  GraphBuilder b;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_error error = MDL_ERROR_INIT;
  ProgramHandle program;
};

}  // namespace

TEST_CASE("a named backend that does not open is in the plan, with its reason") {
  const mdl_backend backend = faulty_backend();
  faults.open = MDL_ERROR_BACKEND;
  Case c(backend);
  REQUIRE(c.create() == MDL_OK);
  const std::string reason = "faulty: does not open: the device is not plugged in";
  CHECK(c.program->program.steps[0].refusals == reason);
  for (const mdl_plan_format format : {MDL_PLAN_TEXT, MDL_PLAN_JSON}) {
    INFO(c.plan(format));
    CHECK(c.plan(format).find(reason) != std::string::npos);
  }
  c.options.placement = MDL_PLACEMENT_STRICT;
  CHECK(c.create() == MDL_ERROR_BACKEND);
  CHECK(c.says("'faulty'"));
  CHECK(c.says("the device is not plugged in"));
}

TEST_CASE("a backend without a name is refused") {
  mdl_backend backend = faulty_backend();
  backend.name = GENERATE(static_cast<const char*>(nullptr), "");
  Case c(backend);
  c.options.backends = GENERATE(static_cast<const char*>(nullptr), "cpu");
  CHECK(c.create() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(c.says("extra_backends[0]"));
}

TEST_CASE("a backend whose name is another's, or reads as two, is refused") {
  mdl_backend backend = faulty_backend();
  backend.name = GENERATE("cpu", "a,b");
  Case c(backend);
  c.options.backends = nullptr;
  CHECK(c.create() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(c.says("should be a name without a comma that no other backend has"));

  const mdl_backend good = faulty_backend();
  const mdl_backend* const twice[] = {&good, &good};
  c.options.extra_backends = twice;
  c.options.extra_backend_count = 2;
  CHECK(c.create() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(c.says("extra_backends[1] is called 'faulty'"));
}

TEST_CASE("a status that is none becomes an error of the backend") {
  const mdl_backend backend = faulty_backend();
  Case c(backend);
  SECTION("of open") {
    faults.open = kNoStatus;
    c.options.placement = MDL_PLACEMENT_STRICT;
    CHECK(c.create() == MDL_ERROR_BACKEND);
    CHECK(c.says("31"));
  }
  SECTION("of plan") {
    faults.plan = kNoStatus;
    CHECK(c.create() == MDL_ERROR_BACKEND);
    CHECK(c.says("31"));
  }
  SECTION("of resize") {
    REQUIRE(c.create() == MDL_OK);
    faults.resize = kNoStatus;
    mdl_session* none = nullptr;
    CHECK(mdl_session_create(c.program.get(), nullptr, &none, &c.error) == MDL_ERROR_BACKEND);
    CHECK(c.says("31"));
  }
  SECTION("of run") {
    REQUIRE(c.create() == MDL_OK);
    const SessionHandle session = make_session(c.program.get());
    faults.run = kNoStatus;
    CHECK(mdl_session_run(session.get()) == MDL_ERROR_BACKEND);
    CHECK(std::string(mdl_session_error(session.get())).find("31") != std::string::npos);
  }
}

TEST_CASE("a cancel is spent by a run that fails for another reason") {
  const mdl_backend backend = faulty_backend();
  Case c(backend);
  REQUIRE(c.create() == MDL_OK);
  const SessionHandle session = make_session(c.program.get());
  faults.run = MDL_ERROR_BACKEND;
  faults.cancels = session.get();
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_BACKEND);
  faults.run = MDL_OK;
  faults.cancels = nullptr;
  CHECK(mdl_session_run(session.get()) == MDL_OK);
}

TEST_CASE("a session larger than memory can be is refused") {
  const mdl_backend backend = faulty_backend();
  Case c(backend);
  faults.scratch_bytes = std::numeric_limits<size_t>::max() / 64;
  REQUIRE(c.create() == MDL_OK);
  const mdl_thread_pool pool = {nullptr, 1024,
                                [](void*, void (*)(void*, size_t), void*, size_t) {}};
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.pool = &pool;
  size_t bytes = 7;
  CHECK(mdl_session_memory_need(c.program.get(), &options, &bytes, &c.error) == MDL_ERROR_LIMIT);
  CHECK(bytes == 7);
  CHECK(c.says("1024 threads"));
  mdl_session* none = nullptr;
  CHECK(mdl_session_create(c.program.get(), &options, &none, &c.error) == MDL_ERROR_LIMIT);
}

TEST_CASE("a program above its budget is refused before anything is packed") {
  const mdl_backend backend = faulty_backend();
  Case c(backend);
  c.options.memory_budget = 1;
  CHECK(c.create() == MDL_ERROR_LIMIT);
  CHECK(faults.packs == 0);
  c.options.memory_budget = 0;
  CHECK(c.create() == MDL_OK);
  CHECK(faults.packs == 1);
}

TEST_CASE("a failed run says which value was wrong") {
  GraphBuilder b;
  const int32_t x = b.input("x", {5, 2});
  const int32_t i = b.input("i", {2}, {}, MDL_INT64);
  b.output(b.node("Gather", {x, i}, {{"axis", int64_t{0}}}, "pick"));
  const ProgramHandle program = make_program(b.graph());
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 1, {4, 5});
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_INVALID_ARGUMENT);
  const std::string text = mdl_session_error(session.get());
  INFO(text);
  CHECK(text.find("'pick' (Gather)") == 5);
  CHECK(text.find("'pick'") == text.rfind("'pick'"));  // once
  CHECK(text.find("reference: index 1 is 5, should be from -5 to 4") != std::string::npos);
  set_input(session.get(), 1, {4, -5});
  CHECK(mdl_session_run(session.get()) == MDL_OK);
  CHECK(std::string(mdl_session_error(session.get())).empty());
}
