// SPDX-License-Identifier: Apache-2.0
// Where output goes: a file that exists stays whole, what is no regular file stays what it is.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/command/shell.h"
#include "tools/common/new_file.h"

namespace medulla::test {
namespace {

namespace fs = std::filesystem;

size_t entries_of(const Shell& shell) {
  const fs::directory_iterator entries(shell.path(""));
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

TEST_CASE("a pipe is written to and stays a pipe") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  REQUIRE(mkfifo(shell.path("pipe").c_str(), 0600) == 0);
  for (const char* arguments : {"run m.mdl --zeros --output pipe", "inspect m.mdl --html pipe"}) {
    const std::string line = "cd '" + shell.path("") + "' && { timeout 20 cat pipe >got & " +
                             kCommand + " " + arguments + " >stdout.txt 2>stderr.txt; wait; }";
    INFO(arguments);
    CHECK(std::system(line.c_str()) == 0);
    CHECK(fs::is_fifo(shell.path("pipe")));
    CHECK(shell.text("got").size() >= 16);
    fs::remove(shell.path("got"));
  }
}

TEST_CASE("a device is written to and stays a device") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  if (mknod(shell.path("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) return;
  for (const char* arguments : {"run m.mdl --zeros --output null", "inspect m.mdl --dot null"}) {
    const Outcome outcome = shell.run(arguments);
    INFO(arguments << outcome.err);
    // Where devices are not allowed, the system refuses to open it.
    CHECK((outcome.status == 0 || outcome.err.find("null") != std::string::npos));
    CHECK(fs::is_character_file(shell.path("null")));
  }
}

TEST_CASE("a link is followed") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  fs::create_directory(shell.path("folder"));
  shell.write("folder/old.npy", "old");
  fs::create_symlink("folder/old.npy", shell.path("old.npy"));
  fs::create_symlink("folder/new.npy", shell.path("new.npy"));
  for (const char* name : {"old.npy", "new.npy"}) {
    INFO(name);
    REQUIRE(shell.run(std::string("run m.mdl --zeros --output ") + name).status == 0);
    CHECK(fs::is_symlink(shell.path(name)));
    CHECK(shell.floats(std::string("folder/") + name) == std::vector<float>{1, 1, 1, 1});
  }
}

TEST_CASE("a part that somebody left is nobody's to take") {
  const Shell shell;
  const std::string part = "a.part" + std::to_string(getpid()) + ".0";
  shell.write("target", "precious");
  fs::create_symlink("target", shell.path(part));
  const std::string text = "whole";
  {
    tools::NewFile file(shell.path("a"));
    file.write(reinterpret_cast<const std::byte*>(text.data()), text.size());
    CHECK(!shell.has("a"));
    file.commit();
  }
  CHECK(shell.text("a") == text);
  CHECK(shell.text("target") == "precious");
  { const tools::NewFile given_up(shell.path("a")); }
  CHECK(shell.text("a") == text);
  CHECK(entries_of(shell) == 3);
}

TEST_CASE("an input is never the output") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>(4));
  fs::create_hard_link(shell.path("m.mdl"), shell.path("hard.raw"));
  fs::create_symlink("m.mdl", shell.path("soft"));
  shell.write("m.onnx", "no model either");
  const std::string model = shell.text("m.mdl"), input = shell.text("x.npy");
  for (const char* arguments :
       {"run hard.raw --zeros --output ./hard.raw", "run m.mdl --zeros --output hard.raw",
        "run m.mdl --zeros --dump shifted=soft", "run m.mdl --input x.npy --output x.npy",
        "bench m.mdl --runs 1 --output hard.raw", "inspect m.mdl --html hard.raw",
        "inspect m.mdl --dot m.mdl", "convert m.mdl"}) {
    const Outcome outcome = shell.run(arguments);
    INFO(arguments << "\n" << outcome.err);
    CHECK(outcome.status == 1);
    const bool module_is_missing = outcome.err.find("module cannot be opened") != std::string::npos;
    const bool says = outcome.err.find("is the input") != std::string::npos ||
                      outcome.err.find("is a Medulla model already") != std::string::npos;
    CHECK((module_is_missing || says));
    CHECK(shell.text("m.mdl") == model);
    CHECK(shell.text("x.npy") == input);
  }
}

TEST_CASE("no file that a conversion reads is written") {
  const Shell shell;
  fs::create_directory(shell.path("folder"));
  for (const char* name : {"m", "x", "folder/s", "names"}) shell.write(name, name);
  shell.write_npy("f.npy", MDL_FLOAT32, {1}, std::vector<float>{1});
  fs::create_symlink("f.npy", shell.path("f"));
  fs::create_hard_link(shell.path("folder/s"), shell.path("hard"));
  for (const char* arguments :
       {"quantize m --calib x -o x", "quantize m --calib in=x --html x",
        "quantize m --calib folder -o hard", "quantize m --calib folder --html folder/s",
        "quantize m --calib x --eval folder -o hard", "quantize m --calib f --labels out=x -o x",
        "quantize m --calib f --class-names names --html names",
        "quantize m --calib x --class-names out=names -o names",
        "quantize m --calib x --fix i=f.npy -o f", "quantize m --calib x --fix i=f.npy --html f",
        "convert m --labels names -o names", "convert m --labels out=names -o names",
        "convert m --state a=b:f.npy -o f", "convert m --fix i=f.npy -o f"}) {
    const Outcome outcome = shell.run(arguments);
    INFO(arguments << "\n" << outcome.err);
    CHECK(outcome.status == 1);
    CHECK(outcome.err.find("it is the input") != std::string::npos);
  }
  for (const char* name : {"m", "x", "folder/s", "names"}) CHECK(shell.text(name) == name);
  for (const char* ending : {"npy", "csv", "txt", "onnx", "tflite", "html", "json"}) {
    const Outcome outcome = shell.run(std::string("convert m -o new.") + ending);
    INFO(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(outcome.err.find("should end in .mdl") != std::string::npos);
  }
}

TEST_CASE("convert and compare that are interrupted leave nothing behind") {
  if (!has_module()) return;
  const Shell shell;
  const std::string source =
      std::string(kSourceDir) + "/examples/ecg_monitor/models/ecg_cnn_fp32.onnx";
  REQUIRE(shell.run("convert " + source + " -o m.mdl").status == 0);
  fs::create_directory(shell.path("t"));
  for (const char* arguments : {"convert %s -o t/c.mdl", "compare m.mdl %s"}) {
    const std::string text = arguments;
    const size_t at = text.find("%s");
    const std::string words = text.substr(0, at) + source + text.substr(at + 2);
    for (int i = 1; i <= 20; ++i) {
      const std::string after = std::to_string(0.004 * i);
      const std::string line = "cd '" + shell.path("") + "' && TMPDIR=\"$PWD/t\" timeout -s " +
                               (i % 2 == 0 ? "INT " : "TERM ") + after + " " + kCommand + " " +
                               words + " >stdout.txt 2>stderr.txt";
      const int status = std::system(line.c_str());
      INFO(line << ": status " << status);
      fs::remove(shell.path("t/c.mdl"));  // whole, if any
      CHECK(fs::is_empty(shell.path("t")));
    }
  }
}

TEST_CASE("what cannot be printed fails") {
  if (!fs::exists("/dev/full")) return;
  const Shell shell;
  shell.write_shift_model("m.mdl");
  std::vector<std::string> lines = {"isa",
                                    "inspect m.mdl",
                                    "inspect m.mdl --json",
                                    "inspect m.mdl --dot -",
                                    "verify m.mdl",
                                    "run m.mdl --zeros --json",
                                    "bench m.mdl --runs 1 --json",
                                    "--help",
                                    "run --help",
                                    "--version"};
  if (has_module()) {
    const std::string model =
        std::string(kSourceDir) + "/examples/ecg_monitor/models/ecg_cnn_int8.onnx";
    lines.push_back("convert " + model + " -o c.mdl --json");
  }
  for (const std::string& line : lines) {
    const int status = std::system(
        ("cd '" + shell.path("") + "' && " + kCommand + " " + line + " >/dev/full 2>stderr.txt")
            .c_str());
    const std::string err = shell.text("stderr.txt");
    INFO(line << "\n" << err);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1));
    CHECK(err.find("standard output cannot be written") != std::string::npos);
  }
}

}  // namespace
}  // namespace medulla::test
