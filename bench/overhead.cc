// SPDX-License-Identifier: Apache-2.0
// What a step and a run cost beside their work: a chain of steps of one element, all of them kept
// so that nothing is fused, against one step. The goals: a step under 50 ns, a run under 1 us.
#include <benchmark/benchmark.h>

#include "tests/graph/builder.h"

namespace {

using medulla::test::GraphBuilder;

void chain(benchmark::State& state, const char* backend) {
  const int64_t steps = state.range(0);
  GraphBuilder b;
  int32_t x = b.input("x", {1});
  std::string keep;
  for (int64_t i = 0; i < steps; ++i) {
    x = b.node("Relu", {x}, {}, "y" + std::to_string(i));
    if (i + 1 < steps) keep += "y" + std::to_string(i) + ",";
  }
  b.output(x);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = backend;
  options.keep = keep.c_str();
  const auto program = medulla::test::make_program(b.graph(), &options);
  const auto session = medulla::test::make_session(program.get());
  medulla::test::set_input(session.get(), 0, {1.0f});
  if (static_cast<int64_t>(mdl_program_step_count(program.get())) != steps) {
    state.SkipWithError("steps were folded");
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(mdl_session_run(session.get()));
  state.counters["per_step"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsIterationInvariantRate |
                                                         benchmark::Counter::kInvert);
}

}  // namespace

BENCHMARK_CAPTURE(chain, reference, "reference")->Arg(1)->Arg(1000);
BENCHMARK_CAPTURE(chain, cpu, "cpu")->Arg(1)->Arg(1000);

BENCHMARK_MAIN();
