// SPDX-License-Identifier: Apache-2.0
// Text into a buffer of fixed size, without allocation and the same in every locale.
#ifndef MEDULLA_SRC_BASE_TEXT_H_
#define MEDULLA_SRC_BASE_TEXT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "medulla/backend.h"

namespace medulla {

// Appends pieces to `buffer`, always ends it with a zero byte (size > 0), counts what did not fit.
// What is cut ends with a whole character of UTF-8.
class Text {
 public:
  Text(char* buffer, size_t size) : buffer_(buffer), size_(size) {
    if (size_ > 0) buffer_[0] = 0;
  }

  Text& operator<<(const char* s);  // null prints as "(null)"
  Text& operator<<(std::string_view s);
  Text& operator<<(char c);
  Text& operator<<(double value);  // shortest of up to 9 significant digits
  template <std::integral T>
  Text& operator<<(T value) {
    if constexpr (std::signed_integral<T>) {
      return append_signed(value);
    } else {
      return append_unsigned(value);
    }
  }
  Text& operator<<(const mdl_shape& shape);  // [1,28,28,3]

  // Bytes of the whole text, its zero byte included.
  size_t needed() const { return length_ + 1; }

 private:
  Text& append_signed(int64_t value);
  Text& append_unsigned(uint64_t value);

  char* buffer_;
  size_t size_;
  size_t length_ = 0;
};

// Names for a text, as many of the first as have room: 'a', 'b' and 7 more.
class NameList {
 public:
  NameList() = default;
  NameList(const NameList&) = delete;
  NameList& operator=(const NameList&) = delete;

  void add(std::string_view name);
  const char* text();  // once all are added

 private:
  char buffer_[320];
  Text text_{buffer_, sizeof(buffer_)};
  size_t count_ = 0;
  size_t listed_ = 0;
};

// Fills *error, when there is one, with `status` and the parts one behind the other; returns
// status.
template <class... Parts>
mdl_status fail(mdl_error* error, mdl_status status, const Parts&... parts) {
  if (error != nullptr && error->struct_size >= sizeof(mdl_error)) {
    error->status = status;
    Text text(error->text, sizeof(error->text));
    (text << ... << parts);
  }
  return status;
}

}  // namespace medulla

// Returns from the calling function with the status of `expression` unless it is MDL_OK.
#define MDL_TRY(expression)                                                       \
  do {                                                                            \
    if (const mdl_status mdl_try_status = (expression); mdl_try_status != MDL_OK) \
      return mdl_try_status;                                                      \
  } while (0)

#endif  // MEDULLA_SRC_BASE_TEXT_H_
