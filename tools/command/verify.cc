// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/command/command.h"
#include "tools/command/engine.h"
#include "tools/command/failure.h"
#include "tools/command/terminal.h"

namespace medulla::tools {
namespace {

std::string hexadecimal(const uint8_t* bytes, size_t count) {
  std::ostringstream text;
  text << std::hex << std::setfill('0');
  for (size_t i = 0; i < count; ++i) text << std::setw(2) << static_cast<unsigned>(bytes[i]);
  return text.str();
}

}  // namespace

void add_verify(CLI::App& app) {
  struct Options {
    std::string model;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("verify", "Check a model file: structure, every rule, both digests");
  command->add_option("model", options->model, "A .mdl file")->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    ModelPtr model(nullptr, mdl_model_close);
    try {
      model = open_model(options->model, MDL_CHECK_FULL);
    } catch (const std::exception& why) {
      throw Failure(why.what(), {{"model", options->model}, {"valid", false}});
    }
    const std::string digest = hexadecimal(mdl_model_digest(model.get()), 32);
    if (options->json) {
      print_json({{"model", options->model}, {"valid", true}, {"digest", digest}});
    } else {
      std::cout << options->model << ": valid, digest " << digest << "\n";
    }
  });
}

}  // namespace medulla::tools
