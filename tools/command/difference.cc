// SPDX-License-Identifier: Apache-2.0
#include "tools/command/difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/ops/number.h"

namespace medulla::tools {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(a - b);
  return std::isnan(d) ? kInfinity : d;
}

std::string limit_text(double limit) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", limit);
  return text;
}

// Of quantised tensors by units; of others by powers of ten of the range.
std::vector<std::pair<std::string, size_t>> histogram_of(const std::vector<double>& distances,
                                                         const Difference& d, double scale) {
  std::vector<std::pair<std::string, double>> limits;
  if (scale > 0) {
    for (const double units : {0, 1, 2, 3, 4, 8, 16, 32, 64, 128}) {
      limits.push_back({"<= " + limit_text(units), (units + 0.5) * scale});
    }
  } else {
    limits.push_back({"equal", 0});
    for (int power = -7; power <= 0; ++power) {
      const double share = std::pow(10.0, power);
      limits.push_back({"<= " + limit_text(share), share * d.range});
    }
  }
  limits.push_back({"more", kInfinity});
  std::vector<std::pair<std::string, size_t>> histogram;
  for (const auto& [text, limit] : limits) histogram.push_back({text, 0});
  for (const double x : distances) {
    size_t at = 0;
    while (x > limits[at].second) ++at;
    ++histogram[at].second;
  }
  while (histogram.size() > 1 && histogram.back().second == 0) histogram.pop_back();
  return histogram;
}

Difference measure(const std::vector<double>& found, const Numbers& reference, double scale,
                   const Bounds& bounds) {
  Difference d;
  std::vector<double> distances;
  double sum = 0, noise = 0, signal = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double r = reference.values[i], x = distance(found[i], r);
    distances.push_back(x);
    d.greatest = std::max(d.greatest, x);
    sum += x;
    noise += x * x;
    if (!std::isfinite(r)) continue;
    d.range = std::max(d.range, std::abs(r));
    signal += r * r;
  }
  d.mean = found.empty() ? 0 : sum / static_cast<double>(found.size());
  d.sqnr = noise == 0 ? kInfinity : 10 * std::log10(signal / noise);
  d.histogram = histogram_of(distances, d, scale);
  if (scale > 0) {
    // The distance of two multiples of the scale, each rounded when it was multiplied.
    d.units = std::isfinite(d.greatest) ? std::round(d.greatest / scale * 1024) / 1024 : kInfinity;
    d.over = *d.units > bounds.units;
  } else {
    d.over = d.greatest > (is_whole(reference.dtype) ? 0 : bounds.relative * d.range);
  }
  return d;
}

}  // namespace

Numbers numbers_of(const Array& array, const mdl_quantization& quantization) {
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  info.dtype = array.dtype;
  info.quantization = quantization;
  info.rank = static_cast<uint32_t>(std::min<size_t>(array.shape.size(), MDL_MAX_RANK));
  std::copy_n(array.shape.begin(), info.rank, info.dims);
  return numbers_of(info, array.data.data());
}

Numbers numbers_of(const mdl_tensor_info& info, const void* data) {
  Numbers numbers;
  numbers.dtype = info.dtype;
  numbers.shape.assign(info.dims, info.dims + info.rank);
  size_t count = 1, inner = 1;
  for (uint32_t d = 0; d < info.rank; ++d) {
    count *= static_cast<size_t>(info.dims[d]);
    if (static_cast<int32_t>(d) > info.quantization.axis)
      inner *= static_cast<size_t>(info.dims[d]);
  }
  const mdl_quantization& q = info.quantization;
  if (q.count > 0)
    numbers.scale = static_cast<double>(*std::max_element(q.scales, q.scales + q.count));
  numbers.values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    double value = 0;
    load_number(info.dtype, data, static_cast<int64_t>(i),
                [&](auto n) { value = static_cast<double>(n); });
    if (q.count > 0) {
      const size_t channel = q.count > 1 ? i / inner % q.count : 0;
      value = (value - q.zero_points[channel]) * static_cast<double>(q.scales[channel]);
    }
    numbers.values.push_back(value);
  }
  return numbers;
}

std::vector<double> permuted(const Numbers& numbers, const std::vector<int64_t>& perm) {
  const size_t rank = perm.size();
  std::vector<size_t> strides(rank, 1), steps(rank), index(rank, 0);
  for (size_t d = rank; d-- > 1;) {
    strides[d - 1] = strides[d] * static_cast<size_t>(numbers.shape[d]);
  }
  for (size_t d = 0; d < rank; ++d) steps[d] = strides[static_cast<size_t>(perm[d])];
  std::vector<double> values;
  values.reserve(numbers.values.size());
  for (size_t at = 0; values.size() < numbers.values.size();) {
    values.push_back(numbers.values[at]);
    for (size_t d = rank; d-- > 0;) {
      at += steps[d];
      if (++index[d] < static_cast<size_t>(numbers.shape[static_cast<size_t>(perm[d])])) break;
      at -= steps[d] * index[d];
      index[d] = 0;
    }
  }
  return values;
}

std::vector<std::vector<int64_t>> layouts_between(const std::vector<int64_t>& from,
                                                  const std::vector<int64_t>& to) {
  std::vector<std::vector<int64_t>> perms;
  if (from.size() != to.size()) return perms;
  std::vector<int64_t> same(from.size());
  std::iota(same.begin(), same.end(), 0);
  std::vector<std::vector<int64_t>> candidates = {same};
  if (from.size() > 2) {
    std::vector<int64_t> last = same, first = same;
    std::rotate(last.begin() + 1, last.begin() + 2, last.end());
    std::rotate(first.begin() + 1, first.end() - 1, first.end());
    candidates.push_back(last);
    if (first != last) candidates.push_back(first);
  }
  for (const auto& perm : candidates) {
    bool fits = true;
    for (size_t d = 0; d < perm.size(); ++d) fits &= from[static_cast<size_t>(perm[d])] == to[d];
    if (fits) perms.push_back(perm);
  }
  return perms;
}

std::optional<Difference> difference(const Numbers& found, const Numbers& reference,
                                     const Bounds& bounds) {
  const double scale = found.scale > 0 ? found.scale : reference.scale;
  std::optional<Difference> best;
  const auto take = [&](const std::vector<double>& values) {
    Difference d = measure(values, reference, scale, bounds);
    if (!best || d.mean < best->mean) best = std::move(d);
  };
  for (const auto& perm : layouts_between(found.shape, reference.shape)) {
    take(permuted(found, perm));
    if (!best->over) break;
  }
  // A reshape was taken out, or one puts extents of 1 elsewhere.
  // Beyond its bound then, it may be in an order of its own.
  if (!best && found.values.size() == reference.values.size()) {
    take(found.values);
    if (best->over) best.reset();
  }
  if (!best) return best;
  best->dtype = found.dtype;
  best->against_float = found.scale > 0 && reference.scale == 0;
  best->shape = found.shape;
  return best;
}

nlohmann::json to_json(const Difference& d) {
  nlohmann::json json = {{"tensor", d.tensor}, {"node", d.node},
                         {"op", d.op},         {"dtype", mdl_dtype_name(d.dtype)},
                         {"shape", d.shape},   {"max", d.greatest},
                         {"mean", d.mean},     {"range", d.range},
                         {"over", d.over},     {"handed_on", d.handed_on}};
  json["sqnr_db"] = std::isfinite(d.sqnr) ? nlohmann::json(d.sqnr) : nlohmann::json();
  if (d.units) json["units"] = *d.units;
  if (!d.reference.empty()) json["reference"] = d.reference;
  return json;
}

}  // namespace medulla::tools
