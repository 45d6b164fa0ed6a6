// SPDX-License-Identifier: Apache-2.0
#include "src/base/sha256.h"

#include <cstring>

namespace medulla {

Sha256::Sha256() {
  KernelRequest request;
  request.isa = host_isa();
  kernel_ = select_row(sha256_rows(), request)->kernel;
}

void Sha256::update(const void* data, size_t size) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  size_t held = length_ % sizeof(pending_);
  length_ += size;
  if (held > 0) {
    const size_t taken = size < sizeof(pending_) - held ? size : sizeof(pending_) - held;
    if (taken > 0) std::memcpy(pending_ + held, bytes, taken);
    if (held + taken < sizeof(pending_)) return;
    kernel_->run(state_, pending_, 1);
    bytes += taken;
    size -= taken;
  }
  kernel_->run(state_, bytes, size / sizeof(pending_));
  bytes += size / sizeof(pending_) * sizeof(pending_);
  size %= sizeof(pending_);
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
