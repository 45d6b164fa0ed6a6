// SPDX-License-Identifier: Apache-2.0
// From a float32 model and what its tensors are like to a model of integer nodes.
#ifndef MEDULLA_TOOLS_QUANTIZE_INTEGER_MODEL_H_
#define MEDULLA_TOOLS_QUANTIZE_INTEGER_MODEL_H_

#include <map>
#include <set>
#include <string>

#include "tools/quantize/insert.h"
#include "tools/quantize/ranges.h"

namespace medulla::tools {

class IntegerModel {
 public:
  // Both have to outlive the object.
  IntegerModel(const Model& model, const std::vector<Statistics>& statistics, bool correct_bias)
      : model_(model), statistics_(statistics), correct_bias_(correct_bias) {}

  // By tensors of the main graph; needed before make().
  void set_ranges(std::vector<Range> ranges) { ranges_ = std::move(ranges); }

  // With the nodes of these names in float32, beside those that have no integer form.
  Model make(const std::set<std::string>& exempt);

  // Layers that cannot be integer nodes, with the reason; grows with what make() finds.
  const std::map<std::string, std::string>& formless() const { return formless_; }
  // Of the last make(): what a tensor was rounded to, if it was.
  const std::optional<Quantization>& quantization(int32_t tensor) const {
    return numbers_.tensors[static_cast<size_t>(tensor)];
  }

 private:
  // What a layer's constants were when its input had this quantization.
  struct Made {
    Quantization x;
    LayerConstants constants;
  };

  IntegerNumbers numbers_for(const Plan& plan);
  bool layers_fit();
  bool all_formed(const Plan& plan, const Graph& formed);

  const Model& model_;
  const std::vector<Statistics>& statistics_;
  const bool correct_bias_;
  std::vector<Range> ranges_;
  IntegerNumbers numbers_;
  std::map<size_t, Made> made_;  // by node
  std::map<std::string, std::string> formless_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_INTEGER_MODEL_H_
