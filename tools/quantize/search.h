// SPDX-License-Identifier: Apache-2.0
// Ranges that are chosen by what the model's outputs make of them.
#ifndef MEDULLA_TOOLS_QUANTIZE_SEARCH_H_
#define MEDULLA_TOOLS_QUANTIZE_SEARCH_H_

#include <functional>

#include "tools/quantize/integer_model.h"

namespace medulla::tools {

// Takes, of the ranges that mse, percentile and min-max give, those with which `sqnr` of the model
// is best: first one method for all tensors, then tensor by tensor in the order of execution.
void search_ranges(IntegerModel& integers, const std::vector<Statistics>& statistics,
                   const std::set<std::string>& kept,
                   const std::function<double(const Model&)>& sqnr, const Progress& progress);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_SEARCH_H_
