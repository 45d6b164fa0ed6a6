// SPDX-License-Identifier: Apache-2.0
// Where tests find what was built. In main.cc, so that no other object depends on where the tree
// is.
#ifndef MEDULLA_TESTS_PATHS_H_
#define MEDULLA_TESTS_PATHS_H_

namespace medulla::test {

extern const char kSourceDir[];
extern const char kBinaryDir[];
extern const char kCommand[];  // the command medulla as a shell runs it, under an emulator or not

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_PATHS_H_
