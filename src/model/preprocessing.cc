// SPDX-License-Identifier: Apache-2.0
#include "src/model/preprocessing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace medulla {
namespace {

bool is_layout(const char* text) {
  for (const char* known : {"", "NHWC", "NCHW", "NLC", "NCL"}) {
    if (std::strcmp(text, known) == 0) return true;
  }
  return false;
}

}  // namespace

mdl_status check_preprocessing(const char* layout, std::span<const float> scale,
                               std::span<const float> offset, const mdl_shape& input,
                               mdl_error* error) {
  if (!is_layout(layout)) {
    return fail(error, MDL_ERROR_BAD_MODEL, "layout is '", layout,
                "', should be NHWC, NCHW, NLC, NCL or empty");
  }
  const size_t letters = std::strlen(layout);
  if (letters > 0 && letters != input.rank) {
    return fail(error, MDL_ERROR_BAD_MODEL, "layout is ", layout, ", the input ", input,
                " should have ", letters, " dimensions for it");
  }
  if (scale.size() != offset.size()) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has ", scale.size(), " scales and ", offset.size(),
                " offsets, should have as many");
  }
  const char* channel = std::strchr(layout, 'C');
  const int64_t channels = channel != nullptr ? input.dims[channel - layout] : 1;
  if (scale.size() > 1 && static_cast<int64_t>(scale.size()) != channels) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has ", scale.size(), " scales, the input ", input,
                channel != nullptr ? " has " : " without a layout counts as ", channels,
                " channels; should have 1 for all or 1 for each");
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  for (size_t c = 0; c < scale.size(); ++c) {
    if (finite(scale[c]) && finite(offset[c])) continue;
    return fail(error, MDL_ERROR_BAD_MODEL, "scale or offset ", c, " is not finite");
  }
  return MDL_OK;
}

}  // namespace medulla
