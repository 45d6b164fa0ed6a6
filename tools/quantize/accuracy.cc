// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/accuracy.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>

namespace medulla::tools {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error("labels " + path + ": " + what);
}

size_t product(const std::vector<int64_t>& extents) {
  size_t count = 1;
  for (const int64_t e : extents) count *= static_cast<size_t>(e);
  return count;
}

std::vector<int64_t> whole_numbers(const std::string& path, const Array& array) {
  switch (array.dtype) {
    case MDL_INT8:
    case MDL_UINT8:
    case MDL_INT16:
    case MDL_UINT16:
    case MDL_INT32:
    case MDL_UINT32:
    case MDL_INT64:
    case MDL_BOOL:
      break;
    default:
      fail(path, std::string("are ") + mdl_dtype_name(array.dtype) +
                     ", should be integers, the index of a class each");
  }
  std::vector<int64_t> whole;
  for (const float v : to_floats(array)) whole.push_back(static_cast<int64_t>(v));
  return whole;
}

std::vector<int64_t> without_ones(std::vector<int64_t> extents) {
  std::erase(extents, 1);
  return extents;
}

// [1,classes,places...], [1,places...,classes] or [1,classes]: the dimension of the classes, whose
// removal leaves the places.
std::optional<size_t> class_axis(const std::vector<int64_t>& shape,
                                 const std::vector<int64_t>& places) {
  const auto wanted = without_ones(places);
  if (without_ones(shape) == wanted) return shape.size();  // one value a place
  for (size_t axis = shape.size(); axis-- > 0;) {
    auto rest = shape;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(axis));
    if (without_ones(rest) == wanted) return axis;
  }
  return {};
}

double decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace

TrueLabels::TrueLabels(const std::string& text, const std::vector<std::string>& outputs,
                       const std::vector<std::vector<int64_t>>& shapes, size_t samples) {
  std::string path = text;
  const size_t equals = text.find('=');
  if (equals != std::string::npos && !std::filesystem::exists(text)) {
    path = text.substr(equals + 1);
    const std::string name = text.substr(0, equals);
    const auto found = std::find(outputs.begin(), outputs.end(), name);
    if (found == outputs.end()) {
      std::string known;
      for (const std::string& one : outputs) known += " '" + one + "'";
      fail(path, "no output is called '" + name + "'; there are:" + known);
    }
    output_ = static_cast<size_t>(found - outputs.begin());
  }
  const Array array = read_npy(path);
  labels_ = whole_numbers(path, array);
  const std::string output = "output '" + outputs.at(output_) + "' " + shape_text(shapes[output_]);
  if (array.shape.empty() || array.shape[0] != static_cast<int64_t>(samples)) {
    fail(path, "shape " + shape_text(array.shape) + ", should begin with the " +
                   std::to_string(samples) + " samples that are evaluated");
  }
  const auto& shape = shapes[output_];
  const std::vector<int64_t> places(array.shape.begin() + 1, array.shape.end());
  const auto axis = class_axis(shape, places);
  if (!axis) {
    fail(path, "shape " + shape_text(array.shape) + " does not match " + output +
                   ": a label should stand for each sample, or for each of its places");
  }
  if (*axis < shape.size()) {
    classes_ = static_cast<size_t>(shape[*axis]);
    inner_ = product({shape.begin() + static_cast<ptrdiff_t>(*axis) + 1, shape.end()});
  }
  places_ = product(places);
  const auto most = static_cast<int64_t>(std::max<size_t>(classes_, 2));
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] >= 0 && labels_[i] < most) continue;
    fail(path, "sample " + std::to_string(i / places_) + " has class " +
                   std::to_string(labels_[i]) + ", " + output + " has classes 0 to " +
                   std::to_string(most - 1));
  }
}

size_t TrueLabels::right(size_t sample, const std::vector<float>& values) const {
  size_t count = 0;
  for (size_t place = 0; place < places_; ++place) {
    const size_t first = place / inner_ * inner_ * classes_ + place % inner_;
    int64_t best = classes_ == 1 && values[first] > 0 ? 1 : 0;
    for (size_t c = 1; c < classes_; ++c) {
      const float least = values[first + static_cast<size_t>(best) * inner_];
      if (values[first + c * inner_] > least) best = static_cast<int64_t>(c);
    }
    count += best == labels_[sample * places_ + place] ? 1 : 0;
  }
  return count;
}

Judge::Judge(ModelRun& float32, const std::vector<Sample>& samples, const std::string& labels)
    : samples_(samples) {
  const std::vector<mdl_tensor_info> outputs = outputs_of(float32.model());
  float32.reset();
  for (const Sample& sample : samples) {
    float32.run(sample);
    auto& values = reference_.emplace_back();
    for (size_t o = 0; o < outputs.size(); ++o) values.push_back(float32.output(o));
  }
  if (!labels.empty()) {
    std::vector<std::string> names;
    std::vector<std::vector<int64_t>> shapes;
    for (size_t o = 0; o < outputs.size(); ++o) {
      names.emplace_back(outputs[o].name);
      shapes.push_back(float32.output_shape(o));
    }
    labels_.emplace(labels, names, shapes, samples.size());
  }
  float32_ = judge(float32);
}

Accuracy Judge::judge(ModelRun& run) const {
  const size_t outputs = reference_.empty() ? 0 : reference_[0].size();
  std::vector<double> signal(outputs, 0), noise(outputs, 0);
  size_t right = 0;
  run.reset();
  for (size_t s = 0; s < samples_.size(); ++s) {
    run.run(samples_[s]);
    for (size_t o = 0; o < outputs; ++o) {
      const std::vector<float> found = run.output(o);
      const std::vector<float>& wanted = reference_[s][o];
      for (size_t i = 0; i < wanted.size(); ++i) {
        const double off = static_cast<double>(found[i]) - static_cast<double>(wanted[i]);
        signal[o] += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
        noise[o] += off * off;
      }
      if (labels_ && labels_->output() == o) right += labels_->right(s, found);
    }
  }
  Accuracy accuracy;
  accuracy.sqnr = std::numeric_limits<double>::infinity();
  for (size_t o = 0; o < outputs; ++o) {
    accuracy.sqnr = std::min(accuracy.sqnr, decibels(signal[o], noise[o]));
  }
  if (labels_) {
    accuracy.top_1 =
        100 * static_cast<double>(right) / static_cast<double>(samples_.size() * labels_->places());
  }
  return accuracy;
}

}  // namespace medulla::tools
