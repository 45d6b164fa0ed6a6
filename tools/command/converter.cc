// SPDX-License-Identifier: Apache-2.0
#include "tools/command/converter.h"

#include <dlfcn.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace medulla::tools {
namespace {

// The module stands where the build or the installation put it, seen from this program.
template <class Function>
Function load_function(const char* symbol) {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::string path = (here / MEDULLA_CONVERT_MODULE).lexically_normal().string();
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    throw std::runtime_error(std::string("the converter's module cannot be opened: ") + dlerror() +
                             "; it is built when libonnx-dev and libprotobuf-dev are installed");
  }
  void* function = dlsym(module, symbol);
  if (function == nullptr) throw std::runtime_error(path + ": is not the converter's module");
  return reinterpret_cast<Function>(function);
}

// A whole number, of an argument that is told `whole`.
int64_t number(const std::string& text, const std::string& whole, int64_t least) {
  size_t used = 0;
  int64_t value = 0;
  try {
    value = std::stoll(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || value < least) {
    throw CLI::ValidationError("'" + whole + "': '" + text + "' should be a whole number from " +
                               std::to_string(least) + " on");
  }
  return value;
}

}  // namespace

ConvertReport run_converter(const ConvertOptions& options) {
  ConvertReport report;
  load_function<ConvertFunction>(MEDULLA_CONVERT_SYMBOL)(&options, &report);
  return report;
}

QuantizeReport run_quantizer(const QuantizeOptions& options) {
  QuantizeReport report;
  load_function<QuantizeFunction>(MEDULLA_QUANTIZE_SYMBOL)(&options, &report);
  return report;
}

std::string refusal_text(const ConvertOptions& options, const ConvertReport& report) {
  const size_t count = report.refusals.size();
  std::string text = options.input + " is not converted, for " + std::to_string(count) +
                     (count == 1 ? " reason:" : " reasons:");
  for (const Refusal& refusal : report.refusals) text += "\n  " + refusal.text();
  return text;
}

std::pair<std::string, std::string> split(const std::string& text, const char* form) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw CLI::ValidationError("'" + text + "' should have the form " + form);
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void add_numbers(const std::vector<std::string>& lists, const char* option, int64_t least,
                 std::map<std::string, int64_t>& to) {
  std::set<std::string> given;
  for (const std::string& list : lists) {
    for (const std::string& text : CLI::detail::split(list, ',')) {
      const auto [symbol, value] = split(text, "SYMBOL=NUMBER");
      if (!given.insert(symbol).second) {
        throw CLI::ValidationError(std::string(option) + " names '" + symbol + "' twice");
      }
      to[symbol] = number(value, text, least);
    }
  }
}

}  // namespace medulla::tools
