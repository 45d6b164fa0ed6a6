// SPDX-License-Identifier: Apache-2.0
// The graph's outputs as the source declares them, for every importer.
#ifndef MEDULLA_TOOLS_IMPORT_BOUNDARY_H_
#define MEDULLA_TOOLS_IMPORT_BOUNDARY_H_

#include "tools/passes/builder.h"

namespace medulla::tools {

// int8 that stands for the source's uint8 as uint8 again, through the real numbers, which is exact;
// any other tensor as it is.
int32_t uint8_of_shifted(Builder& build, int32_t tensor);

// Integers that stand for real numbers as bare ones; any other tensor as it is.
int32_t plain_integers(Builder& build, int32_t tensor);

// Makes `tensor` an output called `name`. A constant, or what is an input or an output already, is
// copied by a node that stays.
void add_output(Builder& build, int32_t tensor, const std::string& name);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_BOUNDARY_H_
