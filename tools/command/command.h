// SPDX-License-Identifier: Apache-2.0
// The subcommands of `medulla`, one file each. A subcommand throws std::runtime_error, whose text
// is printed behind its name; the exit status is then 1.
#ifndef MEDULLA_TOOLS_COMMAND_COMMAND_H_
#define MEDULLA_TOOLS_COMMAND_COMMAND_H_

#include <CLI/CLI.hpp>

namespace medulla::tools {

void add_convert(CLI::App& app);
void add_inspect(CLI::App& app);
void add_run(CLI::App& app);
void add_compare(CLI::App& app);
void add_bench(CLI::App& app);
void add_verify(CLI::App& app);
void add_isa(CLI::App& app);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_COMMAND_H_
