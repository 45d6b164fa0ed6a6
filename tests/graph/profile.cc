// SPDX-License-Identifier: Apache-2.0
// What a profile says of its steps, and how long its strings live.
#include <algorithm>
#include <cstring>

#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// A backend that takes all nodes as one step, and copies its input.
struct Args {
  int64_t count;
  const void* from;
  void* to;
};

size_t fuse(void*, const mdl_graph* graph, int32_t node, const uint8_t*, int32_t* members,
            size_t capacity) {
  const size_t count = std::min(graph->node_count - static_cast<size_t>(node), capacity);
  for (size_t i = 0; i < count; ++i) members[i] = node + static_cast<int32_t>(i);
  return count;
}

mdl_status supports(void*, const mdl_graph*, const mdl_group*, mdl_error*) { return MDL_OK; }

mdl_status run(const void* memory, uint32_t, int64_t, int64_t, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  std::memcpy(args.to, args.from, static_cast<size_t>(args.count) * sizeof(float));
  return MDL_OK;
}

mdl_status plan(void*, const mdl_graph*, const mdl_group*, const mdl_host*, mdl_step* step,
                mdl_error*) {
  step->kernel = "copy";
  step->phase_count = 1;
  step->run = run;
  step->args_bytes = sizeof(Args);
  return MDL_OK;
}

mdl_status resize(void*, const mdl_step*, const mdl_shape* shapes, void* args, mdl_rows* rows,
                  mdl_error*) {
  static_cast<Args*>(args)->count = shapes[0].dims[0];
  rows->rows[0] = 1;
  return MDL_OK;
}

mdl_status bind(void*, const mdl_step*, const mdl_operand* operands, const void*, void* args,
                mdl_error*) {
  static_cast<Args*>(args)->from = operands[0].data;
  static_cast<Args*>(args)->to = operands[1].data;
  return MDL_OK;
}

mdl_backend copy_backend() {
  mdl_backend backend = {};
  backend.struct_size = sizeof(backend);
  backend.abi = MDL_BACKEND_ABI;
  backend.name = "copy";
  backend.fuse = fuse;
  backend.supports = supports;
  backend.plan = plan;
  backend.resize = resize;
  backend.bind = bind;
  return backend;
}

}  // namespace

TEST_CASE("the operators of a step are whole, and live as long as the session") {
  constexpr int kNodes = 24;
  GraphBuilder b;
  int32_t x = b.input("x", {3});
  std::string expected;
  for (int i = 0; i < kNodes; ++i) {
    x = b.node("HardSigmoid", {x});
    expected += i > 0 ? "+HardSigmoid" : "HardSigmoid";
  }
  b.output(x);
  const mdl_backend backend = copy_backend();
  const mdl_backend* const extra = &backend;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "copy";
  options.extra_backends = &extra;
  options.extra_backend_count = 1;
  const ProgramHandle program = make_program(b.graph(), &options);
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.profile = 1;
  const SessionHandle session = make_session(program.get(), &session_options);
  set_input(session.get(), 0, {1, 2, 3});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  std::vector<const char*> ops;
  const auto visit = [](void* context, const mdl_step_profile* step) {
    static_cast<std::vector<const char*>*>(context)->push_back(step->op);
    return 1;
  };
  REQUIRE(mdl_session_profile(session.get(), visit, &ops, nullptr) == MDL_OK);
  REQUIRE(ops.size() == 1);
  CHECK(ops[0] == expected);
}
