// SPDX-License-Identifier: Apache-2.0
// Samples of a model's inputs, from files.
#ifndef MEDULLA_TOOLS_QUANTIZE_SAMPLES_H_
#define MEDULLA_TOOLS_QUANTIZE_SAMPLES_H_

#include <string>
#include <vector>

#include "tools/quantize/model_run.h"

namespace medulla::tools {

// `paths`: [INPUT=]PATH for each input, where PATH is a .npy with a sample a row, or a folder with
// a sample a file, in the order of their names. Integers go into a float input only through the
// model's preprocessing. Throws std::runtime_error, which names the file, the sample and what would
// be right: for a wrong shape or dtype, no sample, samples that are NaN, infinite or one value
// throughout, and inputs that have none or not as many as the others.
std::vector<Sample> read_samples(const mdl_model* model, const std::vector<std::string>& paths);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_SAMPLES_H_
