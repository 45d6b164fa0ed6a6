// SPDX-License-Identifier: Apache-2.0
#include "tools/command/terminal.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace medulla::tools {

int Harmless::overflow(int c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(traits_type::to_char_type(c));
  const bool is_c1 = after_c2_ && byte >= 0x80 && byte < 0xa0;
  const bool is_space = byte == '\n' || byte == '\t' || byte == '\r';
  std::string text(1, static_cast<char>(byte));
  if (byte == 0xc2) text.clear();
  if (after_c2_) text.insert(0, 1, '\xc2');
  if (is_c1 || byte == 0x7f || (byte < 0x20 && !is_space)) {
    text = std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
  }
  after_c2_ = byte == 0xc2;
  const auto size = static_cast<std::streamsize>(text.size());
  return target_->sputn(text.data(), size) == size ? c : traits_type::eof();
}

void print_json(const nlohmann::json& json, int indent) {
  std::cout << json.dump(indent, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace medulla::tools
