// SPDX-License-Identifier: Apache-2.0
#include "tools/import/dimensions.h"

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

}  // namespace medulla::tools
