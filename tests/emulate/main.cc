// SPDX-License-Identifier: Apache-2.0
// Runs the kernels' tests on a CPU that is emulated: all rows of its ISAs, beside the portable
// ones. usage: test_emulated ISAS [TEXT]: the ISAs that the CPU must be seen to have; cases whose
// name contains TEXT
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/isa.h"
#include "tests/emulate/catch.h"
#include "tests/kernels/util.h"

namespace medulla::test {

namespace {

size_t checks = 0;
size_t failures = 0;

bool sees(const char* names, IsaSet* wanted) {
  std::string_view unknown;
  if (!parse_isa_set(names, wanted, &unknown)) {
    std::printf("'%s' names an unknown ISA\n", names);
    return false;
  }
  char text[kIsaTextSize];
  format_isa_set(host_isa(), text, sizeof text);
  std::printf("this CPU has %s\n", text);
  return host_isa().contains(*wanted);
}

// Counts the INT8 rows of these ISAs, the portable ones too, and as failures those that no case
// ran.
void check_rows(IsaSet wanted) {
  size_t rows = 0;
  const auto check_row = [&](std::string_view family, const char* name) {
    if (!family.ends_with("_s8")) return;
    ++rows;
    if (rows_run.contains(name)) return;
    ++failures;
    std::printf("no case ran %s\n", name);
  };
#define MDL_KERNEL_OF(family, name, isa) \
  if (wanted.contains(isa_needs(Isa::isa))) check_row(#family, #name);
#include "medulla_rows/all_families.inc"
#undef MDL_KERNEL_OF
  std::printf("%zu rows\n", rows);
}

}  // namespace

void check(bool holds, bool required, const char* file, int line, const char* expression) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("%s:%d: failed: %s\n", file, line, expression);
  for (const Info* info = Info::innermost; info != nullptr; info = info->outer()) {
    Text text;
    info->write(text);
    std::printf("  %s\n", text.text.c_str());
  }
  if (required) std::exit(1);
}

}  // namespace medulla::test

int main(int argc, char** argv) {
  using namespace medulla::test;
  medulla::IsaSet wanted;
  if (argc < 2 || !sees(argv[1], &wanted)) {
    std::printf("the CPU lacks what was asked for, or the dispatch does not see it\n");
    return 1;
  }
  for (const Case* c = Case::first; c != nullptr; c = c->next) {
    if (std::strstr(c->tags, "[slow]") != nullptr) continue;
    if (argc > 2 && std::strstr(c->name, argv[2]) == nullptr) continue;
    const size_t before = checks;
    c->run();
    std::printf("%s: %zu checks\n", c->name, checks - before);
  }
  if (argc == 2) check_rows(wanted);
  std::printf("%zu checks, %zu failed\n", checks, failures);
  return checks > 0 && failures == 0 ? 0 : 1;
}
