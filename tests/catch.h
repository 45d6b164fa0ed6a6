// SPDX-License-Identifier: Apache-2.0
// Whichever Catch2 is installed: 2.13 has one header, 3 has this one for all. In the emulator, what
// the kernels' tests need of it.
#ifndef MEDULLA_TESTS_CATCH_H_
#define MEDULLA_TESTS_CATCH_H_

#if defined(MEDULLA_EMULATED)
#include "tests/emulate/catch.h"
#elif __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#endif  // MEDULLA_TESTS_CATCH_H_
