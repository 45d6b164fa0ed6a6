// SPDX-License-Identifier: Apache-2.0
#include "src/model/text.h"

#include <cstdint>

namespace medulla {

bool is_text(const char* bytes, size_t size) {
  for (size_t i = 0; i < size;) {
    const uint8_t first = static_cast<uint8_t>(bytes[i++]);
    if (first == 0) return false;
    if (first < 0x80) continue;
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4 || size - i < static_cast<size_t>(more)) return false;
    uint32_t point = first & (0x3Fu >> more);
    for (int m = 0; m < more; ++m) {
      const uint8_t next = static_cast<uint8_t>(bytes[i++]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3Fu);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      return false;
    }
  }
  return true;
}

}  // namespace medulla
