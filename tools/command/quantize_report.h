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

// "12.34"; a ratio is "equal" where nothing differs.
std::string number(double value, int digits);
std::string decibels(double ratio, const char* unit = "");

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_QUANTIZE_REPORT_H_
