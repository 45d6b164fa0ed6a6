// SPDX-License-Identifier: Apache-2.0
// Where a model turns its tensors, as `medulla inspect` counts it.
#ifndef MEDULLA_TOOLS_COMMAND_TRANSPOSES_H_
#define MEDULLA_TOOLS_COMMAND_TRANSPOSES_H_

#include "tools/command/bodies.h"

namespace medulla::tools {

// Transpose nodes that change the order of elements; one that only moves extents of 1 is none.
struct Transposes {
  size_t inputs = 0;   // of an input, for a model that is fed in another layout than it works in
  size_t outputs = 0;  // the same of an output
  // A channel shuffle that the network itself asks for: groups and their channels change places,
  // between the Reshape that splits the last dimension and the one that joins it again.
  size_t shuffles = 0;
  // The pixels of a transposed convolution, made by one convolution for each phase of its stride,
  // that take their places between each other.
  size_t interleaved = 0;
  size_t inside = 0;  // all others; of what a body takes and makes, too
};

Transposes count_transposes(const std::vector<PlacedGraph>& graphs);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_TRANSPOSES_H_
