// SPDX-License-Identifier: Apache-2.0
// What the rest of the runtime sees of a verified model, beside the public API.
#ifndef MEDULLA_SRC_MODEL_MODEL_H_
#define MEDULLA_SRC_MODEL_MODEL_H_

#include "medulla/backend.h"

namespace medulla {

// The main graph; it and all it points at live as long as the model.
const mdl_graph& model_graph(const mdl_model& model);

}  // namespace medulla

#endif  // MEDULLA_SRC_MODEL_MODEL_H_
