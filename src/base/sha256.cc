// SPDX-License-Identifier: Apache-2.0
#include "src/base/sha256.h"

#include <bit>
#include <cstring>

namespace medulla {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t load_big_endian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

}  // namespace

// Sixteen rounds are written out: then every index below is a constant, and the state turns by its
// names alone instead of being moved.
void Sha256::block(const uint8_t* data) {
  uint32_t w[16];
  uint32_t v[8];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) w[i] = load_big_endian(data + 4 * i);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) v[i] = state_[i];
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
      const uint32_t t1 = v[(23 - i) % 8] + s1 + (g ^ (e & (f ^ g))) + kRound[first + i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      v[(19 - i) % 8] += t1;
      v[(23 - i) % 8] = t1 + s0 + ((a & b) | (c & (a | b)));
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) state_[i] += v[i];
}

void Sha256::update(const void* data, size_t size) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  size_t held = length_ % sizeof(pending_);
  length_ += size;
  if (held > 0) {
    const size_t taken = size < sizeof(pending_) - held ? size : sizeof(pending_) - held;
    if (taken > 0) std::memcpy(pending_ + held, bytes, taken);
    if (held + taken < sizeof(pending_)) return;
    block(pending_);
    bytes += taken;
    size -= taken;
  }
  for (; size >= sizeof(pending_); bytes += sizeof(pending_), size -= sizeof(pending_))
    block(bytes);
  if (size > 0) std::memcpy(pending_, bytes, size);
}

void Sha256::finish(uint8_t digest[kSha256Bytes]) {
  const uint64_t bits = length_ * 8;
  const uint8_t one = 0x80;
  const uint8_t zero = 0;
  update(&one, 1);
  while (length_ % sizeof(pending_) != 56) update(&zero, 1);
  uint8_t end[8];
  for (int i = 0; i < 8; ++i) end[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  update(end, sizeof(end));
  for (int i = 0; i < 32; ++i)
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
}

}  // namespace medulla
