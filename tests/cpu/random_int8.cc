// SPDX-License-Identifier: Apache-2.0
// Random graphs of integer nodes give the same bytes on the reference, on the portable rows, on
// those of every instruction set that is here, with one thread and with two.
#include <cstdio>
#include <cstdlib>

#include "tests/cpu/every_row.h"
#include "tests/cpu/int8_graph.h"

namespace medulla::test {
namespace {

// The loader proves the graph first.
void compare(EveryRow& rows, uint32_t seed) {
  Int8Graph random(seed);
  const AlignedBytes bytes = random.bytes();
  mdl_model* opened = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  const mdl_status status =
      mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &opened, &error);
  INFO(error.text);
  REQUIRE(status == MDL_OK);
  const std::unique_ptr<mdl_model, void (*)(mdl_model*)> model(opened, mdl_model_close);
  rows.compare(model_graph(*model), seed);
}

// Seeds `first` and on; MEDULLA_SEED names a single one.
void compare_graphs(uint32_t first, uint32_t graphs) {
  const char* const single = std::getenv("MEDULLA_SEED");
  if (single != nullptr) {
    first = static_cast<uint32_t>(std::strtoul(single, nullptr, 10));
    graphs = 1;
  }
  EveryRow rows;
  for (uint32_t seed = first; seed < first + graphs; ++seed) {
    CAPTURE(seed);
    compare(rows, seed);
  }
  std::printf("random integer graphs: seeds %u to %u, %zu nodes, %zu runs, 0 bytes differ\n", first,
              first + graphs - 1, rows.nodes(), rows.runs());
  if (single == nullptr) CHECK(rows.left_out() == std::set<std::string>());
}

}  // namespace

TEST_CASE("random integer graphs have one result everywhere", "[int8_graphs]") {
  compare_graphs(1, 300);
}

TEST_CASE("ten thousand random integer graphs have one result everywhere", "[int8_graphs][slow]") {
  compare_graphs(1000, 10000);
}

}  // namespace medulla::test
