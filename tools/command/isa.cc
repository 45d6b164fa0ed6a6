// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kernels/families.h"
#include "tools/command/command.h"
#include "tools/command/engine.h"
#include "tools/command/terminal.h"

namespace medulla::tools {
namespace {

IsaSet asked_set(const std::string& isa) {
  if (isa.empty()) return host_isa();
  IsaSet asked;
  std::string_view unknown;
  parse_isa_set(isa, &asked, &unknown);
  return asked;
}

// What could serve any family; the others are for one kind of arithmetic, SHA-256 or bfloat16 say.
constexpr Isa kWider[] = {Isa::avx2, Isa::avx512, Isa::neon, Isa::sve, Isa::sve2};

bool has_rows(Isa isa) {
  const auto& rows = kernel_names();
  return std::any_of(rows.begin(), rows.end(),
                     [&](const KernelName& row) { return row.isa == isa; });
}

// Whether the row that is taken is of the instruction set, of one that includes it, or of one that
// was made for the family.
bool uses(const nlohmann::json& family, Isa isa) {
  for (const KernelName& row : kernel_names()) {
    if (family.value("takes", std::string()) != row.name) continue;
    return row.isa == Isa::sha || isa_needs(row.isa).contains(isa_bit(isa));
  }
  return false;
}

nlohmann::json describe(IsaSet set) {
  nlohmann::json families = nlohmann::json::object();
  for (const KernelName& row : kernel_names()) {
    nlohmann::json& family = families[row.family];
    const bool has = set.contains(isa_needs(row.isa));
    if (has && !family.contains("takes")) family["takes"] = row.name;
    family["rows"].push_back(
        {{"kernel", row.name},
         {"isa", isa_name(row.isa)},
         {"why_not", has ? "" : std::string("needs ") + text_of(isa_needs(row.isa))}});
  }
  for (auto& [name, family] : families.items()) {
    std::string lacking;
    for (const Isa isa : kWider) {
      if (!set.contains(isa_bit(isa)) || !has_rows(isa) || uses(family, isa)) continue;
      lacking += (lacking.empty() ? "" : ", ") + std::string(isa_name(isa));
    }
    if (!lacking.empty()) family["no_row_for"] = lacking;
  }
  return families;
}

void print(const nlohmann::json& report) {
  std::cout << "this CPU has   " << report["host"].get<std::string>() << "\nkernels may use "
            << report["set"].get<std::string>() << "\n\n";
  for (const auto& [family, rows] : report["families"].items()) {
    std::cout << std::left << std::setw(18) << family << "takes "
              << rows.value("takes", std::string("nothing")) << "\n";
    if (rows.contains("no_row_for")) {
      std::cout << "    no row is written for " << rows["no_row_for"].get<std::string>()
                << ": another that can run here serves\n";
    }
    for (const nlohmann::json& row : rows["rows"]) {
      const std::string why = row["why_not"];
      std::cout << "    " << std::setw(36) << row["kernel"].get<std::string>()
                << (why.empty() ? "can run here" : why) << "\n";
    }
  }
  std::cout << "\nThe first row of a family that can run and fits the layer's shape is taken; "
               "`medulla inspect MODEL` shows the choice for each layer.\n";
}

}  // namespace

void add_isa(CLI::App& app) {
  struct Options {
    std::string isa;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "isa", "What this CPU has, and which kernel each family would take and why");
  command->add_option("--isa", options->isa, "Ask for another set, such as avx2 or portable")
      ->each(note_isa);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    const IsaSet set = asked_set(isa_option(options->isa));
    const nlohmann::json report = {
        {"host", text_of(host_isa())}, {"set", text_of(set)}, {"families", describe(set)}};
    if (options->json) {
      print_json(report, 2);
    } else {
      print(report);
    }
  });
}

}  // namespace medulla::tools
