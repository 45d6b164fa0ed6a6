// SPDX-License-Identifier: Apache-2.0
// What a file says for people and for the code that feeds it.
#include <cmath>
#include <cstring>

#include "src/model/loader.h"

namespace medulla {
namespace {

mdl_status check_pairs(const format::Header& header, mdl_error* error) {
  const auto* pairs = header.metadata();
  const char* before = nullptr;
  for (uint32_t p = 0; p < size_of(pairs); ++p) {
    const format::KeyValue& pair = *pairs->Get(p);
    const char* key = pair.key()->c_str();
    MDL_TRY(check_text(pair.key(), error, "metadata: key ", p));
    MDL_TRY(check_text(pair.value(), error, "metadata: the value of '", key, "'"));
    if (before != nullptr && std::strcmp(before, key) >= 0) {
      return fail(error, MDL_ERROR_BAD_MODEL, "metadata: '", key, "' stands behind '", before,
                  "'; keys should ascend and differ");
    }
    before = key;
  }
  return MDL_OK;
}

mdl_status check_labels(const format::Header& header, const mdl_graph& main, mdl_error* error) {
  const auto* labels = header.labels();
  for (uint32_t l = 0; l < size_of(labels); ++l) {
    const format::Labels& entry = *labels->Get(l);
    if (entry.output() >= main.output_count) {
      return fail(error, MDL_ERROR_BAD_MODEL, "labels ", l, ": are for output ", entry.output(),
                  ", the model has ", main.output_count);
    }
    if (l > 0 && labels->Get(l - 1)->output() >= entry.output()) {
      return fail(error, MDL_ERROR_BAD_MODEL, "labels ", l,
                  ": outputs should ascend and stand once");
    }
    for (uint32_t n = 0; n < size_of(entry.names()); ++n) {
      MDL_TRY(check_text(entry.names()->Get(n), error, "labels ", l, ": name ", n));
    }
  }
  return MDL_OK;
}

bool is_layout(const char* text) {
  for (const char* known : {"", "NHWC", "NCHW", "NLC", "NCL"}) {
    if (std::strcmp(text, known) == 0) return true;
  }
  return false;
}

mdl_status check_preprocessing(const format::Header& header, const mdl_graph& main,
                               mdl_error* error) {
  const auto* list = header.preprocessing();
  for (uint32_t p = 0; p < size_of(list); ++p) {
    const format::Preprocessing& entry = *list->Get(p);
    if (entry.input() >= main.input_count) {
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p, ": is for input ", entry.input(),
                  ", the model has ", main.input_count);
    }
    if (p > 0 && list->Get(p - 1)->input() >= entry.input()) {
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p,
                  ": inputs should ascend and stand once");
    }
    MDL_TRY(check_text(entry.layout(), error, "preprocessing ", p, ": layout"));
    if (!is_layout(text_or_empty(entry.layout()))) {
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p, ": layout is '",
                  text_or_empty(entry.layout()), "', should be NHWC, NCHW, NLC, NCL or empty");
    }
    const uint32_t count = size_of(entry.scale());
    if (size_of(entry.offset()) != count) {
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p, ": has ", count, " scales and ",
                  size_of(entry.offset()), " offsets, should have as many");
    }
    for (uint32_t c = 0; c < count; ++c) {
      if (std::isfinite(entry.scale()->Get(c)) && std::isfinite(entry.offset()->Get(c))) continue;
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p, ": scale or offset ", c,
                  " is not finite");
    }
  }
  return MDL_OK;
}

}  // namespace

mdl_status check_metadata(const format::Header& header, const mdl_graph& main, mdl_error* error) {
  MDL_TRY(check_text(header.name(), error, "the model's name"));
  MDL_TRY(check_text(header.producer(), error, "the model's producer"));
  MDL_TRY(check_pairs(header, error));
  MDL_TRY(check_labels(header, main, error));
  return check_preprocessing(header, main, error);
}

}  // namespace medulla
