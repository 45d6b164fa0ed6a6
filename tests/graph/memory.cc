// SPDX-License-Identifier: Apache-2.0
// Where tensors lie: sharing never changes a byte, and nothing overlaps what is live.
#include <random>

#include "src/graph/memory.h"
#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/graph/pitch_backend.h"

using namespace medulla;
using namespace medulla::test;

namespace {

struct Options {
  explicit Options(bool strided, bool concat = true) : backend(&pitch_backend(strided, concat)) {
    options.backends = "pitch";
    options.extra_backends = &backend;
    options.extra_backend_count = 1;
  }
  const mdl_backend* backend;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
};

std::vector<std::vector<float>> run_all(const mdl_program* program, uint32_t seed) {
  const SessionHandle session = make_session(program);
  const mdl_graph& graph = program->program.graph;
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> values(-50, 50);
  for (size_t i = 0; i < graph.input_count; ++i) {
    std::vector<float> input(graph.tensors[graph.inputs[i]].bytes / sizeof(float));
    for (float& v : input) v = static_cast<float>(values(random));
    set_input(session.get(), i, input);
  }
  std::vector<std::vector<float>> outputs;
  // Twice: what the first run left behind must not matter.
  for (int repeat = 0; repeat < 2; ++repeat) {
    if (mdl_session_run(session.get()) != MDL_OK) {
      throw std::runtime_error(mdl_session_error(session.get()));
    }
  }
  for (size_t o = 0; o < graph.output_count; ++o) outputs.push_back(get_output(session.get(), o));
  return outputs;
}

size_t end_of(const Storage& s) { return s.offset + (s.bytes + 63) / 64 * 64; }

void check_plan(const Program& program) {
  for (const Storage& a : program.storages) {
    if (a.kind == StorageKind::constant || a.kind == StorageKind::state) continue;
    CHECK(a.first <= a.last);
    CHECK(a.offset % MDL_ALIGNMENT == 0);
    CHECK(end_of(a) <= program.arena_bytes);
    for (const Storage& b : program.storages) {
      if (&a >= &b || b.kind == StorageKind::constant || b.kind == StorageKind::state) continue;
      const bool live = a.first <= b.last && b.first <= a.last;
      const bool apart = end_of(a) <= b.offset || end_of(b) <= a.offset;
      if (live && !apart) FAIL("two live storages overlap");
    }
  }
  CHECK(program.arena_bound_bytes <= program.arena_bytes);
}

// A random graph of the operators that the backend for tests takes, and views.
void make_random(uint32_t seed, GraphBuilder* b) {
  std::mt19937 random(seed);
  const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  std::vector<int32_t> made;
  for (int i = 0; i < 2; ++i) {
    made.push_back(b->input("x" + std::to_string(i), {4, static_cast<int64_t>(8 * (i + 1))}));
  }
  const size_t nodes = 3 + pick(40);
  for (size_t n = 0; n < nodes; ++n) {
    // Mostly recent tensors, as networks do.
    const auto any = [&] {
      return made[pick(3) == 0 ? pick(made.size())
                               : made.size() - 1 - pick(std::min<size_t>(made.size(), 4))];
    };
    const int32_t x = any();
    const int32_t y = any();
    const mdl_tensor& tx = b->tensor(x);
    const mdl_tensor& ty = b->tensor(y);
    const bool same = tx.rank == ty.rank && std::equal(tx.dims, tx.dims + tx.rank, ty.dims);
    switch (pick(6)) {
      case 0:
      case 1:
        made.push_back(b->node("Relu", {x}));
        break;
      case 2:
        if (same) made.push_back(b->node("Add", {x, y}));
        break;
      case 3:
        if (tx.rank == 2 && ty.rank == 2 && tx.dims[0] == ty.dims[0] &&
            tx.dims[1] + ty.dims[1] <= 256) {
          made.push_back(b->node("Concat", {x, y}, {{"axis", int64_t{1}}}));
        }
        break;
      case 4:
        if (tx.rank == 1 && ty.rank == 1) {
          made.push_back(b->node("Concat", {x, y}, {{"axis", int64_t{0}}}));
        } else {
          made.push_back(b->node("Reshape", {x}, {{"shape", Dims{-1}}}));
        }
        break;
      case 5:
        if (tx.rank == 1 && tx.dims[0] % 4 == 0) {
          made.push_back(b->node("Reshape", {x}, {{"shape", Dims{4, -1}}}));
        }
        break;
    }
  }
  std::vector<int32_t> outputs;
  for (size_t t = made.size(); t-- > 2;) {
    const int32_t x = made[t];
    if (b->tensor(x).consumer_count == 0 || pick(12) == 0) b->output(x);
  }
}

}  // namespace

