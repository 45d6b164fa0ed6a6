// SPDX-License-Identifier: Apache-2.0
// How good a model's outputs are: against those of the float32 model, and against labels.
#ifndef MEDULLA_TOOLS_QUANTIZE_ACCURACY_H_
#define MEDULLA_TOOLS_QUANTIZE_ACCURACY_H_

#include "tools/quantize/model_run.h"
#include "tools/quantize/quantize.h"

namespace medulla::tools {

// Integers, one class for each sample and each place of an output: [samples], or [samples, places].
class TrueLabels {
 public:
  // `text`: [OUTPUT=]FILE.npy. `shapes` are the outputs'. Throws std::runtime_error, which names
  // what does not match: another dtype, another number of samples, places that are no output's, a
  // class that the output does not have.
  TrueLabels(const std::string& text, const std::vector<std::string>& outputs,
             const std::vector<std::vector<int64_t>>& shapes, size_t samples);

  size_t output() const { return output_; }
  // How many places of a sample the output's greatest value is the label's. An output of one value
  // a place is of class 1 where it is above 0.
  size_t right(size_t sample, const std::vector<float>& values) const;
  size_t places() const { return places_; }

 private:
  size_t output_ = 0;
  size_t classes_ = 1;  // values a place
  size_t inner_ = 1;    // places between two classes
  size_t places_ = 1;
  std::vector<int64_t> labels_;
};

// The outputs of the float32 model, and what others are worth beside them.
class Judge {
 public:
  Judge(ModelRun& float32, const std::vector<Sample>& samples, const std::string& labels);

  const Accuracy& float32() const { return float32_; }
  Accuracy judge(ModelRun& run) const;

 private:
  const std::vector<Sample>& samples_;
  std::vector<std::vector<std::vector<float>>> reference_;  // by sample and output
  std::optional<TrueLabels> labels_;
  Accuracy float32_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_ACCURACY_H_
