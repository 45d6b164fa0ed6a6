// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/search.h"

#include <algorithm>
#include <cmath>

namespace medulla::tools {
namespace {

constexpr RangeMethod kTried[] = {RangeMethod::mse, RangeMethod::percentile, RangeMethod::min_max};
constexpr double kTelling = 0.01;  // dB: less is chance

// Ends within one step of int8 of each other: the model hardly changes.
bool nearly_equal(const Range& a, const Range& b) {
  const double step = std::max(a.width(), b.width()) / 255;
  return std::abs(a.low - b.low) <= step && std::abs(a.high - b.high) <= step;
}

}  // namespace

void search_ranges(IntegerModel& integers, const std::vector<Statistics>& statistics,
                   const std::set<std::string>& kept,
                   const std::function<double(const Model&)>& sqnr, const Progress& progress) {
  std::vector<std::vector<Range>> by_method;
  double best = 0;
  size_t start = 0;
  for (const RangeMethod method : kTried) {
    by_method.push_back(choose_ranges(statistics, method));
    integers.set_ranges(by_method.back());
    const double found = sqnr(integers.make(kept));
    if (by_method.size() == 1 || found > best + kTelling) {
      best = found;
      start = by_method.size() - 1;
    }
  }
  std::vector<Range> ranges = by_method[start];
  integers.set_ranges(ranges);
  integers.make(kept);
  std::vector<size_t> rounded;
  for (size_t t = 0; t < ranges.size(); ++t) {
    if (integers.quantization(static_cast<int32_t>(t))) rounded.push_back(t);
  }
  for (size_t i = 0; i < rounded.size(); ++i) {
    progress(i + 1, rounded.size());
    const size_t t = rounded[i];
    for (const auto& others : by_method) {
      const Range before = ranges[t];
      if (nearly_equal(others[t], before)) continue;
      ranges[t] = others[t];
      integers.set_ranges(ranges);
      const double found = sqnr(integers.make(kept));
      if (found > best + kTelling) {
        best = found;
      } else {
        ranges[t] = before;
      }
    }
  }
  integers.set_ranges(std::move(ranges));
}

}  // namespace medulla::tools
