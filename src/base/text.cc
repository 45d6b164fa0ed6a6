// SPDX-License-Identifier: Apache-2.0
#include "src/base/text.h"

#include <cstdio>
#include <cstring>

namespace medulla {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

Text& Text::operator<<(char c) {
  if (length_ + 1 < size_) {
    buffer_[length_] = c;
    buffer_[length_ + 1] = 0;
  } else if (length_ + 1 == size_ && is_continuation(c)) {
    // The first byte that does not fit belongs to a character that has begun.
    size_t end = length_;
    while (end > 0 && is_continuation(buffer_[end - 1])) --end;
    buffer_[end > 0 ? end - 1 : 0] = 0;
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
  // A locale may have another decimal point, of more bytes than one.
  constexpr char kOwn[] = "0123456789+-einfa";
  const char* point = digits + std::strspn(digits, kOwn);
  const char* rest = point + std::strcspn(point, kOwn);
  *this << std::string_view(digits, static_cast<size_t>(point - digits));
  if (point != rest) *this << '.';
  return *this << rest;
}

Text& Text::operator<<(const mdl_shape& shape) {
  *this << '[';
  for (uint32_t d = 0; d < shape.rank; ++d) {
    if (d > 0) *this << ',';
    *this << shape.dims[d];
  }
  return *this << ']';
}

void NameList::add(std::string_view name) {
  constexpr size_t kMost = 12;
  constexpr size_t kRest = 36;  // quotes and a comma, and how many more there are
  const bool has_room = listed_ == count_ && listed_ < kMost &&
                        text_.needed() + name.size() + kRest <= sizeof(buffer_);
  ++count_;
  if (!has_room) return;
  text_ << (listed_++ > 0 ? ", '" : "'") << name << '\'';
}

const char* NameList::text() {
  if (count_ == 0) text_ << "none";
  if (count_ > listed_) {
    text_ << (listed_ > 0 ? " and " : "") << count_ - listed_
          << (listed_ > 0 ? " more" : ", of names too long for this text");
  }
  return buffer_;
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
