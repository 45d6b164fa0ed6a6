// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/ranges.h"

#include <algorithm>
#include <cmath>

namespace medulla::tools {
namespace {

constexpr int kLevels = 255;  // steps between the ends of int8

Range with_zero(double low, double high) { return {std::min(low, 0.0), std::max(high, 0.0)}; }

Range percentile(const Statistics& s) {
  constexpr double kCut = 1e-5;
  const double most = kCut * static_cast<double>(s.count);
  const double width = (s.high - s.low) / static_cast<double>(Statistics::kBins);
  double below = 0;
  size_t first = 0;
  while (first + 1 < Statistics::kBins && below + static_cast<double>(s.bins[first]) <= most) {
    below += static_cast<double>(s.bins[first++]);
  }
  double above = 0;
  size_t last = Statistics::kBins;
  while (last > first + 1 && above + static_cast<double>(s.bins[last - 1]) <= most) {
    above += static_cast<double>(s.bins[--last]);
  }
  return with_zero(s.low + width * static_cast<double>(first),
                   s.low + width * static_cast<double>(last));
}

// The sum of squares of what rounding and clipping change; zeros stay zeros.
double squared_error(const Statistics& s, const Range& range) {
  const double step = range.width() / kLevels;
  if (!(step > 0)) return INFINITY;
  double sum = 0;
  for (size_t b = 0; b < Statistics::kBins; ++b) {
    if (s.bins[b] == 0) continue;
    const double x = s.center(b);
    // Within the range a bin's elements lie anywhere between two levels.
    const double off = x < range.low ? range.low - x : x > range.high ? x - range.high : 0;
    sum += static_cast<double>(s.bins[b]) * (off * off + step * step / 12);
  }
  return sum;
}

// Kullback-Leibler divergence of the rounded values from the values, both in the bins.
double divergence(const Statistics& s, const Range& range) {
  const double step = range.width() / kLevels;
  if (!(step > 0)) return INFINITY;
  std::vector<double> level(kLevels + 1, 0), bins_of(kLevels + 1, 0);
  std::vector<int> at(Statistics::kBins, -1);
  std::vector<double> clipped(Statistics::kBins, 0);  // with what lies beyond at the ends
  int first = -1, last = -1;
  for (size_t b = 0; b < Statistics::kBins; ++b) {
    if (s.center(b) < range.low || s.center(b) > range.high) continue;
    if (first < 0) first = static_cast<int>(b);
    last = static_cast<int>(b);
  }
  if (first < 0) return INFINITY;
  for (int b = 0; b < static_cast<int>(Statistics::kBins); ++b) {
    const auto from = static_cast<size_t>(b), to = static_cast<size_t>(std::clamp(b, first, last));
    const auto count = static_cast<double>(s.bins[from]);
    clipped[to] += count;
    if (from != to || s.bins[from] == 0) continue;
    const double t = std::nearbyint((s.center(from) - range.low) / step);
    at[from] = static_cast<int>(std::clamp(t, 0.0, static_cast<double>(kLevels)));
    level[static_cast<size_t>(at[from])] += count;
    ++bins_of[static_cast<size_t>(at[from])];
  }
  double total = 0, rounded_total = 0;
  for (const double c : clipped) total += c;
  for (const double c : level) rounded_total += c;
  if (!(rounded_total > 0)) return INFINITY;
  double sum = 0;
  for (size_t b = 0; b < Statistics::kBins; ++b) {
    if (clipped[b] == 0) continue;
    const double p = clipped[b] / total;
    const auto l = static_cast<size_t>(std::max(at[b], 0));
    const double q = at[b] < 0 ? 0 : level[l] / bins_of[l] / rounded_total;
    sum += p * std::log(p / std::max(q, 1e-9));
  }
  return sum;
}

// The least of `cost` over ranges within all that was seen, one end after the other.
template <class Cost>
Range search(const Statistics& s, Cost cost) {
  constexpr int kSteps = 100;
  constexpr double kLeast = 0.1;  // of either end
  const Range all = with_zero(s.low, s.high);
  Range best = all;
  double least = cost(s, best);
  const auto improve = [&](double Range::*end) {
    for (int i = 1; i <= kSteps; ++i) {
      Range tried = best;
      tried.*end = all.*end * (1 - (1 - kLeast) * i / kSteps);
      const double found = cost(s, tried);
      if (found < least) {
        least = found;
        best = tried;
      }
    }
  };
  // Both ends together first: what is symmetric stays so.
  const Range start = best;
  for (int i = 1; i <= kSteps; ++i) {
    const double share = 1 - (1 - kLeast) * i / kSteps;
    const Range tried = {start.low * share, start.high * share};
    const double found = cost(s, tried);
    if (found < least) {
      least = found;
      best = tried;
    }
  }
  if (all.high > 0) improve(&Range::high);
  if (all.low < 0) improve(&Range::low);
  return best;
}

}  // namespace

Range choose_range(const Statistics& statistics, RangeMethod method) {
  switch (method) {
    case RangeMethod::percentile:
      return percentile(statistics);
    case RangeMethod::mse:
      return search(statistics, squared_error);
    case RangeMethod::entropy:
      return search(statistics, divergence);
    case RangeMethod::search:  // begins with all
    case RangeMethod::min_max:
      break;
  }
  return with_zero(statistics.low, statistics.high);
}

std::vector<Range> choose_ranges(const std::vector<Statistics>& statistics, RangeMethod method) {
  std::vector<Range> ranges;
  for (const Statistics& s : statistics) {
    ranges.push_back(s.count == 0 ? Range() : choose_range(s, method));
  }
  return ranges;
}

Quantization quantization_of(const Range& range) {
  const auto scale = static_cast<float>(range.width() / kLevels);
  if (!(scale >= 1e-30f)) return {{1.0f}, {0}, 0};
  const double z = std::nearbyint(-128 - range.low / static_cast<double>(scale));
  return {{scale}, {static_cast<int32_t>(std::clamp(z, -128.0, 127.0))}, 0};
}

Range held_by(const Quantization& quantization) {
  const auto scale = static_cast<double>(quantization.scales[0]);
  const int32_t z = quantization.zero_points[0];
  return {scale * (-128 - z), scale * (127 - z)};
}

double clipped_share(const Statistics& statistics, const Range& held) {
  if (statistics.count == 0) return 0;
  uint64_t beyond = 0;
  const double half = (held.high - held.low) / kLevels / 2;
  for (size_t b = 0; b < statistics.bins.size(); ++b) {
    const double x = statistics.center(b);
    if (x < held.low - half || x > held.high + half) beyond += statistics.bins[b];
  }
  return static_cast<double>(beyond) / static_cast<double>(statistics.count);
}

}  // namespace medulla::tools
