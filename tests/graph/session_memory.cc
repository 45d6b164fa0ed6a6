// SPDX-License-Identifier: Apache-2.0
// What programs and sessions promise of memory: what they state suffices, and less is refused.
#include "tests/graph/accumulator.h"
#include "tests/graph/allocator.h"
#include "tests/graph/pitch_backend.h"

using namespace medulla;
using namespace medulla::test;

namespace {

struct Block {
  explicit Block(size_t bytes)
      : data(std::aligned_alloc(MDL_ALIGNMENT, (bytes + 63) / 64 * 64), std::free), size(bytes) {}
  mdl_block get() const { return {data.get(), size}; }

  std::unique_ptr<void, void (*)(void*)> data;
  size_t size;
};

}  // namespace

TEST_CASE("every allocation may fail") {
  Accumulator model;
  const mdl_graph& graph = model.b.graph();
  for (size_t n = 0;; ++n) {
    CAPTURE(n);
    Allocator allocator(n);
    const mdl_allocator table = allocator.table();
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    options.allocator = &table;
    mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
    session_options.allocator = &table;
    mdl_program* program = nullptr;
    mdl_session* session = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    mdl_status status = create_program(graph, nullptr, &options, true, &program, &error);
    if (status == MDL_OK) status = mdl_session_create(program, &session_options, &session, &error);
    if (status == MDL_OK) CHECK(step(session, {1, 2, 3}) == std::vector<float>{11, 22, 33});
    mdl_session_destroy(session);
    mdl_program_destroy(program);
    REQUIRE(allocator.live == 0);
    if (status == MDL_OK) break;
    REQUIRE(status == MDL_ERROR_OUT_OF_MEMORY);
    REQUIRE(error.status == status);
    REQUIRE(error.text[0] != 0);
  }
}

TEST_CASE("blocks of the stated size suffice, and one byte less does not") {
  Accumulator model;
  const mdl_graph& graph = model.b.graph();
  const mdl_backend* extra = &pitch_backend();
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.extra_backends = &extra;
  options.extra_backend_count = 1;
  options.backends = GENERATE("reference", "pitch", "pitch,reference,cpu");
  options.keep = "next";
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  REQUIRE(program_memory_need(graph, &options, true, &need, nullptr) == MDL_OK);
  CHECK(need.state_bytes == 64);
  CHECK(need.arena_bytes >= need.arena_bound_bytes);

  Allocator none(0);
  const mdl_allocator table = none.table();
  mdl_error error = MDL_ERROR_INIT;
  mdl_program* program = nullptr;
  for (const size_t size : {need.program_bytes - 1, size_t{1}}) {
    const Block small(size);
    options.block = small.get();
    options.allocator = nullptr;  // plans anew, to say what is needed
    CHECK(create_program(graph, nullptr, &options, true, &program, &error) ==
          MDL_ERROR_OUT_OF_MEMORY);
    CHECK(std::string(error.text) == "the block has " + std::to_string(size) +
                                         " bytes, the program needs " +
                                         std::to_string(need.program_bytes));
    options.allocator = &table;
    CHECK(create_program(graph, nullptr, &options, true, &program, &error) ==
          MDL_ERROR_OUT_OF_MEMORY);
    CHECK(
        std::string(error.text) ==
        "the block of " + std::to_string(size) +
            " bytes is too small for the program, and the allocator had no memory to find out how "
            "many it needs; mdl_program_memory_need says so");
    CHECK(none.live == 0);
    none.count = 0;
  }

  const Block whole(need.program_bytes);
  options.block = whole.get();
  REQUIRE(create_program(graph, nullptr, &options, true, &program, &error) == MDL_OK);
  CHECK(none.count == 0);
  const ProgramHandle owner(program);

  size_t bytes = 0;
  REQUIRE(mdl_session_memory_need(program, nullptr, &bytes, nullptr) == MDL_OK);
  CHECK(bytes == need.session_bytes);
  const Block session_small(bytes - 1);
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.allocator = &table;
  session_options.block = session_small.get();
  mdl_session* session = nullptr;
  CHECK(mdl_session_create(program, &session_options, &session, &error) == MDL_ERROR_OUT_OF_MEMORY);
  CHECK(std::string(error.text).find(std::to_string(bytes)) != std::string::npos);
  const Block session_whole(bytes);
  session_options.block = session_whole.get();
  REQUIRE(mdl_session_create(program, &session_options, &session, &error) == MDL_OK);
  CHECK(none.count == 0);
  const SessionHandle session_owner(session);
  CHECK(step(session, {1, 2, 3}) == std::vector<float>{11, 22, 33});
}

TEST_CASE("a budget too small is refused with what is needed") {
  Accumulator model;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  REQUIRE(program_memory_need(model.b.graph(), &options, true, &need, nullptr) == MDL_OK);
  options.memory_budget = need.program_bytes + need.session_bytes;
  CHECK(make_program(model.b.graph(), &options) != nullptr);
  --options.memory_budget;
  mdl_program* program = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(create_program(model.b.graph(), nullptr, &options, true, &program, &error) ==
        MDL_ERROR_LIMIT);
}

TEST_CASE("an arena above its limit is refused with both sizes") {
  Accumulator model;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  REQUIRE(program_memory_need(model.b.graph(), &options, true, &need, nullptr) == MDL_OK);
  options.max_arena_bytes = need.arena_bytes;
  CHECK(make_program(model.b.graph(), &options) != nullptr);
  --options.max_arena_bytes;
  mdl_program* program = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(create_program(model.b.graph(), nullptr, &options, true, &program, &error) ==
        MDL_ERROR_LIMIT);
  for (const size_t bytes : {need.arena_bytes, need.arena_bytes - 1}) {
    CHECK(std::string(error.text).find(std::to_string(bytes)) != std::string::npos);
  }
}

TEST_CASE("tensors larger than memory are refused") {
  GraphBuilder b;
  const int32_t x = b.input("x", {int64_t{1} << 57});
  b.output(b.node("Abs", {x}));
  b.output(b.node("Neg", {x}));
  mdl_program* none = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(create_program(b.graph(), nullptr, nullptr, true, &none, &error) == MDL_ERROR_LIMIT);
}
