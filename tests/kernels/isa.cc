// SPDX-License-Identifier: Apache-2.0
#include "kernels/isa.h"

#include <string>
#include <string_view>

#include "kernels/families.h"
#include "kernels/row.h"
#include "tests/catch.h"

namespace medulla {
namespace {

IsaSet parsed(std::string_view text) {
  IsaSet set;
  std::string_view unknown;
  REQUIRE(parse_isa_set(text, &set, &unknown));
  return set;
}

std::string text_of(IsaSet set) {
  char text[kIsaTextSize];
  REQUIRE(format_isa_set(set, text, sizeof text) < sizeof text);
  return text;
}

TEST_CASE("ISA names bring what they need") {
  CHECK(text_of(parsed("avx512vnni")) == "avx2,avx512,avx512vnni");
  CHECK(text_of(parsed("i8mm,fp16")) == "neon,dotprod,fp16,i8mm");
  CHECK(text_of(parsed("portable")) == "portable");
  CHECK(parsed("").bits == 0);
  CHECK(parsed("all").contains(parsed("amx_bf16,sve2")));
}

TEST_CASE("every ISA set round trips through its text") {
  const IsaSet all = parsed("all");
  CHECK(parsed(text_of(all)) == all);
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    CHECK(parsed(isa_name(isa)) == isa_needs(isa));
    CHECK(isa_needs(isa).contains(isa_bit(isa)));
  }
}

TEST_CASE("an unknown ISA is named") {
  IsaSet set;
  std::string_view unknown;
  CHECK_FALSE(parse_isa_set("avx2,avx3,neon", &set, &unknown));
  CHECK(unknown == "avx3");
  CHECK_FALSE(parse_isa_set("avx2,,avx3", &set, &unknown));
  CHECK(unknown == "avx3");
  CHECK(parsed(",avx2,") == isa_needs(Isa::avx2));
  CHECK(parsed("all") == kAllIsas);
}

TEST_CASE("ISA text is cut off at its buffer") {
  char text[6] = "zzzzz";
  CHECK(format_isa_set(parsed("avx512"), text, sizeof text) == 11);
  CHECK(std::string(text) == "avx2,");
}

TEST_CASE("the host's ISA set is closed") {
  const IsaSet host = host_isa();
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (host.contains(isa_bit(isa))) CHECK(host.contains(isa_needs(isa)));
  }
}

TEST_CASE("every family ends with a portable row, and row names say family and ISA") {
  const std::span<const KernelName> names = kernel_names();
  REQUIRE_FALSE(names.empty());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i].name;
    INFO(name);
    CHECK(name.rfind(std::string(names[i].family) + "_", 0) == 0);
    const std::string isa = std::string("_") + isa_name(names[i].isa);
    CHECK(name.size() > isa.size());
    CHECK(name.substr(name.size() - isa.size()) == isa);
    const bool last =
        i + 1 == names.size() || std::string_view(names[i].family) != names[i + 1].family;
    CHECK((names[i].isa == Isa::portable) == last);
  }
}

struct SizeProblem : KernelRequest {
  int size = 0;
};
using SizeRow = Row<int, SizeProblem>;

TEST_CASE("a row is chosen by order, ISA set, shape or name, with reasons") {
  static const int kernels[3] = {0, 1, 2};
  const auto even = [](const SizeProblem& p) { return p.size % 2 == 0 ? nullptr : "odd"; };
  const auto any = [](const SizeProblem&) -> const char* { return nullptr; };
  const SizeRow rows[] = {{"wide", Isa::avx512vnni, any, &kernels[0]},
                          {"even", Isa::avx2, even, &kernels[1]},
                          {"plain", Isa::portable, any, &kernels[2]}};
  const std::span<const SizeRow> all = rows;
  SizeProblem problem;
  problem.isa = parsed("avx2");
  const char* reasons[3];
  CHECK(select_row(all, problem, {}, reasons) == &rows[1]);
  CHECK(std::string_view(reasons[0]) == "not in the ISA set");
  CHECK(reasons[1] == nullptr);
  CHECK(reasons[2] == nullptr);
  problem.size = 3;
  CHECK(select_row(all, problem, {}, reasons) == &rows[2]);
  CHECK(std::string_view(reasons[1]) == "odd");
  CHECK(select_row(all, problem, "even") == nullptr);
  CHECK(select_row(all, problem, "none") == nullptr);
  problem.size = 2;
  CHECK(select_row(all, problem, "plain") == &rows[2]);
  problem.isa = parsed("avx512vnni");
  CHECK(select_row(all, problem) == &rows[0]);
}

}  // namespace
}  // namespace medulla
