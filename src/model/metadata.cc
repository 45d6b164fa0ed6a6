// SPDX-License-Identifier: Apache-2.0
// What a file says for people and for the code that feeds it.
#include <cstring>

#include "src/model/loader.h"
#include "src/model/preprocessing.h"
#include "src/ops/op.h"

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
    if (is_header_key(key)) {
      return fail(error, MDL_ERROR_BAD_MODEL, "metadata: '", key,
                  "' is a field of the header, should be no key");
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

std::span<const float> floats_of(const flatbuffers::Vector<float>* values) {
  if (values == nullptr) return {};
  return {values->data(), values->size()};
}

mdl_status check_preprocessings(const format::Header& header, const mdl_graph& main,
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
    const mdl_tensor& input = main.tensors[main.inputs[entry.input()]];
    mdl_error reason = MDL_ERROR_INIT;
    if (check_preprocessing(text_or_empty(entry.layout()), floats_of(entry.scale()),
                            floats_of(entry.offset()), max_shape(input), &reason) != MDL_OK) {
      return fail(error, MDL_ERROR_BAD_MODEL, "preprocessing ", p, ": ",
                  static_cast<const char*>(reason.text));
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
  return check_preprocessings(header, main, error);
}

}  // namespace medulla
