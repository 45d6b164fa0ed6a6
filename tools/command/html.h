// SPDX-License-Identifier: Apache-2.0
// The parts of the pages of `medulla inspect --html` and `medulla quantize --html`.
#ifndef MEDULLA_TOOLS_COMMAND_HTML_H_
#define MEDULLA_TOOLS_COMMAND_HTML_H_

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "medulla/backend.h"

namespace medulla::tools {

std::string escape_html(const std::string& text);

// All up to the body; `style` is added to what the pages have in common, `title` is escaped.
void write_head(std::ostream& out, const std::string& title, const char* style);

// "760 B", "12.3 kB"
std::string with_unit(double value, const std::string& unit);

// The style class of a step by its first operator: steps of one kind share a color.
const char* kind_of(const std::string& op);

// The steps in order, one row each: how data flows between them, drawn as rails, what runs where,
// and what it costs. `report` is what inspect --json prints.
void write_steps(std::ostream& out, const mdl_graph& graph, const nlohmann::json& report);

// The arena over time, as a picture.
void write_memory(std::ostream& out, const nlohmann::json& report);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_HTML_H_
