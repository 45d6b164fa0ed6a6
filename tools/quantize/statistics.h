// SPDX-License-Identifier: Apache-2.0
// What the tensors of a float32 model are like over the samples.
#ifndef MEDULLA_TOOLS_QUANTIZE_STATISTICS_H_
#define MEDULLA_TOOLS_QUANTIZE_STATISTICS_H_

#include <functional>
#include <vector>

#include "tools/quantize/model_run.h"

namespace medulla::tools {

// Of one tensor. Channels are its last dimension.
struct Statistics {
  static constexpr size_t kBins = 2048;

  double low = 0, high = 0;
  uint64_t count = 0;
  uint64_t zeros = 0;          // elements that are 0 exactly, in no bin
  std::vector<uint64_t> bins;  // of equal width, from low to high
  std::vector<double> channel_mean;
  std::vector<float> channel_greatest;  // magnitude

  double center(size_t bin) const {
    return low + (high - low) * (static_cast<double>(bin) + 0.5) / static_cast<double>(kBins);
  }
};

using Progress = std::function<void(size_t done, size_t of)>;

// By tensors of the main graph; count is 0 for those that are no float32 of a node or an input.
// Runs the model over the samples twice: for the ends, then for what is between. Throws
// std::runtime_error for a tensor that is not finite.
std::vector<Statistics> observe(const Model& model, const std::vector<Sample>& samples,
                                const Progress& progress);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_STATISTICS_H_
