// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4).
#ifndef MEDULLA_SRC_BASE_SHA256_H_
#define MEDULLA_SRC_BASE_SHA256_H_

#include <cstddef>
#include <cstdint>

#include "kernels/sha256/sha256.h"

namespace medulla {

constexpr size_t kSha256Bytes = 32;

class Sha256 {
 public:
  Sha256();
  void update(const void* data, size_t size);
  // Ends the message; the object is then spent.
  void finish(uint8_t digest[kSha256Bytes]);

 private:
  const Sha256Kernel* kernel_;
  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t pending_[kSha256Block] = {};
  uint64_t length_ = 0;  // bytes so far
};

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_SHA256_H_
