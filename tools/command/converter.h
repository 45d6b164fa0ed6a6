// SPDX-License-Identifier: Apache-2.0
// The converter's module, as the subcommands that need it open it.
#ifndef MEDULLA_TOOLS_COMMAND_CONVERTER_H_
#define MEDULLA_TOOLS_COMMAND_CONVERTER_H_

#include "tools/import/convert.h"
#include "tools/quantize/quantize.h"

namespace medulla::tools {

// Both throw std::runtime_error when the module cannot be opened.
ConvertReport run_converter(const ConvertOptions& options);
QuantizeReport run_quantizer(const QuantizeOptions& options);

// "m.onnx is not converted, for 2 reasons: ...", a line a reason.
std::string refusal_text(const ConvertOptions& options, const ConvertReport& report);

// All of these throw CLI::ValidationError.
// Lists SYMBOL=NUMBER[,SYMBOL=NUMBER...], each number at least `least`, into `to`, in which compare
// has some already.
void add_numbers(const std::vector<std::string>& lists, const char* option, int64_t least,
                 std::map<std::string, int64_t>& to);
// The two sides of an '='; `form` is what the text should look like.
std::pair<std::string, std::string> split(const std::string& text, const char* form);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_CONVERTER_H_
