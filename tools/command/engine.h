// SPDX-License-Identifier: Apache-2.0
// The three objects of the C API for a command line: their options.
#ifndef MEDULLA_TOOLS_COMMAND_ENGINE_H_
#define MEDULLA_TOOLS_COMMAND_ENGINE_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "kernels/isa.h"
#include "tools/common/handles.h"

namespace medulla::tools {

std::string text_of(IsaSet set);

// Says so when this CPU has not all of the sets in `text`; an unknown name is the library's to
// refuse.
void note_isa(const std::string& text);

// What --isa and MEDULLA_ISA, which is read here and never by the library, both allow; "" where
// neither says anything. Throws where a name is unknown, and where they have nothing in common.
std::string isa_option(const std::string& isa);

// What the subcommands that plan or run a model have in common.
struct EngineOptions {
  std::string model;
  std::string isa;
  std::string backends;
  bool strict = false;
  std::string numerics = "auto";
  std::vector<std::string> kernels;  // family=row
  std::vector<std::string> keep;     // tensors that must exist after a run
  unsigned threads = 1;
  bool profile = false;
  bool check_finite = false;

  void add_to(CLI::App& command, bool runs);
};

struct Engine {
  ModelPtr model{nullptr, mdl_model_close};
  ProgramPtr program{nullptr, mdl_program_destroy};
  SessionPtr session{nullptr, mdl_session_destroy};
};

ModelPtr open_model(const std::string& path, mdl_check check);
ProgramPtr create_program(const mdl_model* model, const EngineOptions& options);
SessionPtr create_session(const mdl_program* program, const EngineOptions& options);
mdl_memory_need memory_need(const mdl_model* model, const EngineOptions& options);
Engine open_engine(const EngineOptions& options);

std::string plan_text(const mdl_program* program, mdl_plan_format format);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_ENGINE_H_
