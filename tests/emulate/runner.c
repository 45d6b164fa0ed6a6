// SPDX-License-Identifier: Apache-2.0
// Loads one static program into ring 0 and answers the few system calls of a test without threads
// and files. run.sh puts the program at the beginning of the ROM, which is ROM_BYTES long and ends
// at 4 GiB.
#include "tests/emulate/runner.h"

// What run.sh writes: sizes in bytes, then the ELF file, then the arguments, each ending in 0.
struct image {
  uint32_t program_bytes;
  uint32_t argument_count;
  uint32_t argument_bytes;
  uint32_t unused;
  char program[];
};
#define IMAGE ((const struct image*)(UINT64_C(0x100000000) - ROM_BYTES))

// Memory, of 512 MiB: the program from its own address on and its heap; what it maps; its stack;
// its arguments.
enum {
  MAPS_BEGIN = 0x10000000,
  MAPS_END = 0x1f000000,
  STACK_TOP = 0x1fe00000,
  ARGUMENTS = 0x1ff00000
};

extern char trap_stubs[];
void syscall_entry(void);
void signed_dot_entry(void);
void enter_program(uint64_t entry, uint64_t stack) __attribute__((noreturn));

static void out_byte(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0,%1" ::"a"(value), "Nd"(port));
}
static void write_bytes(const char* from, uint64_t count) {
  while (count-- > 0) out_byte(0xe9, (uint8_t)*from++);
}
static void write_text(const char* text) {
  while (*text != 0) out_byte(0xe9, (uint8_t)*text++);
}
static void write_hex(uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4)
    out_byte(0xe9, "0123456789abcdef"[value >> shift & 15]);
}
static void write_msr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
static void copy(char* to, const char* from, uint64_t count) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
}
static void clear(char* to, uint64_t count) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0) : "memory");
}

static __attribute__((noreturn)) void leave(int status) {
  const char digits[4] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                          (char)('0' + status % 10), '\n'};
  write_text("\n@@exit ");
  write_bytes(digits, 4);
  for (;;) {
    for (const char* p = "Shutdown"; *p != 0; ++p) out_byte(0x8900, (uint8_t)*p);  // Bochs ends
  }
}

void leave_trapped(const char* what, uint64_t at, int status) {
  write_text("\n@@trap ");
  write_text(what);
  write_text(" at ");
  write_hex(at);
  leave(status);
}

// As a shell reports it: 128 and the signal that Linux would send.
void handle_trap(uint64_t number, const uint64_t* frame) {
  static const uint8_t kSignals[32] = {8,  5, 2, 5,  11, 11, 4, 11, 7, 11,
                                       11, 7, 7, 11, 11, 11, 8, 7,  7, 8};
  const int has_code =
      number == 8 || (number >= 10 && number <= 14) || number == 17 || number == 21;
  uint64_t address;
  __asm__("mov %%cr2,%0" : "=r"(address));
  write_text("\n@@trap ");
  write_hex(number);
  write_text(" at ");
  write_hex(frame[has_code]);
  write_text(" address ");
  write_hex(address);
  const int signal = kSignals[number & 31];
  leave(128 + (signal != 0 ? signal : 11));
}

static uint64_t heap_end;
static uint64_t maps_end = MAPS_BEGIN;

static int64_t map(uint64_t bytes) {
  bytes = (bytes + 4095) & ~UINT64_C(4095);
  if (bytes > MAPS_END - maps_end) return -12;
  const uint64_t begin = maps_end;
  maps_end += bytes;
  clear((char*)begin, bytes);
  return (int64_t)begin;
}

// Only the last mapping is given back: objects end in the reverse order.
static int64_t unmap(uint64_t begin, uint64_t bytes) {
  bytes = (bytes + 4095) & ~UINT64_C(4095);
  if (begin + bytes == maps_end) maps_end = begin;
  return 0;
}

static int64_t move_heap(uint64_t end) {
  if (end > heap_end && end < MAPS_BEGIN) {
    clear((char*)heap_end, end - heap_end);
    heap_end = end;
  }
  return (int64_t)heap_end;
}

