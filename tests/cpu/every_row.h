// SPDX-License-Identifier: Apache-2.0
// Runs a model on the rows of every instruction set that is here, with one thread and with two.
#ifndef MEDULLA_TESTS_CPU_EVERY_ROW_H_
#define MEDULLA_TESTS_CPU_EVERY_ROW_H_

#include <set>

#include "kernels/families.h"
#include "src/model/model.h"
#include "tests/cpu/compare.h"

namespace medulla::test {

inline std::string family_of(const KernelName& row) { return row.family; }

inline bool is_integer(const KernelName& row) {
  return family_of(row).find("_s8") != std::string::npos && host_isa().contains(isa_needs(row.isa));
}

// Those with a row for integers that this CPU runs.
inline std::set<Isa> sets_here() {
  std::set<Isa> sets;
  for (const KernelName& row : kernel_names()) {
    if (is_integer(row)) sets.insert(row.isa);
  }
  return sets;
}

inline std::string plan_of(const mdl_program* program) {
  std::string text(1 << 16, '\0');
  size_t needed = 0;
  REQUIRE(mdl_program_plan(program, MDL_PLAN_JSON, text.data(), text.size(), &needed, nullptr) ==
          MDL_OK);
  if (needed <= text.size()) return text;
  text.resize(needed);
  mdl_program_plan(program, MDL_PLAN_JSON, text.data(), text.size(), &needed, nullptr);
  return text;
}

class EveryRow {
 public:
  // Inputs are filled from `seed`.
  void compare(const mdl_graph& graph, uint32_t seed) {
    nodes_ += graph.node_count;
    const OutputBytes expected = run_graph(graph, "reference", nullptr, 1, seed);
    for (const Isa isa : sets_here()) {
      CAPTURE(isa_name(isa));
      run(graph, isa, "", seed, expected);
      for (const KernelName& row : kernel_names()) {
        if (row.isa != isa || family_of(row) != "winograd_s8") continue;
        run(graph, isa, family_of(row) + "=" + row.name, seed, expected);
      }
    }
  }

  size_t nodes() const { return nodes_; }
  size_t runs() const { return runs_; }
  // Rows for integers that no step of any graph ran.
  std::set<std::string> left_out() const {
    std::set<std::string> rows;
    for (const KernelName& row : kernel_names()) {
      if (is_integer(row) && hit_.count(row.name) == 0) rows.insert(row.name);
    }
    return rows;
  }

 private:
  // A forced row that fits no step is refused, and passed over here.
  void run(const mdl_graph& graph, Isa isa, const std::string& forced, uint32_t seed,
           const OutputBytes& expected) {
    CAPTURE(forced);
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    options.backends = "cpu";
    options.isa = isa_name(isa);
    options.kernels = forced.c_str();
    mdl_program* made = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    const mdl_status status = create_program(graph, nullptr, &options, true, &made, &error);
    if (!forced.empty() && status == MDL_ERROR_UNSUPPORTED) return;
    INFO(error.text);
    REQUIRE(status == MDL_OK);
    const ProgramHandle program(made);
    const std::string plan = plan_of(made);
    for (const KernelName& row : kernel_names()) {
      if (plan.find('"' + std::string(row.name) + '"') != std::string::npos) hit_.insert(row.name);
    }
    for (const size_t threads : {1, 2}) {
      CAPTURE(threads);
      require_same(graph, run_program(made, graph, threads, seed), expected);
      ++runs_;
    }
  }

  std::set<std::string> hit_;
  size_t nodes_ = 0;
  size_t runs_ = 0;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_CPU_EVERY_ROW_H_
