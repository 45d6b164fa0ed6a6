// SPDX-License-Identifier: Apache-2.0
#include "tools/import/dimensions.h"

#include "tools/import/refuse.h"
#include "tools/ir/infer.h"

namespace medulla::tools {

namespace {

// "T" of "T:50", an extent that follows it in a measure of its own.
std::string name_in_source(const std::string& symbol) {
  const size_t digits = symbol.find_last_not_of("0123456789");
  return digits != std::string::npos && symbol[digits] == ':' ? symbol.substr(0, digits) : symbol;
}

}  // namespace

void check_dimensions(const ConvertOptions& options, int64_t least,
                      const std::set<std::string>& known, const std::set<std::string>& loops,
                      ConvertReport& report) {
  const auto check = [&](const std::string& option, int64_t minimum, const std::string& symbol,
                         int64_t number) {
    const auto add = [&](const std::string& reason, std::string rewrite) {
      report.refusals.push_back(
          {"", "", "", 0, option + " " + symbol + "=" + std::to_string(number) + ": " + reason,
           std::move(rewrite)});
    };
    if (number < minimum) add("should be at least " + std::to_string(minimum), "");
    std::set<std::string> named = known;
    if (option == "--max") named.insert(loops.begin(), loops.end());
    if (named.count(symbol) > 0) return;
    std::string names;
    for (const std::string& name : named) names += (names.empty() ? "" : ", ") + name;
    add("no input has a dimension called '" + symbol + "'",
        "there is: " + (names.empty() ? "no open dimension" : names));
  };
  for (const auto& [symbol, number] : options.maxima) check("--max", least, symbol, number);
  for (const auto& [symbol, number] : options.fixed_dims) {
    check("--fix-dim", 1, symbol, number);
    if (options.maxima.count(symbol) == 0) continue;
    report.refusals.push_back({"", "", "", 0, "--max and --fix-dim both name '" + symbol + "'",
                               "give the one that lets it vary, or the other"});
  }
}

std::string fix_dim_text(const std::vector<std::string>& symbols) {
  std::set<std::string> names;
  for (const std::string& symbol : symbols) {
    if (!symbol.empty() && !is_found(symbol)) names.insert(name_in_source(symbol));
  }
  if (names.empty()) return "";
  std::string text = names.size() == 1 ? "make it static with" : "make them static with";
  for (const std::string& name : names) text += " --fix-dim " + name + "=N";
  return text;
}

std::vector<std::string> symbols_of(const Tensor& tensor) {
  std::vector<std::string> symbols = tensor.symbols;
  symbols.resize(tensor.dims.size());
  return symbols;
}

std::string first_open(const std::vector<std::string>& symbols, size_t from, size_t to) {
  while (from < to && symbols[from].empty()) ++from;
  return from < to ? symbols[from] : "";
}

void require_static(const Builder& build, int32_t tensor, size_t dimension, const char* why) {
  const std::string symbol = symbols_of(build.tensor(tensor)).at(dimension);
  if (symbol.empty()) return;
  refuse(std::string(why) + " needs dimension " + std::to_string(dimension) + ", '" + symbol +
             "', to be static",
         fix_dim_text({symbol}));
}

int32_t reshape_open(Builder& build, int32_t tensor, Dims shape,
                     const std::vector<std::string>& symbols) {
  const std::vector<std::string> from = symbols_of(build.tensor(tensor));
  std::vector<std::string> inferred;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (symbols.at(d).empty()) continue;
    const bool kept = d < from.size() && from[d] == symbols[d] && build.dims(tensor)[d] == shape[d];
    shape[d] = kept ? 0 : -1;
    if (!kept) inferred.push_back(symbols[d]);
  }
  if (inferred.size() > 1) {
    refuse("more than one extent of the shape can vary",
           "make all but one static: " + fix_dim_text(inferred));
  }
  return build.reshape(tensor, shape);
}

}  // namespace medulla::tools
