// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "kernels/sha256/sha256.h"

namespace medulla {
namespace {

uint32_t load_big_endian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

// Sixteen rounds are written out: then every index below is a constant, and the state turns by its
// names alone instead of being moved.
void block(uint32_t state[8], const uint8_t* data) {
  uint32_t w[16];
  uint32_t v[8];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) w[i] = load_big_endian(data + 4 * i);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) v[i] = state[i];
  for (int first = 0; first < 64; first += 16) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (first > 0) {
        const uint32_t a = w[(i + 1) % 16];
        const uint32_t b = w[(i + 14) % 16];
        const uint32_t s0 = std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
        const uint32_t s1 = std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
        w[i] += s0 + w[(i + 9) % 16] + s1;
      }
      const uint32_t a = v[(16 - i) % 8];
      const uint32_t b = v[(17 - i) % 8];
      const uint32_t c = v[(18 - i) % 8];
      const uint32_t e = v[(20 - i) % 8];
      const uint32_t f = v[(21 - i) % 8];
      const uint32_t g = v[(22 - i) % 8];
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t t1 =
          v[(23 - i) % 8] + s1 + (g ^ (e & (f ^ g))) + kSha256Rounds[first + i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      v[(19 - i) % 8] += t1;
      v[(23 - i) % 8] = t1 + s0 + ((a & b) | (c & (a | b)));
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

void run(uint32_t state[8], const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += kSha256Block) block(state, blocks);
}

}  // namespace

extern const Sha256Kernel sha256_portable;
const Sha256Kernel sha256_portable = {run};

}  // namespace medulla
