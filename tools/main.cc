// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "medulla/medulla.h"
#include "tools/command/command.h"
#include "tools/command/failure.h"
#include "tools/command/terminal.h"

namespace {

// Under --json every failure is one object on standard output, whose "error" is the text.
int fail(int argc, char** argv, const std::string& where, int status, const std::string& text,
         nlohmann::json known = nlohmann::json::object()) {
  std::cerr << where << ": " << text << "\n";
  if (std::find(argv + 1, argv + argc, std::string_view("--json")) != argv + argc) {
    known["error"] = text;
    medulla::tools::print_json(known, 2);
  }
  return status;
}

// What is left over of a command line, and what the subcommand takes instead.
std::string extras_text(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed[0];
  std::string text, takes;
  for (const std::string& extra : app.remaining(true)) {
    text += (text.empty() ? "'" : ", '") + extra + "'";
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) takes += option->get_name(true) + ", ";
  }
  return text + " is not expected; what " + command.get_name() + " takes: " + takes + "options";
}

int run(int argc, char** argv) {
  CLI::App app("Medulla: converts, inspects, runs and measures models", "medulla");
  app.set_version_flag("--version", [] { return std::string(mdl_build_info()); });
  app.require_subcommand(1);
  medulla::tools::add_convert(app);
  medulla::tools::add_quantize(app);
  medulla::tools::add_inspect(app);
  medulla::tools::add_run(app);
  medulla::tools::add_compare(app);
  medulla::tools::add_bench(app);
  medulla::tools::add_verify(app);
  medulla::tools::add_isa(app);
  const medulla::tools::Harmless out(std::cout), err(std::cerr);
  const auto list = app.get_subcommands([](const CLI::App*) { return true; });
  const std::string first = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
  if (!first.empty() && std::none_of(list.begin(), list.end(), [&](const CLI::App* known) {
        return known->get_name() == first;
      })) {
    std::string text = "'" + first + "' is no subcommand; there are:";
    for (const CLI::App* known : list) text += " " + known->get_name();
    return fail(argc, argv, "medulla", 2, text);
  }
  const std::string where = first.empty() ? "medulla" : "medulla " + first;
  const std::string help = "; --help lists what there is";
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return fail(argc, argv, where, 2, extras_text(app) + help);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help or version was asked for
    return fail(argc, argv, where, 2, error.what() + help);
  } catch (const medulla::tools::Failure& failure) {
    return fail(argc, argv, where, 1, failure.what(), failure.known());
  } catch (const std::exception& error) {
    return fail(argc, argv, where, 1, error.what());
  }
  return 0;
}

}  // namespace

// Text that did not arrive, on a full disk say, is work that was not done.
int main(int argc, char** argv) {
  const int status = run(argc, argv);
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::cerr << "medulla: standard output cannot be written"
            << (errno != 0 ? std::string(": ") + std::strerror(errno) : "") << "\n";
  return status != 0 ? status : 1;
}
