// SPDX-License-Identifier: Apache-2.0
// What --max and --fix-dim say of open dimensions, for every importer.
#ifndef MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_
#define MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_

#include "tools/import/convert.h"

namespace medulla::tools {

// Refuses maxima below `least`, and what is given for a dimension that is not `known`, or both
// ways.
// --max may also name one of the loops.
void check_dimensions(const ConvertOptions& options, int64_t least,
                      const std::set<std::string>& known, const std::set<std::string>& loops,
                      ConvertReport& report);

// How to make these dimensions static: "make it static with --fix-dim T=N".
std::string fix_dim_text(const std::vector<std::string>& symbols);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_DIMENSIONS_H_
