// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_KERNELS_ROW_H_
#define MEDULLA_KERNELS_ROW_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/isa.h"

// A family's kernels.inc holds one row a kernel, MDL_KERNEL(name, isa, fits), best first. CMake
// keeps the rows of the ISAs that are built (<build>/generated/medulla_rows/<family>.inc); the
// family's selector expands them twice, once to declare and once to list. Tests and benchmarks
// iterate the list. `name` is a const object of the family's kernel type, defined in the file of
// its ISA, and the only thing that file exports.
namespace medulla {

constexpr size_t kPackAlign = 64;  // bytes, of packed weights and of scratch

enum class Numerics : uint8_t {
  exact = 0,  // only rows that give the specified bytes
  fast = 1,   // also rows whose error is merely bounded
};

// What every family's problem begins with.
struct KernelRequest {
  IsaSet isa;
  Numerics numerics = Numerics::exact;
  size_t scratch_limit = SIZE_MAX;  // bytes; rows whose calls need more are refused
};

template <class Kernel, class Problem>
struct Row {
  const char* name;
  Isa isa;
  const char* (*fits)(const Problem&);  // null if the row takes the problem, else why not
  const Kernel* kernel;
};

// Why `row` refuses `problem`; null if it takes it. A family whose kernels need scratch overloads
// scratch_bytes(kernel, problem) beside its types.
template <class Kernel, class Problem>
const char* row_refusal(const Row<Kernel, Problem>& row, const Problem& problem) {
  if (!problem.isa.contains(isa_needs(row.isa))) return "not in the ISA set";
  if constexpr (requires { scratch_bytes(*row.kernel, problem); }) {
    if (scratch_bytes(*row.kernel, problem) > problem.scratch_limit) {
      return "needs more scratch than is allowed";
    }
  }
  return row.fits(problem);
}

// The first row that takes `problem`, or, if `forced` is not empty, the row of that name if it
// takes it; else null. `reasons`, unless null, has room for rows.size() texts and gets each row's
// refusal, null for rows that would do.
template <class Kernel, class Problem>
const Row<Kernel, Problem>* select_row(std::span<const Row<Kernel, Problem>> rows,
                                       const Problem& problem, std::string_view forced = {},
                                       const char** reasons = nullptr) {
  const Row<Kernel, Problem>* choice = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    const char* refusal = row_refusal(rows[i], problem);
    if (reasons != nullptr) reasons[i] = refusal;
    const bool wanted = forced.empty() || forced == rows[i].name;
    if (choice == nullptr && wanted && refusal == nullptr) choice = &rows[i];
  }
  return choice;
}

}  // namespace medulla

#endif  // MEDULLA_KERNELS_ROW_H_
