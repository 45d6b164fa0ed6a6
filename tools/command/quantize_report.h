// SPDX-License-Identifier: Apache-2.0
// What `medulla quantize` tells: as text, JSON, and one self-contained page.
#ifndef MEDULLA_TOOLS_COMMAND_QUANTIZE_REPORT_H_
#define MEDULLA_TOOLS_COMMAND_QUANTIZE_REPORT_H_

#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/quantize/quantize.h"

namespace medulla::tools {

void print(std::ostream& out, const QuantizeOptions& options, const QuantizeReport& report);
nlohmann::json to_json(const QuantizeOptions& options, const QuantizeReport& report);
std::string html_of(const QuantizeOptions& options, const QuantizeReport& report);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_QUANTIZE_REPORT_H_
