// SPDX-License-Identifier: Apache-2.0
// Models that conversion has to refuse.
#ifndef MEDULLA_TESTS_CONVERT_REFUSED_H_
#define MEDULLA_TESTS_CONVERT_REFUSED_H_

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"

namespace medulla::tools {

inline std::vector<Refusal> refusals_of(const OnnxModel& model, const Folder& folder) {
  const ConvertOptions options = model.write(folder);
  const ConvertReport report = convert(options);
  CHECK(!std::filesystem::exists(options.output));
  return report.refusals;
}

inline std::vector<Refusal> refusals_of(const OnnxModel& model) {
  return refusals_of(model, Folder());
}

// The model is refused for one reason, whose text has all of these parts.
inline void check_refused(const OnnxModel& model, const std::vector<std::string>& parts,
                          const Folder& folder = Folder()) {
  const std::vector<Refusal> refusals = refusals_of(model, folder);
  for (const Refusal& refusal : refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(refusals.size() == 1);
  for (const std::string& part : parts) {
    INFO("should say: " << part);
    CHECK(refusals[0].text().find(part) != std::string::npos);
  }
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_REFUSED_H_
