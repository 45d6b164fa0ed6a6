// SPDX-License-Identifier: Apache-2.0
// The options of the subcommands that read a source model and write a .mdl file.
#ifndef MEDULLA_TOOLS_COMMAND_CONVERSION_FLAGS_H_
#define MEDULLA_TOOLS_COMMAND_CONVERSION_FLAGS_H_

#include <CLI/CLI.hpp>

#include "tools/command/converter.h"

namespace medulla::tools {

class ConversionFlags {
 public:
  // `names_option`: what the option is called that takes a file of class names.
  void add_to(CLI::App& command, const char* names_option);
  // Reads what the command line gave. Throws CLI::ValidationError, and std::runtime_error for a
  // file that cannot be read.
  ConvertOptions& resolve();
  // Throws when `output`, a file to write, is one that an option named here reads.
  void require_unread(const std::string& output) const;

 private:
  ConvertOptions convert_;
  std::vector<std::string> read_;        // files that options name
  std::vector<std::string> states_;      // input=output
  std::vector<std::string> maxima_;      // symbol=number
  std::vector<std::string> fixed_dims_;  // symbol=number
  std::vector<std::string> fixed_;       // input=file
  std::vector<std::string> metadata_;    // key=value
  std::vector<std::string> no_passes_;
  std::vector<std::string> preprocess_;  // input:layout:scales:offsets
  std::string layout_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_CONVERSION_FLAGS_H_
