// SPDX-License-Identifier: Apache-2.0
// Runs ONNX's conformance suite on the backends `reference` and `cpu`, and holds docs/operators.md
// to what it finds. MEDULLA_CONFORMANCE=TEXT runs the cases whose names contain TEXT and lists
// each; MEDULLA_WRITE_DOCS=1 writes the table anew.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/catch.h"
#include "tests/conformance/compare.h"
#include "tests/conformance/integer_form.h"
#include "tests/conformance/suite.h"
#include "tests/conformance/table.h"
#include "tests/paths.h"
#include "tests/shared.h"

using namespace medulla::conformance;

namespace tools = medulla::tools;

namespace {

std::vector<Case> cases_or_skip() {
  const auto root = find_suite();
  if (root) return all_cases(*root);
  medulla::test::skip("ONNX's conformance suite is not installed (package libonnx-testdata)");
  return {};
}

const char* name_of(Outcome outcome) {
  return outcome == Outcome::passed ? "passed" : outcome == Outcome::refused ? "refused" : "FAILED";
}

// Debian 12's suite, of which docs/operators.md tells; newer ones have more.
constexpr size_t kCases = 1072;
// Of those: fewer passes are a defect, even if each is a refusal. 73 are none of Medulla's.
constexpr int kPassed = 995;

enum class Detail { outcomes, list, integer_forms };

// Runs every case on both backends. A case counts as passed when it passes on both.
Table run_all(const std::vector<Case>& cases, Detail detail) {
  Table table;
  for (const Case& c : cases) {
    INFO(c.suite << "/" << c.name);
    const onnx::ModelProto model = read_model(c.folder + "/model.onnx");
    const std::string why = excluded(model);
    Result result = why.empty() ? run_case(c, model, "reference") : convert_case(c);
    if (why.empty() && result.outcome == Outcome::passed) {
      result = run_case(c, model, "cpu,reference");
    }
    if (detail == Detail::list) {
      std::printf("%s %s/%s%s%s: %s\n", name_of(result.outcome), c.suite.c_str(), c.name.c_str(),
                  why.empty() ? "" : ", excluded: ", why.c_str(), result.reason.c_str());
    }
    const bool integer = detail == Detail::integer_forms && result.outcome == Outcome::passed &&
                         has_integer_form(c, model);
    table.add(c, model, why, result, integer);
  }
  return table;
}

}  // namespace

// A wrong answer is a defect; a refusal is not, and docs/operators.md tells it.
TEST_CASE("each case of ONNX's suite passes or is refused with a reason", "[slow]") {
  std::vector<Case> cases = cases_or_skip();
  if (cases.empty()) return;
  const char* filter = std::getenv("MEDULLA_CONFORMANCE");
  if (filter != nullptr) {
    std::erase_if(cases, [&](const Case& c) { return c.name.find(filter) == std::string::npos; });
  }
  const Table table = run_all(cases, filter ? Detail::list : Detail::integer_forms);
  std::printf("%s", table.summary().c_str());
  for (const std::string& failure : table.failures()) UNSCOPED_INFO(failure);
  CHECK(table.failures().empty());
  if (filter != nullptr) return;
  if (cases.size() != kCases) {
    std::printf("docs/operators.md tells of another suite, of %zu cases\n", kCases);
    return;
  }
  CHECK(table.passed() >= kPassed);

  const std::string path = std::string(medulla::test::kSourceDir) + "/docs/operators.md";
  if (std::getenv("MEDULLA_WRITE_DOCS") != nullptr) std::ofstream(path) << table.markdown();
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  INFO("docs/operators.md is not what the suite shows; MEDULLA_WRITE_DOCS=1 writes it");
  CHECK(written.str() == table.markdown());
}

TEST_CASE("infinity is only what infinity is expected") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto array = [](float value) {
    tools::Array made{MDL_FLOAT32, {1}, std::vector<std::byte>(sizeof(value))};
    std::memcpy(made.data.data(), &value, sizeof(value));
    return made;
  };
  CHECK(compare(array(kInfinity), array(kInfinity)) == "");
  CHECK(compare(array(1.0005f), array(1)) == "");
  for (const float value : {-kInfinity, 3e38f, std::nanf("")}) {
    CHECK(compare(array(value), array(kInfinity)) != "");
    CHECK(compare(array(kInfinity), array(value)) != "");
  }
}

TEST_CASE("every second case of ONNX's suite passes or is refused with a reason") {
  const std::vector<Case> all = cases_or_skip();
  if (all.empty()) return;
  std::vector<Case> cases;
  for (size_t i = 0; i < all.size(); i += 2) cases.push_back(all[i]);
  const Table table = run_all(cases, Detail::outcomes);
  for (const std::string& failure : table.failures()) UNSCOPED_INFO(failure);
  CHECK(table.failures().empty());
  CHECK(table.passed() >= kPassed / 2 - 10);  // the other half may have passed more
}
