// SPDX-License-Identifier: Apache-2.0
// TDPBSSD, TDPBSUD and TDPBUSD for a Bochs that has them wrong. The shapes of the tiles are read by
// XSAVE: Bochs 3.0 has no STTILECFG, and XSAVE of it may have rows and bytes in each other's place.
#include "tests/emulate/runner.h"

enum { TILE_ROWS = 16, TILE_BYTES = 64, CONFIG_BYTES_AT = 16, CONFIG_ROWS_AT = 48 };

static int shapes_are_swapped;

static const uint8_t* read_shapes(void) {
  static uint8_t state[4096] __attribute__((aligned(64)));
  enum { TILE_CONFIG = 17 };
  uint32_t a = 0xd;
  uint32_t offset;
  uint32_t c = TILE_CONFIG;
  uint32_t d;
  __asm__("cpuid" : "+a"(a), "=b"(offset), "+c"(c), "=d"(d));
  __asm__ volatile("xsave64 %0" : "+m"(state) : "a"(1 << TILE_CONFIG), "d"(0) : "memory");
  return state + offset;
}

static int rows_of(const uint8_t* shapes, int tile) {
  return shapes[shapes_are_swapped ? CONFIG_BYTES_AT + 2 * tile : CONFIG_ROWS_AT + tile];
}
static int bytes_of(const uint8_t* shapes, int tile) {
  return shapes[shapes_are_swapped ? CONFIG_ROWS_AT + tile : CONFIG_BYTES_AT + 2 * tile];
}

int signed_dots_are_wrong(void) {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low >> 17 & 3) != 3) return 0;
  // Tiles 0 to 2 have one row of four bytes; tile 3 has three of eight, to know rows from bytes.
  static const uint8_t config[64] __attribute__((aligned(64))) = {
      [0] = 1, [16] = 4, [18] = 4, [20] = 4, [22] = 8, [48] = 1, [49] = 1, [50] = 1, [51] = 3};
  static const int32_t minus_one = 0xff;
  static const int32_t one = 1;
  static int32_t sum;
  __asm__ volatile(
      "ldtilecfg %0\n\t"
      "tilezero %%tmm0\n\t"
      "tileloadd (%1,%4,1),%%tmm1\n\t"
      "tileloadd (%2,%4,1),%%tmm2\n\t"
      "tdpbssd %%tmm2,%%tmm1,%%tmm0\n\t"
      "tilestored %%tmm0,(%3,%4,1)"
      :
      : "m"(config), "r"(&minus_one), "r"(&one), "r"(&sum), "r"((uint64_t)TILE_BYTES)
      : "memory");
  shapes_are_swapped = read_shapes()[CONFIG_ROWS_AT + 3] == 8;
  __asm__ volatile("tilerelease");
  return sum != -1;
}

enum { INT3 = 0xcc, VEX = 0xc4 };

// VEX.128.W0.0F38 5E with registers alone; its prefix says which bytes are signed, 0 none.
static int is_signed_dot(const uint8_t* p) {
  return p[0] == VEX && p[1] == 0xe2 && (p[2] & 0xc4) == 0x40 && (p[2] & 3) != 0 && p[3] == 0x5e &&
         p[4] >= 0xc0;
}

void replace_signed_dots(uint8_t* begin, uint8_t* end) {
  for (uint8_t* p = begin; end - p >= 5; ++p) {
    if (is_signed_dot(p)) *p = INT3;
  }
}

#define MOVE_TILE(instruction, n)                                                      \
  case n:                                                                              \
    __asm__ volatile(instruction ::"r"(memory), "r"((uint64_t)TILE_BYTES) : "memory"); \
    break
static void store_tile(int tile, void* memory) {
  switch (tile) {
    MOVE_TILE("tilestored %%tmm0,(%0,%1,1)", 0);
    MOVE_TILE("tilestored %%tmm1,(%0,%1,1)", 1);
    MOVE_TILE("tilestored %%tmm2,(%0,%1,1)", 2);
    MOVE_TILE("tilestored %%tmm3,(%0,%1,1)", 3);
    MOVE_TILE("tilestored %%tmm4,(%0,%1,1)", 4);
    MOVE_TILE("tilestored %%tmm5,(%0,%1,1)", 5);
    MOVE_TILE("tilestored %%tmm6,(%0,%1,1)", 6);
    MOVE_TILE("tilestored %%tmm7,(%0,%1,1)", 7);
  }
}
static void load_tile(int tile, const void* memory) {
  switch (tile) {
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm0", 0);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm1", 1);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm2", 2);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm3", 3);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm4", 4);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm5", 5);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm6", 6);
    MOVE_TILE("tileloadd (%0,%1,1),%%tmm7", 7);
  }
}
#undef MOVE_TILE

// frame[0] is the address behind the INT3 that stands for the first byte of the instruction.
void handle_signed_dot(uint64_t* frame) {
  static uint8_t a[TILE_ROWS][TILE_BYTES];
  static uint8_t b[TILE_ROWS][TILE_BYTES];
  static uint32_t c[TILE_ROWS][TILE_BYTES / 4];
  const uint8_t* const instruction = (const uint8_t*)(frame[0] - 1);
  const int a_is_signed = instruction[2] & 2;
  const int b_is_signed = instruction[2] & 1;
  const int to = instruction[4] >> 3 & 7;
  const int left = instruction[4] & 7;
  const int right = ~(instruction[2] >> 3) & 7;
  const uint8_t* const shapes = read_shapes();
  const int rows = rows_of(shapes, to);
  const int columns = bytes_of(shapes, to) / 4;
  const int depth = bytes_of(shapes, left);
  const int fits = rows > 0 && columns > 0 && depth > 0 && rows_of(shapes, left) == rows &&
                   bytes_of(shapes, right) == 4 * columns && bytes_of(shapes, to) == 4 * columns &&
                   depth == 4 * rows_of(shapes, right);
  if (!fits || to == left || to == right || left == right || instruction[3] != 0x5e) {
    leave_trapped("tiles that do not fit, or int3", frame[0] - 1, 128 + 4);
  }
  store_tile(to, c);
  store_tile(left, a);
  store_tile(right, b);
  for (int m = 0; m < rows; ++m) {
    for (int n = 0; n < columns; ++n) {
      uint32_t sum = c[m][n];
      for (int k = 0; k < depth; ++k) {
        const uint8_t x = a[m][k];
        const uint8_t y = b[k / 4][4 * n + k % 4];
        sum += (uint32_t)((a_is_signed ? (int8_t)x : x) * (b_is_signed ? (int8_t)y : y));
      }
      c[m][n] = sum;
    }
  }
  load_tile(to, c);
  frame[0] += 4;
}
