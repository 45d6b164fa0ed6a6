// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ISA_H_
#define MEDULLA_KERNELS_ISA_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

// Which instruction sets there are, as values: nothing below keeps state, so that the choice of a
// kernel for any CPU can be asked for on any host.
namespace medulla {

// Spelled as in kernels.inc, in file names (x86_<isa>.cc) and in MEDULLA_KERNEL_ISAS.
enum class Isa : uint8_t {
  portable = 0,  // C++ for the baseline of the target; needs nothing
  avx2 = 1,      // AVX2, FMA and F16C
  avxvnni = 2,   // VEX-coded VNNI, 256 bits
  avx512 = 3,    // F, BW, DQ, VL, CD
  avx512vnni = 4,
  avx512fp16 = 5,
  avx512bf16 = 6,
  amx_int8 = 7,
  amx_bf16 = 8,
  neon = 9,  // aarch64's baseline; on ARMv7 with VFPv4
  dotprod = 10,
  fp16 = 11,  // half-precision arithmetic
  bf16 = 12,
  i8mm = 13,
  sve = 14,
  sve2 = 15,
  sha = 16,  // x86's SHA extensions, with SSE4.1
};
constexpr int kIsaCount = 17;

struct IsaSet {
  uint64_t bits = 0;

  constexpr bool contains(IsaSet other) const { return (bits & other.bits) == other.bits; }
  constexpr IsaSet operator|(IsaSet other) const { return {bits | other.bits}; }
  constexpr IsaSet operator&(IsaSet other) const { return {bits & other.bits}; }
  constexpr bool operator==(const IsaSet&) const = default;
};

// The set of `isa` alone; empty for portable.
constexpr IsaSet isa_bit(Isa isa) {
  return {isa == Isa::portable ? 0 : uint64_t{1} << static_cast<int>(isa)};
}

constexpr IsaSet kAllIsas = {(uint64_t{1} << kIsaCount) - 2};  // portable has no bit

// What code compiled for `isa` may execute: itself and all that its compile flags include.
constexpr IsaSet isa_needs(Isa isa) {
  switch (isa) {
    case Isa::portable:
    case Isa::avx2:
    case Isa::neon:
    case Isa::sha:
      return isa_bit(isa);
    case Isa::avxvnni:
    case Isa::avx512:
      return isa_bit(isa) | isa_bit(Isa::avx2);
    case Isa::avx512vnni:
    case Isa::avx512fp16:
    case Isa::avx512bf16:
    case Isa::amx_int8:
    case Isa::amx_bf16:
      return isa_bit(isa) | isa_needs(Isa::avx512);
    case Isa::dotprod:
    case Isa::fp16:
    case Isa::bf16:
      return isa_bit(isa) | isa_bit(Isa::neon);
    case Isa::i8mm:
      return isa_bit(isa) | isa_needs(Isa::dotprod);
    case Isa::sve:
      return isa_bit(isa) | isa_needs(Isa::fp16);
    case Isa::sve2:
      return isa_bit(isa) | isa_needs(Isa::sve);
  }
  return {};
}

const char* isa_name(Isa isa);

// Reads names separated by commas, with what each needs ("avx512vnni" gives avx2 and avx512 too);
// "portable" and "" give the empty set, "all" every bit. Empty names are passed over. False if a
// name is unknown: *unknown then is that part of `text`.
bool parse_isa_set(std::string_view text, IsaSet* set, std::string_view* unknown);

// Writes the names, separated by commas, "portable" for the empty set; always terminated, cut off
// at `size`. Returns the length of the whole text. kIsaTextSize suffices for every set.
constexpr size_t kIsaTextSize = 160;
size_t format_isa_set(IsaSet set, char* text, size_t size);

// What this CPU has and this OS lets a program use. The set is closed: with an ISA come those it
// needs. Where the CPU has AMX this asks Linux for the permission to use tiles, which then holds
// for the process.
IsaSet host_isa();

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ISA_H_
