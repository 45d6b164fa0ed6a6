// SPDX-License-Identifier: Apache-2.0
// Mixed precision: the fewest layers that stay in float32.
#ifndef MEDULLA_TOOLS_QUANTIZE_PRECISION_H_
#define MEDULLA_TOOLS_QUANTIZE_PRECISION_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace medulla::tools {

// `ranked`: layers, the one that costs most first. `enough` says whether a model with these in
// float32 meets its bound. Finds how many of the first are needed, by bisection, and then takes
// each back that is not, the least costly first. All of them when nothing else is enough.
std::set<std::string> fewest_kept(
    const std::vector<std::string>& ranked,
    const std::function<bool(const std::set<std::string>& kept)>& enough);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_PRECISION_H_
