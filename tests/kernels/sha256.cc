// SPDX-License-Identifier: Apache-2.0
#include "kernels/sha256/sha256.h"

#include <bit>

#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

// As the standard writes it.
void expect_block(uint32_t state[8], const uint8_t* block) {
  uint32_t w[64];
  for (size_t t = 0; t < 16; ++t) {
    w[t] = 0;
    for (size_t i = 0; i < 4; ++i) w[t] = w[t] << 8 | block[4 * t + i];
  }
  for (size_t t = 16; t < 64; ++t) {
    const uint32_t x = w[t - 15], y = w[t - 2];
    w[t] = (std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10)) + w[t - 7] +
           (std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3)) + w[t - 16];
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (size_t t = 0; t < 64; ++t) {
    const uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                        ((e & f) ^ (~e & g)) + kSha256Rounds[t] + w[t];
    const uint32_t t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t after[8] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i) state[i] += after[i];
}

TEST_CASE("sha256: blocks and states at random") {
  for (uint64_t seed = 1; seed <= test::seeds(100); ++seed) {
    Random random(seed);
    const size_t count = random.integer<size_t>(0, 5);
    Guarded<uint8_t> blocks(count * kSha256Block, random.one_in(2));
    random.fill(std::span<uint8_t>(blocks));
    Guarded<uint32_t> before(8), expected(8);
    random.fill(std::span<uint32_t>(before));
    std::memcpy(expected.data(), before.data(), 32);
    for (size_t i = 0; i < count; ++i) {
      expect_block(expected.data(), blocks.data() + i * kSha256Block);
    }
    KernelRequest request;
    request.isa = host_isa();
    for (const Sha256Row& row : sha256_rows()) {
      if (row_refusal(row, request) != nullptr) continue;
      Guarded<uint32_t> actual(8);
      std::memcpy(actual.data(), before.data(), 32);
      row.kernel->run(actual.data(), blocks.data(), count);
      INFO(row.name << " seed " << seed << " blocks " << count);
      CHECK(test::difference(actual, expected) == "");
    }
  }
}

}  // namespace
}  // namespace medulla
