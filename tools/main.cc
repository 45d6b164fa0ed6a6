// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>

#include "medulla/medulla.h"
#include "tools/command/command.h"

int main(int argc, char** argv) {
  CLI::App app("Medulla: converts, inspects, runs and measures models", "medulla");
  app.set_version_flag("--version", [] { return std::string(mdl_build_info()); });
  app.require_subcommand(1);
  medulla::tools::add_convert(app);
  medulla::tools::add_inspect(app);
  medulla::tools::add_run(app);
  medulla::tools::add_compare(app);
  medulla::tools::add_bench(app);
  medulla::tools::add_verify(app);
  medulla::tools::add_isa(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // 0: help or version was asked for
  } catch (const std::exception& error) {
    std::cerr << "medulla " << app.get_subcommands().front()->get_name() << ": " << error.what()
              << "\n";
    return 1;
  }
  return 0;
}
