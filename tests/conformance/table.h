// SPDX-License-Identifier: Apache-2.0
// What the conformance suite shows of each operator: docs/operators.md.
#ifndef MEDULLA_TESTS_CONFORMANCE_TABLE_H_
#define MEDULLA_TESTS_CONFORMANCE_TABLE_H_

#include <map>
#include <string>
#include <vector>

#include "tests/conformance/suite.h"

namespace medulla::conformance {

class Table {
 public:
  // `why`: see excluded(); `integer`: see has_integer_form().
  void add(const Case& c, const onnx::ModelProto& model, const std::string& why,
           const Result& result, bool integer);

  std::string summary() const;
  std::string markdown() const;
  int passed() const;
  // "suite/case: reason", of the cases that gave a wrong answer.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  struct Count {
    int passed = 0, cases = 0;
  };
  struct Row {
    Count count;
    std::set<std::string> dtypes;        // of the first inputs of cases that passed
    std::set<std::string> on_cpu;        // Medulla's operators that have kernels
    std::map<std::string, int> reasons;  // of refusals
    bool fixed = false;                  // some input had to be known at conversion
    bool integer = false;                // some case is computed in INT8 when quantized
  };

  std::map<std::string, Row> rows_;      // by operator
  std::map<std::string, Count> suites_;  // without what is excluded
  std::map<std::string, int> excluded_;  // how many cases, by why
  std::vector<std::string> failures_;
};

}  // namespace medulla::conformance

#endif  // MEDULLA_TESTS_CONFORMANCE_TABLE_H_
