// SPDX-License-Identifier: Apache-2.0
// A run with one thread allocates nothing, makes no system call, and keeps to its stated stack.
#include "tests/catch.h"
#include "tests/graph/bodies.h"
#include "tests/graph/builder.h"
#include "tests/graph/converted.h"
#include "tests/graph/painted_stack.h"

#if MEDULLA_PAINTED_STACK  // where the C library and no sanitizer stands behind the functions below

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace medulla;
using namespace medulla::test;

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace {
size_t allocations = 0;
}

// These stand before the C library's, whose own they call.
extern "C" {
void* malloc(size_t size) { return ++allocations, __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return ++allocations, __libc_calloc(count, size); }
void* realloc(void* pointer, size_t size) { return ++allocations, __libc_realloc(pointer, size); }
void* aligned_alloc(size_t alignment, size_t size) {
  return ++allocations, __libc_memalign(alignment, size);
}
}

namespace {

// A network with a state, views, steps in place and extents that are found, on the backends as they
// come.
struct Network {
  Network() {
    const int32_t x = b.input("x", {4, 16});
    const int32_t h = b.state("h", {4, 16});
    const int32_t sum = b.node("Add", {x, h});
    b.write(h, sum);
    const int32_t y = b.node("Relu", {sum});
    const int32_t joined = b.node("Concat", {x, y}, {{"axis", int64_t{1}}});
    b.output(b.node("Transpose", {b.node("Reshape", {joined}, {{"shape", Dims{8, 16}}})},
                    {{"perm", Dims{1, 0}}}));
    const int32_t where = b.node("NonZero", {y});
    b.symbol(where, 1, "found");
    const int32_t rows = b.node("Reshape", {where}, {{"shape", Dims{-1}}});
    b.symbol(rows, 0, "rows");
    const int32_t list = b.node("Reshape", {x}, {{"shape", Dims{64}}});
    const int32_t kept = b.node("Gather", {list, rows});
    b.symbol(kept, 0, "rows");
    b.output(b.node("Add", {kept, kept}));
    b.symbol(kept + 1, 0, "rows");
    program = make_program(b.graph());
    session = make_session(program.get());
    set_input(session.get(), 0, std::vector<float>(64, 1.0f));
  }
  GraphBuilder b;
  ProgramHandle program;
  SessionHandle session;
};

// Loops in one another, as deep as they may stand.
struct Loops : Running {
  Loops() : Loops(nested_loops(4)) {}
  explicit Loops(ModelBuilder b) : Running(b, "cpu,reference") { set_input(get(), 0, {1, 2}); }
};

// Shows `look` a session of the network, of the loops and of each committed model.
template <class Look>
void each_session(Look look) {
  const Network network;
  look(network.session.get());
  const Loops loops;
  look(loops.get());
  for (const char* name : kCommittedModels) {
    CAPTURE(name);
    const Converted converted(committed_model(name));
    REQUIRE_FALSE(converted.refused);
    const ProgramHandle program = make_program(model_graph(*converted.model));
    const SessionHandle session = make_session(program.get());
    look(session.get());
  }
}

void check_stack(const mdl_graph& graph, mdl_session* session) {
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  REQUIRE(program_memory_need(graph, nullptr, true, &need, nullptr) == MDL_OK);
  PaintedStack stack;
  CHECK(stack.run(session) == MDL_OK);
  INFO(stack.bytes() << " bytes of stack");
  CHECK(stack.bytes() <= need.stack_bytes);
}

}  // namespace

TEST_CASE("a run allocates nothing") {
  each_session([](mdl_session* session) {
    const size_t before = allocations;
    mdl_status status = MDL_OK;
    for (int i = 0; i < 10 && status == MDL_OK; ++i) status = mdl_session_run(session);
    const size_t after = allocations;
    CHECK(status == MDL_OK);
    CHECK(after == before);
    CHECK(before > 0);
  });
}

TEST_CASE("a run makes no system call") {
  each_session([](mdl_session* session) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // From here on any call but exit kills the child.
      if (prctl(PR_SET_SECCOMP, 1) != 0) _exit(77);
      mdl_status status = MDL_OK;
      for (int i = 0; i < 10 && status == MDL_OK; ++i) status = mdl_session_run(session);
      syscall(SYS_exit, status == MDL_OK ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
      WARN("skipped: this system has no seccomp");
      return;
    }
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  });
}

TEST_CASE("a run keeps to its stated stack") {
  const Network network;
  check_stack(network.program->program.graph, network.session.get());
  const Loops loops;
  check_stack(loops.program->program.graph, loops.get());
}

#endif
