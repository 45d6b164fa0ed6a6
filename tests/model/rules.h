// SPDX-License-Identifier: Apache-2.0
// A file that breaks one rule of the format: the refusal has to name the culprit.
#ifndef MEDULLA_TESTS_MODEL_RULES_H_
#define MEDULLA_TESTS_MODEL_RULES_H_

#include "tests/catch.h"
#include "tests/model/models.h"
#include "tests/model/patch.h"

namespace medulla::test {

using Header = format::HeaderT;

inline AlignedBytes whole() {
  ModelBuilder builder = whole_model();
  return builder.bytes();
}

inline void opens(const AlignedBytes& bytes, mdl_status status, const std::string& text,
                  mdl_check check = MDL_CHECK_HEADER) {
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.check = check;
  mdl_model* model = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  const mdl_status found =
      mdl_model_open_memory(bytes.data(), bytes.size(), &options, &model, &error);
  CAPTURE(text, error.text, mdl_status_name(found));
  CHECK(found == status);
  CHECK((status == MDL_OK) == (model != nullptr));
  if (status != MDL_OK) {
    CHECK(error.status == status);
    CHECK(std::string(error.text).find("memory block: ") == 0);
    CHECK(std::string(error.text).find(text) != std::string::npos);
  }
  mdl_model_close(model);
}

template <class Change>
void header_refused(const std::string& text, Change change,
                    mdl_status status = MDL_ERROR_BAD_MODEL) {
  opens(change_header(whole(), change), status, text);
}

template <class Change>
void preamble_refused(const std::string& text, Change change,
                      mdl_status status = MDL_ERROR_BAD_MODEL) {
  opens(change_preamble(whole(), change), status, text);
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_MODEL_RULES_H_
