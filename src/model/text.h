// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_MODEL_TEXT_H_
#define MEDULLA_SRC_MODEL_TEXT_H_

#include <cstddef>

namespace medulla {

// Whether the bytes are UTF-8 without a zero byte: no overlong form, no surrogate, nothing above
// U+10FFFF.
bool is_text(const char* bytes, size_t size);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_TEXT_H_
