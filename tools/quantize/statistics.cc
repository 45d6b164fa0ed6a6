// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace medulla::tools {
namespace {

void add_ends(const std::vector<float>& values, Statistics& of) {
  const size_t channels = of.channel_mean.size();
  if (of.count == 0) of.low = of.high = static_cast<double>(values[0]);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    of.low = std::min(of.low, value);
    of.high = std::max(of.high, value);
    of.channel_mean[i % channels] += value;  // a sum, until all are in
    float& greatest = of.channel_greatest[i % channels];
    greatest = std::max(greatest, std::abs(values[i]));
  }
  of.count += values.size();
}

void add_bins(const std::vector<float>& values, Statistics& of) {
  const double width = (of.high - of.low) / static_cast<double>(Statistics::kBins);
  for (const float v : values) {
    if (v == 0) {
      ++of.zeros;
    } else {
      const double at = width > 0 ? (static_cast<double>(v) - of.low) / width : 0;
      ++of.bins[std::min(static_cast<size_t>(at), Statistics::kBins - 1)];
    }
  }
}

bool is_observed(const Tensor& tensor) { return tensor.dtype == MDL_FLOAT32 && !tensor.data; }

class Observer {
 public:
  explicit Observer(const Model& model)
      : graph_(model.main()), run_(model, ModelRun::Keep::all), all_(graph_.tensors.size()) {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) observe(graph_.inputs[i]);
    for (const Node& node : graph_.nodes) {
      for (const int32_t t : node.outputs) observe(t);
    }
  }

  void run(const std::vector<Sample>& samples, const std::function<void(size_t)>& done,
           void (*add)(const std::vector<float>&, Statistics&)) {
    run_.reset();
    for (size_t s = 0; s < samples.size(); ++s) {
      run_.run(samples[s]);
      for (const int32_t t : observed_) {
        const std::vector<float> values = run_.tensor(t);
        if (!values.empty()) add(values, all_[static_cast<size_t>(t)]);
      }
      done(s);
    }
  }

  void check_finite() const {
    for (const int32_t t : observed_) {
      const Statistics& of = all_[static_cast<size_t>(t)];
      const auto& sums = of.channel_mean;
      const bool finite =
          std::none_of(sums.begin(), sums.end(), [](double v) { return std::isnan(v); });
      if (finite && std::isfinite(of.low) && std::isfinite(of.high)) continue;
      throw std::runtime_error("tensor '" + graph_.tensors[static_cast<size_t>(t)].name +
                               "' of the float32 model is not finite on these samples");
    }
  }

  void end_ends() {
    for (const int32_t t : observed_) {
      Statistics& of = all_[static_cast<size_t>(t)];
      const auto rows = static_cast<double>(of.count) / static_cast<double>(of.channel_mean.size());
      for (double& mean : of.channel_mean) mean /= std::max(rows, 1.0);
      of.bins.assign(Statistics::kBins, 0);
    }
  }

  std::vector<Statistics> take() { return std::move(all_); }

 private:
  void observe(int32_t t) {
    if (t < 0 || !is_observed(graph_.tensors[static_cast<size_t>(t)])) return;
    const auto& dims = graph_.tensors[static_cast<size_t>(t)].dims;
    const auto& symbols = graph_.tensors[static_cast<size_t>(t)].symbols;
    const bool fixed = !dims.empty() && (symbols.empty() || symbols.back().empty());
    const auto channels = fixed ? static_cast<size_t>(dims.back()) : size_t{1};
    Statistics& of = all_[static_cast<size_t>(t)];
    of.channel_mean.assign(std::max<size_t>(channels, 1), 0);
    of.channel_greatest.assign(of.channel_mean.size(), 0);
    observed_.push_back(t);
  }

  const Graph& graph_;
  ModelRun run_;
  std::vector<Statistics> all_;
  std::vector<int32_t> observed_;
};

}  // namespace

std::vector<Statistics> observe(const Model& model, const std::vector<Sample>& samples,
                                const Progress& progress) {
  Observer observer(model);
  const size_t count = samples.size();
  observer.run(
      samples, [&](size_t s) { progress(s + 1, 2 * count); }, add_ends);
  observer.check_finite();
  observer.end_ends();
  observer.run(
      samples, [&](size_t s) { progress(count + s + 1, 2 * count); }, add_bins);
  return observer.take();
}

}  // namespace medulla::tools
