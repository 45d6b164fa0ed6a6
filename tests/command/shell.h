// SPDX-License-Identifier: Apache-2.0
// The built command, run as a shell runs it, in a folder of its own.
#ifndef MEDULLA_TESTS_COMMAND_SHELL_H_
#define MEDULLA_TESTS_COMMAND_SHELL_H_

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/model_builder.h"
#include "tests/paths.h"
#include "tools/common/array.h"

namespace medulla::test {

struct Outcome {
  int status;  // -1: it was ended by a signal
  std::string out;
  std::string err;
};

// Says so when the build has no converter.
inline bool has_module() {
  const std::filesystem::path folder = std::filesystem::path(kBinaryDir);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == "medulla-convert.so") return true;
  }
  WARN("skipped: built without the converter");
  return false;
}

// A folder that is gone when the test is over.
class Shell {
 public:
  Shell()
      : folder_(std::filesystem::temp_directory_path() /
                ("medulla-command-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~Shell() { std::filesystem::remove_all(folder_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // Runs `medulla ARGUMENTS` in the folder.
  Outcome run(const std::string& arguments) const {
    const std::string line = "cd '" + folder_.string() + "' && " + kCommand + " " + arguments +
                             " >stdout.txt 2>stderr.txt </dev/null";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) && WEXITSTATUS(status) < 126 ? WEXITSTATUS(status) : -1,
            text("stdout.txt"), text("stderr.txt")};
  }

  // The same, for what has to succeed and print JSON.
  nlohmann::json json(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --json");
    INFO("medulla " << arguments << " --json\n" << outcome.out << outcome.err);
    REQUIRE(outcome.status == 0);
    nlohmann::json parsed = nlohmann::json::parse(outcome.out, nullptr, false);
    REQUIRE(!parsed.is_discarded());
    return parsed;
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  std::string text(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  template <class T>
  void write_npy(const std::string& name, mdl_dtype dtype, std::vector<int64_t> shape,
                 const std::vector<T>& values) const {
    tools::Array array{dtype, std::move(shape), {}};
    array.data.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(array.data.data(), values.data(), array.data.size());
    tools::write_npy(path(name), array);
  }
  std::vector<float> floats(const std::string& name) const {
    return tools::to_floats(tools::read_npy(path(name)));
  }

  // y = relu(x + 1) of four numbers; x + 1 is called "shifted".
  void write_shift_model(const std::string& name) const {
    ModelBuilder b;
    const int32_t one = b.constant("one", {4}, {1, 1, 1, 1});
    b.output(b.node("Relu", {b.node("Add", {b.input("x", {1, 4}), one}, "shifted")}, "y"));
    b.bytes();  // infers the shapes
    b.model.name = "shift";
    tools::write_model(b.model, path(name));
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_COMMAND_SHELL_H_
