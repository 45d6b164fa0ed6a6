// SPDX-License-Identifier: Apache-2.0
#include "src/base/text.h"

#include <cstdio>
#include <cstring>

namespace medulla {

Text& Text::operator<<(char c) {
  if (length_ + 1 < size_) {
    buffer_[length_] = c;
    buffer_[length_ + 1] = 0;
  }
  ++length_;
  return *this;
}

Text& Text::operator<<(const char* s) {
  return *this << std::string_view(s != nullptr ? s : "(null)");
}

Text& Text::operator<<(std::string_view s) {
  for (const char c : s) *this << c;
  return *this;
}

Text& Text::operator<<(double value) {
  char digits[32];
  snprintf(digits, sizeof(digits), "%.9g", value);
  return *this << static_cast<const char*>(digits);
}

Text& Text::operator<<(const mdl_shape& shape) {
  *this << '[';
  for (uint32_t d = 0; d < shape.rank; ++d) {
    if (d > 0) *this << ',';
    *this << shape.dims[d];
  }
  return *this << ']';
}

Text& Text::append_signed(int64_t value) {
  if (value >= 0) return append_unsigned(static_cast<uint64_t>(value));
  return *this << '-', append_unsigned(0 - static_cast<uint64_t>(value));
}

Text& Text::append_unsigned(uint64_t value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) *this << digits[--count];
  return *this;
}

}  // namespace medulla
