// SPDX-License-Identifier: Apache-2.0
// From what a tensor is like to the range that its int8 form holds.
#ifndef MEDULLA_TOOLS_QUANTIZE_RANGES_H_
#define MEDULLA_TOOLS_QUANTIZE_RANGES_H_

#include "tools/quantize/quantize.h"
#include "tools/quantize/statistics.h"

namespace medulla::tools {

struct Range {
  double low = 0, high = 0;

  double width() const { return high - low; }
  bool operator==(const Range&) const = default;
};

// The range holds 0. min_max: all that was seen. percentile: all but one element in 100,000 at
// either end. mse: what makes the squared error of rounding and clipping least. entropy: what makes
// the distribution of the rounded values least unlike (Kullback-Leibler) that of the values. What
// was never seen gets none.
Range choose_range(const Statistics& statistics, RangeMethod method);
// The same for all tensors of a graph.
std::vector<Range> choose_ranges(const std::vector<Statistics>& statistics, RangeMethod method);

// One scale and zero point for the whole tensor; a range of no width gives scale 1.
Quantization quantization_of(const Range& range);

// The ends of what a quantization holds, and the share of elements beyond them.
Range held_by(const Quantization& quantization);
double clipped_share(const Statistics& statistics, const Range& held);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_RANGES_H_
