// SPDX-License-Identifier: Apache-2.0
// What a program that reads --json gets where the work fails.
#include "tests/command/shell.h"

namespace medulla::test {
namespace {

nlohmann::json refused(const Shell& shell, const std::string& arguments, int status) {
  const Outcome outcome = shell.run(arguments + " --json");
  INFO("medulla " << arguments << " --json\n" << outcome.out << outcome.err);
  CHECK(outcome.status == status);
  const nlohmann::json json = nlohmann::json::parse(outcome.out, nullptr, false);
  REQUIRE(json.is_object());
  REQUIRE(json.contains("error"));
  CHECK(outcome.err.find(json["error"].get<std::string>()) != std::string::npos);
  return json;
}

TEST_CASE("every command prints its error as JSON too") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  for (const char* command : {"run", "inspect", "bench", "verify", "compare m.mdl"}) {
    const nlohmann::json json = refused(shell, command + std::string(" absent.mdl"), 1);
    CHECK(json["error"].get<std::string>().find("absent.mdl") != std::string::npos);
  }
  CHECK(refused(shell, "verify absent.mdl", 1)["valid"] == false);
  refused(shell, "isa --isa mmx", 2);
  refused(shell, "run m.mdl", 1);
  refused(shell, "bench m.mdl --runs 0", 2);
  refused(shell, "inspect", 2);
  refused(shell, "rnu m.mdl", 2);
  refused(shell, "run m.mdl x.npy", 2);
  CHECK(shell.run("isa --isa mmx").out.empty());
}

TEST_CASE("an error stands beside what compare found") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("y.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{9, 9, 9, 9});
  CHECK(refused(shell, "compare m.mdl y.npy", 1)["first"]["tensor"] == "y");
}

TEST_CASE("convert and quantize print their errors as JSON too") {
  if (!has_module()) return;
  const Shell shell;
  CHECK(refused(shell, "convert absent.onnx", 1)["refusals"].size() == 1);
  refused(shell, "quantize absent.onnx --weights int8", 1);
}

}  // namespace
}  // namespace medulla::test
