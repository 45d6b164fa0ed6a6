// SPDX-License-Identifier: Apache-2.0
#include "tests/command/shell.h"
#include "tests/shared.h"

namespace medulla::test {
namespace {

std::string ecg(const char* file) { return shared(std::string("models/ecg_cnn/") + file); }

TEST_CASE("quantize makes a model that runs, and reports in three forms") {
  if (!has_module() || absent("models/ecg_cnn/model_fp32.onnx")) return;
  const Shell shell;
  const std::string command = "quantize " + ecg("model_fp32.onnx") + " --calib " +
                              ecg("calib.npy") + " --method mse -o m.mdl";
  const nlohmann::json report = shell.json(command + " --html page.html");
  CHECK(report["samples"] == 64);
  CHECK(report["bound_met"] == true);
  CHECK(report["layers"].size() == 13);
  CHECK(report["layers"][0]["precision"] == "int8");
  CHECK(report["result"]["sqnr"].get<double>() > 15);
  CHECK(report["bytes"]["result"] == std::filesystem::file_size(shell.path("m.mdl")));
  const std::string page = shell.text("page.html");
  for (const char* part : {"<!doctype html>", "m.mdl", "/stem/conv/Conv", "SQNR", "</html>"}) {
    CHECK(page.find(part) != std::string::npos);
  }
  for (const char* part : {"http", "<script", "url("}) CHECK(page.find(part) == std::string::npos);
  const Outcome text = shell.run(command);
  CHECK(text.status == 0);
  CHECK(text.out.find("Conv '/stem/conv/Conv'") != std::string::npos);
  CHECK(shell.json("run m.mdl --zeros").is_object());
}

TEST_CASE("quantize that is interrupted leaves a whole file or none") {
  if (!has_module() || absent("models/ecg_cnn/model_fp32.onnx")) return;
  const Shell shell;
  for (const char* after : {"0.05", "0.2", "0.4"}) {
    const std::string line = "cd '" + shell.path("") + "' && timeout -s INT " + after + " " +
                             kCommand + " quantize " + ecg("model_fp32.onnx") + " --calib " +
                             ecg("calib.npy") + " --eval " + ecg("x.npy") +
                             " -o m.mdl >/dev/null 2>&1";
    const int status = std::system(line.c_str());
    INFO("after " << after << " s: status " << status);
    if (shell.has("m.mdl")) CHECK(shell.run("verify m.mdl").status == 0);  // whole, if any
    std::filesystem::remove(shell.path("m.mdl"));
  }
}

TEST_CASE("quantize refuses what it cannot use") {
  if (!has_module()) return;
  const Shell shell;
  shell.write("m.onnx", "no model");
  shell.write("x.npy", "no array");
  shell.write_shift_model("made.mdl");
  const struct {
    const char* arguments;
    int status;
    const char* says;
  } cases[] = {
      {"quantize m.onnx", 2, "--calib"},
      {"quantize m.onnx --calib x.npy --method best", 2, "best"},
      {"quantize m.onnx --calib x.npy --budget 1", 2, "--labels"},
      {"quantize m.onnx --calib x.npy --sqnr -1", 2, "0 or more"},
      {"quantize m.onnx --calib x.npy", 1, "m.onnx"},
      {"quantize made.mdl --calib x.npy -o m.mdl", 1, "made.mdl: is a Medulla model already"},
      {"quantize nowhere.onnx --calib x.npy", 1, "nowhere.onnx"},
      {"quantize m.onnx --calib x.npy -o m.onnx", 2, "m.onnx"},
      {"quantize made.mdl --calib x.npy", 1, "made.mdl: is a Medulla model already"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = shell.run(c.arguments);
    INFO("medulla " << c.arguments << "\n" << outcome.err);
    CHECK(outcome.status == c.status);
    CHECK(outcome.err.find(c.says) != std::string::npos);
    CHECK(!shell.has("m.mdl"));
  }
  CHECK(shell.text("m.onnx") == "no model");
}

}  // namespace
}  // namespace medulla::test
