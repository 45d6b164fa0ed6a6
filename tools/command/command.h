// SPDX-License-Identifier: Apache-2.0
// The subcommands of `medulla`, one file each. A subcommand throws std::runtime_error, whose text
// is printed behind its name; the exit status is then 1, or 2 where it is a CLI::ParseError: the
// command line is wrong, whatever the files hold.
#ifndef MEDULLA_TOOLS_COMMAND_COMMAND_H_
#define MEDULLA_TOOLS_COMMAND_COMMAND_H_

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>

namespace medulla::tools {

// Checks of options.
inline std::string not_empty(const std::string& text) {
  return text.empty() ? "should not be empty" : "";
}
// A number of at least `least`; what is no number the option refuses itself.
inline auto at_least(double least) {
  return [least](const std::string& text) {
    double value = least;
    if (CLI::detail::lexical_cast(text, value) && value >= least) return std::string();
    return "'" + text + "' should be " + CLI::detail::to_string(least) + " or more";
  };
}
// A whole number of at least `least` that an Integer holds.
template <class Integer>
auto whole_from(Integer least) {
  return [least](const std::string& text) {
    Integer value = 0;
    const char* end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value);
    if (at == end && wrong == std::errc() && value >= least) return std::string();
    return "'" + text + "' should be a whole number, " + std::to_string(least) +
           " or more and at most " + std::to_string(std::numeric_limits<Integer>::max());
  };
}

void add_convert(CLI::App& app);
void add_quantize(CLI::App& app);
void add_inspect(CLI::App& app);
void add_run(CLI::App& app);
void add_compare(CLI::App& app);
void add_bench(CLI::App& app);
void add_verify(CLI::App& app);
void add_isa(CLI::App& app);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_COMMAND_H_
