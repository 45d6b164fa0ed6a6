// SPDX-License-Identifier: Apache-2.0
// How far two tensors that should be equal are apart.
#ifndef MEDULLA_TOOLS_COMMAND_DIFFERENCE_H_
#define MEDULLA_TOOLS_COMMAND_DIFFERENCE_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "medulla/medulla.h"
#include "tools/common/array.h"

namespace medulla::tools {

inline bool is_whole(mdl_dtype dtype) {
  return dtype != MDL_FLOAT16 && dtype != MDL_BFLOAT16 && dtype != MDL_FLOAT32 &&
         dtype != MDL_FLOAT64;
}

// A tensor as real numbers.
struct Numbers {
  mdl_dtype dtype = MDL_DTYPE_NONE;
  std::vector<int64_t> shape;
  std::vector<double> values;  // dequantised
  double scale = 0;            // of one unit; 0: the tensor is not quantised
};
Numbers numbers_of(const mdl_tensor_info& info, const void* data);
Numbers numbers_of(const Array& array, const mdl_quantization& quantization);

// The same elements in another order: image tensors are channels-last in one model and
// channels-first in another.
std::vector<double> permuted(const Numbers& numbers, const std::vector<int64_t>& perm);
// The permutations from the one shape to the other that only change between the two layouts.
std::vector<std::vector<int64_t>> layouts_between(const std::vector<int64_t>& from,
                                                  const std::vector<int64_t>& to);

struct Bounds {
  double units = 1;        // of quantised tensors
  double relative = 1e-4;  // of others, to the greatest magnitude of the reference
};

struct Difference {
  std::string tensor, node, op;
  std::string reference;  // what the tensor is called there
  mdl_dtype dtype = MDL_DTYPE_NONE;
  std::vector<int64_t> shape;
  double greatest = 0;  // infinite where one of the two is not finite
  double mean = 0;
  double range = 0;             // the greatest magnitude of the reference
  double sqnr = 0;              // dB; infinite when all is equal
  std::optional<double> units;  // the greatest in units, of quantised tensors
  bool over = false;
  bool handed_on = false;      // beyond its bound, as its layer's inputs explain
  bool against_float = false;  // what was found is quantised, the reference is not
  // Elements by distance: below each limit and not below the one before it.
  std::vector<std::pair<std::string, size_t>> histogram;
};

// `found` in whichever layout comes closest; nothing when the shapes do not fit.
std::optional<Difference> difference(const Numbers& found, const Numbers& reference,
                                     const Bounds& bounds);

nlohmann::json to_json(const Difference& difference);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_DIFFERENCE_H_
