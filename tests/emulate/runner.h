// SPDX-License-Identifier: Apache-2.0
// What the runner's files share.
#ifndef MEDULLA_TESTS_EMULATE_RUNNER_H_
#define MEDULLA_TESTS_EMULATE_RUNNER_H_

#include <stdint.h>

// Ends the emulation after a last line, "@@trap" and what follows; `status` as a shell reports it.
void leave_trapped(const char* what, uint64_t at, int status) __attribute__((noreturn));

// Bochs 3.0 multiplies the bytes of AMX's signed products as if they were unsigned. Returns whether
// this CPU has AMX and does so; then each such instruction of the program is to be replaced by a
// trap, and the trap's handler gives the sums.
int signed_dots_are_wrong(void);
void replace_signed_dots(uint8_t* begin, uint8_t* end);
void handle_signed_dot(uint64_t* frame);

#endif  // MEDULLA_TESTS_EMULATE_RUNNER_H_
