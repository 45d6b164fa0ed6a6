// SPDX-License-Identifier: Apache-2.0
#include "tools/command/engine.h"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "kernels/isa.h"
#include "src/model/model.h"
#include "tools/command/bodies.h"

namespace medulla::tools {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

// `source` is the option or the variable that holds the text.
IsaSet parse_isa(const char* source, const std::string& text) {
  IsaSet set;
  std::string_view unknown;
  if (parse_isa_set(text, &set, &unknown)) return set;
  std::string known;
  for (int i = 0; i < kIsaCount; ++i) known += std::string(" ") + isa_name(static_cast<Isa>(i));
  const std::string why = std::string(source) + ": no instruction set is called '" +
                          std::string(unknown) + "'; there are:" + known + " all";
  if (std::string_view(source) == "--isa") throw CLI::ValidationError(why);
  throw std::runtime_error(why);
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// A body's tensors lie in memory that others use before and behind its node.
void require_outside_bodies(const mdl_graph& main, const std::string& name) {
  std::string inside;
  for (const auto& [graph, path] : all_graphs(main)) {
    for (size_t t = 0; t < graph->tensor_count; ++t) {
      const std::string own = graph->tensors[t].name;
      if (path.empty() && own == name) return;
      if (!path.empty() && (own == name || path + own == name)) inside = path + own;
    }
  }
  if (inside.empty()) return;  // the library says so
  throw std::runtime_error("tensor '" + inside +
                           "' is inside a body, whose tensors are gone when its node is done; name "
                           "one of the main graph, such as what that node makes");
}

// What the strings of mdl_program_options point into while a call lasts.
class ProgramOptions {
 public:
  explicit ProgramOptions(const EngineOptions& options)
      : isa_(isa_option(options.isa)),
        kernels_(joined(options.kernels)),
        keep_(joined(options.keep)) {
    options_.isa = or_null(isa_);
    options_.backends = or_null(options.backends);
    options_.placement = options.strict ? MDL_PLACEMENT_STRICT : MDL_PLACEMENT_FALLBACK;
    options_.numerics = options.numerics == "exact"  ? MDL_NUMERICS_EXACT
                        : options.numerics == "fast" ? MDL_NUMERICS_FAST
                                                     : MDL_NUMERICS_AUTO;
    options_.kernels = or_null(kernels_);
    options_.keep = or_null(keep_);
  }
  const mdl_program_options* get() const { return &options_; }

 private:
  std::string isa_;
  std::string kernels_;
  std::string keep_;
  mdl_program_options options_ = MDL_PROGRAM_OPTIONS_INIT;
};

}  // namespace

std::string text_of(IsaSet set) {
  char text[kIsaTextSize];
  format_isa_set(set, text, sizeof(text));
  return text;
}

std::string isa_option(const std::string& isa) {
  const char* variable = std::getenv("MEDULLA_ISA");
  const std::string environment = variable != nullptr ? variable : "";
  const IsaSet asked = parse_isa("--isa", isa);
  const IsaSet allowed = parse_isa("MEDULLA_ISA", environment);
  if (isa.empty()) return environment;
  if (environment.empty()) return isa;
  const IsaSet both = asked & allowed;
  if (both == IsaSet{} && asked != IsaSet{} && allowed != IsaSet{}) {
    throw std::runtime_error("--isa " + isa + " and the environment's MEDULLA_ISA=" + environment +
                             " have no instruction set in common");
  }
  return text_of(both);
}

void note_isa(const std::string& text) {
  IsaSet asked;
  std::string_view unknown;
  if (text == "all") return;  // no CPU has them all
  if (!parse_isa_set(text, &asked, &unknown) || host_isa().contains(asked)) return;
  std::cerr << "note: this CPU lacks some of " << text_of(asked)
            << "; a run here takes what it has\n";
}

void EngineOptions::add_to(CLI::App& command, bool runs) {
  command.add_option("model", model, "A .mdl file")->required();
  command
      .add_option("--isa", isa, "Instruction sets that kernels may use, such as avx2 or portable")
      ->each(note_isa);
  command.add_option("--backends", backends, "Backends in order of preference, comma-separated");
  command.add_flag("--strict", strict, "A node that no named backend takes is an error");
  command.add_option("--numerics", numerics, "auto, exact or fast")
      ->check(CLI::IsMember({"auto", "exact", "fast"}));
  command.add_option("--kernel", kernels, "FAMILY=ROW: force a kernel row")
      ->take_all()
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        return text.find('=') != std::string::npos
                   ? ""
                   : "'" + text + "' should read family=row, of those that medulla isa lists";
      });
  if (runs) {
    command.add_option("--threads", threads, "Threads; 1")->check(CLI::Range(1u, 1024u));
    command.add_flag("--check-finite", check_finite, "Stop at the first NaN or infinity");
  }
}

ModelPtr open_model(const std::string& path, mdl_check level) {
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.check = level;
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = nullptr;
  check(mdl_model_open(path.c_str(), &options, &model, &error), error);
  return ModelPtr(model, mdl_model_close);
}

ProgramPtr create_program(const mdl_model* model, const EngineOptions& options) {
  for (const std::string& name : options.keep) require_outside_bodies(model_graph(*model), name);
  const ProgramOptions program_options(options);
  mdl_error error = MDL_ERROR_INIT;
  mdl_program* program = nullptr;
  check(mdl_program_create(model, program_options.get(), &program, &error), error);
  return ProgramPtr(program, mdl_program_destroy);
}

mdl_memory_need memory_need(const mdl_model* model, const EngineOptions& options) {
  const ProgramOptions program_options(options);
  mdl_error error = MDL_ERROR_INIT;
  mdl_memory_need need = MDL_MEMORY_NEED_INIT;
  check(mdl_program_memory_need(model, program_options.get(), &need, &error), error);
  return need;
}

SessionPtr create_session(const mdl_program* program, const EngineOptions& options) {
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.threads = options.threads;
  session_options.profile = options.profile;
  session_options.check_finite = options.check_finite;
  mdl_error error = MDL_ERROR_INIT;
  mdl_session* session = nullptr;
  check(mdl_session_create(program, &session_options, &session, &error), error);
  return SessionPtr(session, mdl_session_destroy);
}

Engine open_engine(const EngineOptions& options) {
  Engine engine;
  engine.model = open_model(options.model, MDL_CHECK_HEADER);
  engine.program = create_program(engine.model.get(), options);
  engine.session = create_session(engine.program.get(), options);
  return engine;
}

std::string plan_text(const mdl_program* program, mdl_plan_format format) {
  mdl_error error = MDL_ERROR_INIT;
  size_t needed = 0;
  check(mdl_program_plan(program, format, nullptr, 0, &needed, &error), error);
  std::string text(needed, '\0');
  check(mdl_program_plan(program, format, text.data(), text.size(), &needed, &error), error);
  text.resize(needed - 1);
  return text;
}

}  // namespace medulla::tools
