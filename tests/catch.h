// SPDX-License-Identifier: Apache-2.0
// Whichever Catch2 is installed: 2.13 has one header, 3 has this one for all.
#ifndef MEDULLA_TESTS_CATCH_H_
#define MEDULLA_TESTS_CATCH_H_

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#endif  // MEDULLA_TESTS_CATCH_H_
