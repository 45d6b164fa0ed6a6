// SPDX-License-Identifier: Apache-2.0
// What --max and --fix-dim say of open dimensions, for every importer.
#ifndef MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_
#define MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_

#include "tools/import/convert.h"
#include "tools/passes/builder.h"

namespace medulla::tools {

// Refuses maxima below `least`, and what is given for a dimension that is not `known`, or both
// ways.
// --max may also name one of the loops.
void check_dimensions(const ConvertOptions& options, int64_t least,
                      const std::set<std::string>& known, const std::set<std::string>& loops,
                      ConvertReport& report);

// How to make these dimensions static: "make it static with --fix-dim T=N".
std::string fix_dim_text(const std::vector<std::string>& symbols);

// The symbol of each dimension, "" of a static one.
std::vector<std::string> symbols_of(const Tensor& tensor);
// The first of the symbols from one on up to another, "" where all are static.
std::string first_open(const std::vector<std::string>& symbols, size_t from, size_t to);
// Refuses when the dimension of the tensor can vary.
void require_static(const Builder& build, int32_t tensor, size_t dimension, const char* why);
// `tensor` under a shape of which an extent can vary where it has a symbol.
int32_t reshape_open(Builder& build, int32_t tensor, Dims shape,
                     const std::vector<std::string>& symbols);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_
