// SPDX-License-Identifier: Apache-2.0
// The rules of preprocessing, for the loader and for who writes files.
#ifndef MEDULLA_SRC_MODEL_PREPROCESSING_H_
#define MEDULLA_SRC_MODEL_PREPROCESSING_H_

#include <span>

#include "src/base/text.h"

namespace medulla {

// Whether raw data in this layout, scaled by these numbers, can become an input of this shape.
// BAD_MODEL when not; the text begins in the middle of a sentence.
mdl_status check_preprocessing(const char* layout, std::span<const float> scale,
                               std::span<const float> offset, const mdl_shape& input,
                               mdl_error* error);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_PREPROCESSING_H_
