// SPDX-License-Identifier: Apache-2.0
// Which backends there are, and which a program is to use.
#ifndef MEDULLA_SRC_GRAPH_BACKENDS_H_
#define MEDULLA_SRC_GRAPH_BACKENDS_H_

#include <span>

#include "src/graph/program.h"

namespace medulla {

// All that are built in, the CPU's first, the reference last.
std::span<const mdl_backend* const> built_in_backends();

// Opens, in order of preference, the backends that the options ask for, into program->backends.
// What is open when it fails is in the list too, for close_backends.
mdl_status open_backends(const mdl_program_options& options, Arena& arena, Program* program,
                         mdl_error* error);
void close_backends(Program& program);

// What a backend's function gave, with its reason: a status that is none of mdl_status becomes
// BACKEND, and the text ends in any case.
mdl_status checked_status(mdl_status status, mdl_error* reason);

}  // namespace medulla

#endif  // MEDULLA_SRC_GRAPH_BACKENDS_H_
