// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/precision.h"

#include <cstddef>

namespace medulla::tools {

std::set<std::string> fewest_kept(
    const std::vector<std::string>& ranked,
    const std::function<bool(const std::set<std::string>& kept)>& enough) {
  const auto first = [&](size_t count) {
    return std::set<std::string>(ranked.begin(),
                                 ranked.begin() + static_cast<std::ptrdiff_t>(count));
  };
  if (enough({})) return {};
  size_t too_few = 0, count = ranked.size();
  while (count - too_few > 1) {
    const size_t middle = too_few + (count - too_few) / 2;
    (enough(first(middle)) ? count : too_few) = middle;
  }
  std::set<std::string> kept = first(count);
  // The last is needed, or one fewer would have been enough.
  for (size_t i = count > 0 ? count - 1 : 0; i-- > 0;) {
    std::set<std::string> fewer = kept;
    fewer.erase(ranked[i]);
    if (enough(fewer)) kept = std::move(fewer);
  }
  return kept;
}

}  // namespace medulla::tools
