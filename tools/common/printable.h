// SPDX-License-Identifier: Apache-2.0
// Names of a source may hold any bytes.
#ifndef MEDULLA_TOOLS_COMMON_PRINTABLE_H_
#define MEDULLA_TOOLS_COMMON_PRINTABLE_H_

#include <string>

#include "src/model/text.h"

namespace medulla::tools {

// What no terminal and no JSON should get stands as "\xff"; so do ends of lines where `lines` is
// false.
inline std::string printable(const std::string& text, bool lines = true) {
  const bool is_utf8 = is_text(text.data(), text.size());
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte < 0x7f) || (c == '\n' && lines) || (byte > 0x7f && is_utf8)) {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789abcdef";
    out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

// A name that stands in a row.
inline std::string one_line(const std::string& text) { return printable(text, false); }

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_PRINTABLE_H_
