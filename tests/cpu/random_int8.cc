// SPDX-License-Identifier: Apache-2.0
// Random graphs of integer nodes give the same bytes on the reference, on the portable rows, on
// those of every instruction set that is here, with one thread and with two.
#include <cstdio>
#include <cstdlib>
#include <set>

#include "kernels/families.h"
#include "src/model/model.h"
#include "tests/cpu/int8_graph.h"

namespace medulla::test {
namespace {

struct ModelCloser {
  void operator()(mdl_model* model) const { mdl_model_close(model); }
};

std::string family_of(const KernelName& row) { return row.family; }

bool is_integer(const KernelName& row) {
  return family_of(row).find("_s8") != std::string::npos && host_isa().contains(isa_needs(row.isa));
}

// Those with a row for integers that this CPU runs.
std::set<Isa> sets_here() {
  std::set<Isa> sets;
  for (const KernelName& row : kernel_names()) {
    if (is_integer(row)) sets.insert(row.isa);
  }
  return sets;
}

std::string plan_of(const mdl_program* program) {
  std::string text(1 << 16, '\0');
  size_t needed = 0;
  REQUIRE(mdl_program_plan(program, MDL_PLAN_JSON, text.data(), text.size(), &needed, nullptr) ==
          MDL_OK);
  if (needed <= text.size()) return text;
  text.resize(needed);
  mdl_program_plan(program, MDL_PLAN_JSON, text.data(), text.size(), &needed, nullptr);
  return text;
}

class Comparison {
 public:
  // Throws the loader's text where it refuses the graph.
  void compare(uint32_t seed) {
    Int8Graph random(seed);
    const AlignedBytes bytes = random.bytes();
    mdl_model* opened = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    if (mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &opened, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
    const std::unique_ptr<mdl_model, ModelCloser> model(opened);
    const mdl_graph& graph = model_graph(*model);
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

// Seeds `first` and on; MEDULLA_SEED names a single one.
void compare_graphs(uint32_t first, uint32_t graphs) {
  const char* const single = std::getenv("MEDULLA_SEED");
  if (single != nullptr) {
    first = static_cast<uint32_t>(std::strtoul(single, nullptr, 10));
    graphs = 1;
  }
  Comparison comparison;
  for (uint32_t seed = first; seed < first + graphs; ++seed) {
    CAPTURE(seed);
    comparison.compare(seed);
  }
  std::printf("random integer graphs: seeds %u to %u, %zu nodes, %zu runs, 0 bytes differ\n", first,
              first + graphs - 1, comparison.nodes(), comparison.runs());
  if (single == nullptr) CHECK(comparison.left_out() == std::set<std::string>());
}

}  // namespace

TEST_CASE("random integer graphs have one result everywhere", "[int8_graphs]") {
  compare_graphs(1, 300);
}

TEST_CASE("ten thousand random integer graphs have one result everywhere", "[int8_graphs][slow]") {
  compare_graphs(1000, 10000);
}

}  // namespace medulla::test