struct part {
  const char* begin;
  uint64_t count;
};

static int64_t write_parts(const struct part* parts, uint64_t count) {
  int64_t written = 0;
  for (uint64_t i = 0; i < count; ++i) {
    write_bytes(parts[i].begin, parts[i].count);
    written += (int64_t)parts[i].count;
  }
  return written;
}

// Says that it is a terminal.
static int64_t file_status(char* status) {
  clear(status, 144);
  *(uint32_t*)(status + 24) = 020620;
  *(uint64_t*)(status + 56) = 1024;
  return 0;
}

static int64_t clock(uint64_t* time) {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  const uint64_t ticks = (uint64_t)high << 32 | low;
  time[0] = ticks / 1000000000;
  time[1] = ticks % 1000000000;
  return 0;
}

static int64_t arch_prctl(uint64_t code, uint64_t value) {
  enum { SET_FS = 0x1002, GET_FEATURES = 0x1022, REQUEST_FEATURE = 0x1023 };
  if (code == SET_FS) write_msr(0xc0000100, value);
  if (code == GET_FEATURES) *(uint64_t*)value = 0x600e7;
  return code == SET_FS || code == GET_FEATURES || code == REQUEST_FEATURE ? 0 : -22;
}

static int64_t random_bytes(char* to, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) to[i] = (char)(i * 37 + 11);
  return (int64_t)count;
}

// Linux's numbers for x86-64. `saved` is r9, r8, r10, rdx, rsi, rdi.
int64_t handle_syscall(uint64_t number, const uint64_t* saved) {
  const uint64_t a = saved[5];
  const uint64_t b = saved[4];
  const uint64_t c = saved[3];
  switch (number) {
    case 0:
      return 0;  // read: the end
    case 1:
      write_bytes((const char*)b, c);
      return (int64_t)c;
    case 5:
      return file_status((char*)b);
    case 9:
      return map(b);
    case 11:
      return unmap(a, b);
    case 12:
      return move_heap(a);
    case 16:
      return -25;  // ioctl
    case 20:
      return write_parts((const struct part*)b, c);
    case 39:
    case 186:
    case 218:
      return 1;  // getpid, gettid, set_tid_address
    case 60:
    case 231:
      leave((int)(a & 255));
    case 158:
      return arch_prctl(a, b);
    case 204:
      *(uint64_t*)c = 1;
      return 8;  // sched_getaffinity: one CPU
    case 228:
      return clock((uint64_t*)b);
    case 262:
      return (int)a > 2 ? -2 : file_status((char*)c);
    case 302:  // prlimit64: a stack of 8 MiB
      if (saved[2] != 0) ((uint64_t*)saved[2])[0] = ((uint64_t*)saved[2])[1] = 8 << 20;
      return 0;
    case 318:
      return random_bytes((char*)a, b);
    case 21:
    case 89:
    case 257:
    case 267:
      return -2;  // access, readlink, open: no such file
    // close, mprotect, signals, yields, futexes, robust lists: nothing to do
    case 3:
    case 10:
    case 13:
    case 14:
    case 24:
    case 28:
    case 131:
    case 202:
    case 273:
      return 0;
    default:
      return -38;
  }
}

struct elf_header {
  char id[16];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, segments_at, sections_at;
  uint32_t flags;
  uint16_t header_bytes, segment_bytes, segment_count;
};

struct elf_segment {
  uint32_t type, flags;
  uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};

struct table {
  uint16_t limit;
  uint64_t base;
} __attribute__((packed));

static uint64_t idt[64];

// `stack` 0: that of the program; 1: the first of the task's.
static void set_gate(int vector, const void* handler, uint64_t stack) {
  const uint64_t at = (uint64_t)handler;
  idt[2 * vector] = (at & 0xffff) | UINT64_C(0x18) << 16 | stack << 32 | UINT64_C(0x8e00) << 32 |
                    (at >> 16 & 0xffff) << 48;
  idt[2 * vector + 1] = at >> 32;
}

