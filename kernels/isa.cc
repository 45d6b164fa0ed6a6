// SPDX-License-Identifier: Apache-2.0
#include "kernels/isa.h"

#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif
#endif

namespace medulla {
namespace {

constexpr const char* kNames[kIsaCount] = {
    "portable",   "avx2",     "avxvnni",  "avx512", "avx512vnni", "avx512fp16",
    "avx512bf16", "amx_int8", "amx_bf16", "neon",   "dotprod",    "fp16",
    "bf16",       "i8mm",     "sve",      "sve2",   "sha"};

bool find_isa(std::string_view name, Isa* isa) {
  for (int i = 0; i < kIsaCount; ++i) {
    if (name == kNames[i]) {
      *isa = static_cast<Isa>(i);
      return true;
    }
  }
  return false;
}

// Takes out what lacks something it needs.
IsaSet close(IsaSet found) {
  IsaSet closed;
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (found.contains(isa_needs(isa))) closed = closed | isa_bit(isa);
  }
  return closed;
}

#if defined(__x86_64__) || defined(__i386__)

constexpr bool bit(unsigned word, int index) { return (word >> index & 1u) != 0; }

uint64_t read_xcr0() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

bool may_use_tiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

IsaSet probe() {
  IsaSet set;
  const auto add = [&set](bool has, Isa isa) {
    if (has) set = set | isa_bit(isa);
  };
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return set;
  const bool sse41 = bit(c, 9) && bit(c, 19);  // and SSSE3
  const bool osxsave = bit(c, 27);
  const bool fma_f16c = bit(c, 12) && bit(c, 28) && bit(c, 29);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return set;
  add(sse41 && bit(b, 29), Isa::sha);
  if (!osxsave) return set;
  const unsigned leaves = a;
  const uint64_t xcr0 = read_xcr0();
  const bool ymm = (xcr0 & 0x6) == 0x6;
  const bool zmm = ymm && (xcr0 & 0xe0) == 0xe0;
  const bool tiles = (xcr0 & 0x60000) == 0x60000 && bit(d, 24) && may_use_tiles();
  add(ymm && fma_f16c && bit(b, 5), Isa::avx2);
  add(zmm && bit(b, 16) && bit(b, 17) && bit(b, 28) && bit(b, 30) && bit(b, 31), Isa::avx512);
  add(bit(c, 11), Isa::avx512vnni);
  add(bit(d, 23), Isa::avx512fp16);
  add(tiles && bit(d, 25), Isa::amx_int8);
  add(tiles && bit(d, 22), Isa::amx_bf16);
  if (leaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    add(bit(a, 4), Isa::avxvnni);
    add(bit(a, 5), Isa::avx512bf16);
  }
  return set;
}

#elif defined(__linux__) && defined(__aarch64__)

IsaSet probe() {
  const unsigned long cap = getauxval(AT_HWCAP);
  const unsigned long cap2 = getauxval(AT_HWCAP2);
  IsaSet set;
  const auto add = [&set](bool has, Isa isa) {
    if (has) set = set | isa_bit(isa);
  };
  add((cap >> 1 & 1) != 0, Isa::neon);
  add((cap >> 20 & 1) != 0, Isa::dotprod);
  add((cap >> 9 & 3) == 3, Isa::fp16);  // scalar and vector
  add((cap >> 22 & 1) != 0, Isa::sve);
  add((cap2 >> 1 & 1) != 0, Isa::sve2);
  add((cap2 >> 13 & 1) != 0, Isa::i8mm);
  add((cap2 >> 14 & 1) != 0, Isa::bf16);
  return set;
}

#elif defined(__linux__) && defined(__arm__)

IsaSet probe() {
  constexpr unsigned long kNeonAndVfp4 = 1ul << 12 | 1ul << 16;
  return (getauxval(AT_HWCAP) & kNeonAndVfp4) == kNeonAndVfp4 ? isa_bit(Isa::neon) : IsaSet{};
}

#else

IsaSet probe() { return {}; }

#endif

}  // namespace

const char* isa_name(Isa isa) { return kNames[static_cast<int>(isa)]; }

bool parse_isa_set(std::string_view text, IsaSet* set, std::string_view* unknown) {
  IsaSet parsed;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(name.size() < text.size() ? name.size() + 1 : name.size());
    Isa isa = Isa::portable;
    if (name.empty()) continue;
    if (name == "all") {
      parsed = kAllIsas;
    } else if (find_isa(name, &isa)) {
      parsed = parsed | isa_needs(isa);
    } else {
      *unknown = name;
      return false;
    }
  }
  *set = parsed;
  return true;
}

size_t format_isa_set(IsaSet set, char* text, size_t size) {
  size_t length = 0;
  const auto append = [&](const char* part) {
    for (; *part != '\0'; ++part, ++length) {
      if (length + 1 < size) text[length] = *part;
    }
  };
  if (set.bits == 0) append(kNames[0]);
  for (int i = 1; i < kIsaCount; ++i) {
    if (!set.contains(isa_bit(static_cast<Isa>(i)))) continue;
    if (length > 0) append(",");
    append(kNames[i]);
  }
  if (size > 0) text[length < size ? length : size - 1] = '\0';
  return length;
}

IsaSet host_isa() { return close(probe()); }

}  // namespace medulla
