// SPDX-License-Identifier: Apache-2.0
// Post-training quantisation as a function: a float32 source model and samples in, a .mdl file
// whose layers are integer nodes out.
#ifndef MEDULLA_TOOLS_QUANTIZE_QUANTIZE_H_
#define MEDULLA_TOOLS_QUANTIZE_QUANTIZE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/import/convert.h"

namespace medulla::tools {

// How the range of an activation is found from what the samples gave.
enum class RangeMethod { search, min_max, percentile, mse, entropy };

// How a file holds the weights of layers that compute in float32.
enum class WeightForm { float32, float16, int8 };

struct QuantizeOptions {
  ConvertOptions convert;
  // [INPUT=]PATH each: a .npy with a sample a row, or a folder with a sample a file.
  std::vector<std::string> calibration;
  std::vector<std::string> evaluation;  // what accuracy is measured on; empty: the calibration's
  std::string labels;                   // [OUTPUT=]FILE.npy of the evaluation's samples; "": none
  RangeMethod method = RangeMethod::search;
  bool equalize = true;
  bool correct_bias = true;
  std::optional<double> budget;           // percentage points of top-1 that may be lost
  std::optional<double> sqnr;             // dB that every output should keep; 10 without a budget
  std::vector<std::string> float_layers;  // names of nodes that stay in float32
  bool weights_alone = false;             // all layers stay in float32; no calibration
  // Of layers that compute in float32. With a bound that is not met so, they stay float32.
  WeightForm weights = WeightForm::float16;
  std::function<void(const std::string& stage, size_t done, size_t of)> progress;
};

struct LayerReport {
  std::string name, op;
  std::string reason;                // "": int8; else why it stays in float32
  double low = 0, high = 0;          // of its output, as the samples gave it
  double cut_low = 0, cut_high = 0;  // as int8 holds it
  double clipped = 0;                // share of the output's elements beyond that
  double sqnr = 0;                   // dB at the model's output when it alone is int8
  bool measured = false;             // the figure above
  size_t weights = 0;                // elements of its constants
  size_t bytes_float = 0, bytes_int8 = 0;
  uint64_t macs = 0;
  double microseconds_float = 0, microseconds_int8 = 0;  // 0: it runs as a part of another step
  std::vector<double> histogram;  // of its output, share of elements a bin, from low to high
};

// Weights of a layer that computes in float32.
struct StoredWeights {
  std::string layer, tensor, op;
  WeightForm form = WeightForm::float32;
  size_t bytes_float = 0, bytes = 0;  // of the elements, the scales and the node that widens them
};

// Of the outputs of the evaluation's samples.
struct Accuracy {
  double sqnr = 0;              // dB, of the worst output; infinite: equal
  std::optional<double> top_1;  // per cent
};

struct QuantizeReport {
  ConvertReport convert;  // its refusals: the model is not taken
  std::string error;      // any other failure; then no file is written
  std::string method;
  size_t equalized = 0;  // activations whose channels were brought together
  size_t samples = 0, evaluated = 0;
  Accuracy float32, int8, result;  // int8: with every layer that can be
  std::vector<LayerReport> layers;
  std::vector<StoredWeights> stored;
  size_t bytes_float = 0, bytes_result = 0;  // of the files
  bool budget_met = true;
};

// Throws nothing; on refusal or failure no file is left behind.
QuantizeReport quantize(const QuantizeOptions& options);

// How the command finds the function in the module.
using QuantizeFunction = void (*)(const QuantizeOptions*, QuantizeReport*);
#define MEDULLA_QUANTIZE_SYMBOL "medulla_quantize"

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_QUANTIZE_H_
