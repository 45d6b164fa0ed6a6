// SPDX-License-Identifier: Apache-2.0
// ONNX's conformance suite, as Debian's libonnx-testdata carries it: models with inputs and
// outputs.
#ifndef MEDULLA_TESTS_CONFORMANCE_SUITE_H_
#define MEDULLA_TESTS_CONFORMANCE_SUITE_H_

#include <onnx/onnx_pb.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/common/array.h"

namespace medulla::conformance {

// The suite's folder (MEDULLA_ONNX_TESTDATA names another one), or nothing where it is absent.
std::optional<std::string> find_suite();

struct Case {
  std::string suite;   // "node", "simple", ...
  std::string name;    // "test_abs"
  std::string folder;  // where model.onnx lies
};

// All cases, in the order of their names.
std::vector<Case> all_cases(const std::string& root);

onnx::ModelProto read_model(const std::string& path);

// Inputs or outputs of data set `set`; throws std::runtime_error for what is not a dense tensor.
std::vector<tools::Array> read_values(const Case& c, int set, const char* kind);
int count_data_sets(const Case& c);

using Values = std::vector<std::pair<std::string, tools::Array>>;  // by name
// What data set `set` feeds.
Values read_inputs(const Case& c, const onnx::ModelProto& model, int set);

// The path of a file of this process, removed in the end if it was written; one at a time with an
// ending.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& ending);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string path;
};

// Why a case is none of Medulla's: training, sequences, optionals, strings, random numbers; "" when
// it is.
std::string excluded(const onnx::ModelProto& model);

enum class Outcome { passed, refused, failed };

struct Result {
  Outcome outcome = Outcome::failed;
  std::string reason;               // of a refusal or a failure
  std::set<std::string> fixed;      // inputs that had to be known at conversion
  std::set<std::string> operators;  // Medulla's, that have run
};

// Converts the case and runs it on `backends`, comma-separated in order of preference; see
// compare(). A case without data has failed.
Result run_case(const Case& c, const onnx::ModelProto& model, const char* backends);

// Only converts it.
Result convert_case(const Case& c);

}  // namespace medulla::conformance

#endif  // MEDULLA_TESTS_CONFORMANCE_SUITE_H_
