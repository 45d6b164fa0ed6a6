// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_CONVERT_IMPORTED_H_
#define MEDULLA_TESTS_CONVERT_IMPORTED_H_

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"

namespace medulla::tools {

// The model that a file becomes; without `report` nothing may be refused.
inline Model imported(const OnnxModel& model, ConvertReport* report = nullptr,
                      const std::map<std::string, int64_t>& maxima = {}) {
  const Folder folder;
  ConvertOptions options = model.write(folder);
  options.maxima = maxima;
  ConvertReport own;
  Model result = import_and_optimize(options, report != nullptr ? *report : own);
  for (const Refusal& refusal : own.refusals) UNSCOPED_INFO(refusal.text());
  if (report == nullptr) REQUIRE(own.refusals.empty());
  return result;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_IMPORTED_H_
