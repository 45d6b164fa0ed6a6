// SPDX-License-Identifier: Apache-2.0
// The first 128 bytes of a model file. docs/format.md describes the whole.
#ifndef MEDULLA_SRC_MODEL_PREAMBLE_H_
#define MEDULLA_SRC_MODEL_PREAMBLE_H_

#include <cstddef>
#include <cstdint>

#include "src/base/sha256.h"

namespace medulla {

constexpr char kMagic[8] = {'M', 'E', 'D', 'U', 'L', 'L', 'A', '\0'};
constexpr uint32_t kFormatVersion = 1;
constexpr uint32_t kNumericsVersion = 1;

// Little-endian. Offsets count from the start of the file and are multiples of 64.
struct Preamble {
  char magic[8];
  uint32_t format_version;
  uint32_t flags;  // none is defined: 0
  uint64_t file_size;
  uint64_t header_offset;
  uint64_t header_size;
  uint64_t buffers_offset;
  uint64_t buffers_size;
  uint64_t trailer_offset;  // room for signatures, behind the buffers; 0: none
  uint64_t trailer_size;
  // SHA-256 of the preamble, then of the header. The header holds the digest of the buffers, so
  // this one stands for all; what a signature in the trailer changes (file_size, trailer_*) and the
  // digest itself count as zero.
  uint8_t digest[kSha256Bytes];
  uint8_t reserved[24];  // 0
};
static_assert(sizeof(Preamble) == 128);
static_assert(offsetof(Preamble, file_size) == 16 && offsetof(Preamble, digest) == 72);

// The digest as it should be. `header` has preamble.header_size bytes.
void header_digest(const Preamble& preamble, const void* header, uint8_t digest[kSha256Bytes]);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_PREAMBLE_H_
