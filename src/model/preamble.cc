// SPDX-License-Identifier: Apache-2.0
#include "src/model/preamble.h"

#include <cstring>

namespace medulla {

void header_digest(const Preamble& preamble, const void* header, uint8_t digest[kSha256Bytes]) {
  Preamble covered = preamble;
  covered.file_size = 0;
  covered.trailer_offset = 0;
  covered.trailer_size = 0;
  std::memset(covered.digest, 0, sizeof(covered.digest));
  Sha256 sha;
  sha.update(&covered, sizeof(covered));
  sha.update(header, preamble.header_size);
  sha.finish(digest);
}

}  // namespace medulla
