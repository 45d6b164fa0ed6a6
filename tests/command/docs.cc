// SPDX-License-Identifier: Apache-2.0
// The manual and the completion know every option that the command has.
#include <set>

#include "tests/command/shell.h"

namespace medulla::test {
namespace {

std::set<std::string> options_in(const std::string& text) {
  std::set<std::string> options;
  for (size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
    const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
    options.insert(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end;
  }
  return options;
}

std::string source(const std::string& name) {
  std::ifstream in(std::string(kSourceDir) + "/tools/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("the manual and the completion name every option") {
  const Shell shell;
  std::string manual;
  for (char c : source("man/medulla.1")) {
    if (c != '\\') manual += c;  // hyphens are written \-
  }
  for (const std::string& option : options_in(shell.run("--help").out)) {
    INFO("medulla " << option);
    CHECK(options_in(manual).count(option) == 1);
  }
  const std::string completion = source("completion/medulla.bash");
  for (const char* command :
       {"convert", "quantize", "inspect", "run", "compare", "bench", "verify", "isa"}) {
    const std::set<std::string> options =
        options_in(shell.run(std::string(command) + " --help").out);
    CHECK(options.count("--json") == 1);
    for (const std::string& option : options) {
      INFO(command << " " << option);
      CHECK(options_in(manual).count(option) == 1);
      CHECK(options_in(completion).count(option) == 1);
    }
  }
}

TEST_CASE("the completion offers every instruction set") {
  const Shell shell;
  const std::string refused = shell.run("isa --isa nosuch").err;
  const std::string completion = source("completion/medulla.bash");
  const size_t known = refused.find("there are:");
  REQUIRE(known != std::string::npos);
  std::istringstream words(refused.substr(known + 10, refused.rfind(';') - known - 10));
  size_t count = 0;
  for (std::string word; words >> word; ++count) {
    INFO(word);
    CHECK(completion.find(word) != std::string::npos);
  }
  CHECK(count > 10);
}

}  // namespace
}  // namespace medulla::test
