// SPDX-License-Identifier: Apache-2.0
#include "src/base/sha256.h"

#include <algorithm>
#include <string>

#include "tests/catch.h"

namespace {

std::string digest_of(const std::string& text, size_t piece) {
  medulla::Sha256 sha;
  for (size_t at = 0; at < text.size(); at += piece) {
    sha.update(text.data() + at, std::min(piece, text.size() - at));
  }
  uint8_t digest[medulla::kSha256Bytes];
  sha.finish(digest);
  std::string hex;
  for (uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace

// The examples of FIPS 180-2, and every split of a message across blocks.
TEST_CASE("SHA-256 gives the standard's digests") {
  CHECK(digest_of("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1000000, 'a');
  for (size_t piece : {1, 63, 64, 65, 1000, 1000000}) {
    CAPTURE(piece);
    CHECK(digest_of(million, piece) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}