TEST_CASE("a concatenation of rows is placed when all of its neighbours allow a pitch") {
  GraphBuilder b;
  const int32_t x = b.input("x", {4, 6});
  const int32_t p = b.node("Relu", {x}, {}, "p");
  const int32_t q = b.node("Add", {x, p}, {}, "q");
  const int32_t joined = b.node("Concat", {p, q}, {{"axis", int64_t{-1}}}, "joined");
  b.output(b.node("Relu", {joined}, {}, "y"));
  const Options strided(true);
  const Options dense(false);
  const ProgramHandle plain = make_program(b.graph(), &strided.options, false);
  const ProgramHandle placed = make_program(b.graph(), &strided.options);
  const ProgramHandle copied = make_program(b.graph(), &dense.options);
  CHECK(mdl_program_step_count(plain.get()) == 4);
  CHECK(mdl_program_step_count(placed.get()) == 3);
  CHECK(mdl_program_step_count(copied.get()) == 4);
  CHECK(placed->program.node_step[2] == kNodePlaced);
  // p, q, their concatenation and y share one piece of memory: the output's.
  CHECK(placed->program.arena_bytes == 128 + 192);
  const auto expected = run_all(plain.get(), 1);
  CHECK(run_all(placed.get(), 1) == expected);
  CHECK(run_all(copied.get(), 1) == expected);
}

TEST_CASE("a concatenation of whole pieces needs no pitch") {
  GraphBuilder b;
  const int32_t x = b.input("x", {4, 6});
  const int32_t p = b.node("Relu", {x});
  const int32_t q = b.node("Add", {x, p});
  b.output(b.node("Concat", {p, q}, {{"axis", int64_t{0}}}));
  const Options dense(false);
  const ProgramHandle placed = make_program(b.graph(), &dense.options);
  CHECK(mdl_program_step_count(placed.get()) == 2);
  CHECK(run_all(placed.get(), 2) ==
        run_all(make_program(b.graph(), &dense.options, false).get(), 2));
}

TEST_CASE("concatenations inside one another are placed, whoever would copy them") {
  // A dense block: each layer reads all that stands before it. The reference would join them.
  GraphBuilder b;
  const int32_t x = b.input("x", {4, 6});
  int32_t all = b.node("Relu", {x}, {}, "first");
  for (int i = 0; i < 4; ++i) {
    const int32_t part = b.node("Relu", {b.node("Relu", {all})});
    all = b.node("Concat", {all, part}, {{"axis", int64_t{1}}});
  }
  b.output(b.node("Relu", {all}));
  const Options strided(true, false);
  const ProgramHandle program = make_program(b.graph(), &strided.options);
  const ProgramHandle plain = make_program(b.graph(), &strided.options, false);
  for (const Step& step : program->program.steps) {
    CHECK(std::string(b.graph().nodes[step.group.nodes[0]].op) != "Concat");
  }
  CHECK(run_all(program.get(), 4) == run_all(plain.get(), 4));
}

TEST_CASE("what cannot be placed is copied") {
  GraphBuilder b;
  const int32_t x = b.input("x", {4, 6});
  const int32_t p = b.node("Relu", {x});
  b.output(b.node("Concat", {x, p}, {{"axis", int64_t{1}}}));  // of an input
  b.output(b.node("Concat", {p, p}, {{"axis", int64_t{1}}}));  // twice the same
  const Options strided(true);
  const ProgramHandle program = make_program(b.graph(), &strided.options);
  CHECK(mdl_program_step_count(program.get()) == 3);
  CHECK(run_all(program.get(), 3) ==
        run_all(make_program(b.graph(), &strided.options, false).get(), 3));
}

TEST_CASE("a chain of elementwise steps runs in one place") {
  GraphBuilder b;
  int32_t x = b.input("x", {4, 8});
  for (int i = 0; i < 5; ++i) x = b.node("Relu", {x});
  b.output(x);
  const Options strided(true);
  const ProgramHandle program = make_program(b.graph(), &strided.options);
  CHECK(program->program.arena_bytes == 2 * 128);  // the input and the output
}

TEST_CASE("sharing memory gives the bytes of the plain plan on random graphs") {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    GraphBuilder b;
    make_random(seed, &b);
    const Options strided(seed % 2 == 0, seed % 3 != 0);
    const mdl_graph& graph = b.graph();
    if (graph.output_count == 0) continue;
    const ProgramHandle plain = make_program(graph, &strided.options, false);
    const ProgramHandle shared = make_program(graph, &strided.options, true);
    check_plan(plain->program);
    check_plan(shared->program);
    REQUIRE(run_all(shared.get(), seed) == run_all(plain.get(), seed));
  }
}

TEST_CASE("offsets stay within 10 % of the bound on random lives") {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const size_t count = 2 + random() % 150;
    const int32_t end = static_cast<int32_t>(count);
    CAPTURE(count);
    std::vector<Span> spans(count);
    for (size_t i = 0; i < count; ++i) {
      // A tensor lives for a few steps, some skip far ahead, as in a U-Net.
      const int32_t first = static_cast<int32_t>(i);
      const int32_t life = 1 + static_cast<int32_t>(random() % (random() % 6 == 0 ? count : 3));
      spans[i] = {first, std::min(end, first + life), 64 * (1 + random() % 1000), 0};
    }
    std::vector<int32_t> order(3 * count);
    std::vector<size_t> room(count);
    std::vector<int64_t> sums(static_cast<size_t>(end) + 2);
    const size_t bound = lower_bound(spans, end, sums);
    const size_t total = plan_offsets(spans, order, room, bound);
    for (const Span& a : spans) {
      REQUIRE(a.offset + a.bytes <= total);
      for (const Span& b : spans) {
        if (&a == &b || a.first > b.last || b.first > a.last) continue;
        REQUIRE((a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset));
      }
    }
    REQUIRE(bound <= total);
    CHECK(static_cast<double>(total) <= 1.1 * static_cast<double>(bound));
  }
}
