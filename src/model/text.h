// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_MODEL_TEXT_H_
#define MEDULLA_SRC_MODEL_TEXT_H_

#include <cstddef>
#include <string_view>

namespace medulla {

// Whether the bytes are UTF-8 without a zero byte: no overlong form, no surrogate, nothing above
// U+10FFFF.
bool is_text(const char* bytes, size_t size);

// Whether metadata of this key is a field of the header, so that no pair may have it.
inline bool is_header_key(std::string_view key) { return key == "name" || key == "producer"; }

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_TEXT_H_