// A task, for its stack: a handler that returns must not write below the program's stack pointer.
static void set_task(void) {
  enum { TASK = 0x28, FIRST_STACK_AT = 36 };
  static char task[104] __attribute__((aligned(16)));
  static char stack[16384] __attribute__((aligned(16)));
  // As boot.S has them, and the task's two words.
  static uint64_t gdt[7] = {0, UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00cf93000000ffff),
                            UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff)};
  const uint64_t at = (uint64_t)task;
  *(uint64_t*)(task + FIRST_STACK_AT) = (uint64_t)(stack + sizeof stack);
  gdt[5] =
      (sizeof task - 1) | (at & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (at >> 24 & 0xff) << 56;
  const struct table table = {sizeof gdt - 1, (uint64_t)gdt};
  __asm__ volatile("lgdt %0\n\tltr %w1" ::"m"(table), "r"(TASK));
}

static void set_traps(void) {
  enum { BREAKPOINT = 3 };
  for (int i = 0; i < 32; ++i) set_gate(i, trap_stubs + 16 * i, 0);
  set_task();
  set_gate(BREAKPOINT, (const void*)signed_dot_entry, 1);
  const struct table table = {sizeof idt - 1, (uint64_t)idt};
  __asm__ volatile("lidt %0" ::"m"(table));
  write_msr(0xc0000081, UINT64_C(0x18) << 32 | UINT64_C(0x18) << 48);
  write_msr(0xc0000082, (uint64_t)syscall_entry);
  write_msr(0xc0000084, 0x700);
}

// Returns the address of the program's segment table.
static uint64_t load_program(const char* file, const struct elf_header* header) {
  enum { EXECUTABLE = 1 };
  const int replaces = signed_dots_are_wrong();
  uint64_t table = 0;
  for (int i = 0; i < header->segment_count; ++i) {
    const struct elf_segment* s =
        (const void*)(file + header->segments_at + (uint64_t)i * header->segment_bytes);
    if (s->type != 1) continue;
    copy((char*)s->address, file + s->offset, s->file_bytes);
    clear((char*)(s->address + s->file_bytes), s->memory_bytes - s->file_bytes);
    if (replaces && (s->flags & EXECUTABLE) != 0) {
      replace_signed_dots((uint8_t*)s->address, (uint8_t*)(s->address + s->file_bytes));
    }
    if (header->segments_at >= s->offset && header->segments_at < s->offset + s->file_bytes) {
      table = s->address + header->segments_at - s->offset;
    }
    const uint64_t end = (s->address + s->memory_bytes + 4095) & ~UINT64_C(4095);
    if (end > heap_end) heap_end = end;
  }
  return table;
}

void run_image(void) {
  set_traps();
  const struct image* image = IMAGE;
  const struct elf_header* header = (const void*)image->program;
  const uint64_t table = load_program(image->program, header);

  char* argument = (char*)ARGUMENTS;
  copy(argument, image->program + image->program_bytes, image->argument_bytes);
  uint64_t* const stack = (uint64_t*)STACK_TOP;
  uint64_t* to = stack;
  *to++ = image->argument_count;
  for (uint32_t i = 0; i < image->argument_count; ++i) {
    *to++ = (uint64_t)argument;
    while (*argument++ != 0) {
    }
  }
  *to++ = 0;
  *to++ = 0;  // no environment
  static const char kRandom[16] = "emulated random";
  uint32_t a = 1;
  uint32_t b;
  uint32_t c;
  uint32_t d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  const uint64_t auxiliary[][2] = {{3, table},
                                   {4, header->segment_bytes},
                                   {5, header->segment_count},
                                   {6, 4096},
                                   {9, header->entry},
                                   {11, 0},
                                   {12, 0},
                                   {13, 0},
                                   {14, 0},
                                   {16, d},
                                   {23, 0},
                                   {25, (uint64_t)kRandom},
                                   {51, 11008},
                                   {0, 0}};
  for (unsigned i = 0; i < sizeof auxiliary / sizeof auxiliary[0]; ++i) {
    *to++ = auxiliary[i][0];
    *to++ = auxiliary[i][1];
  }
  write_text("\n@@start\n");
  enter_program(header->entry, (uint64_t)stack);
}
