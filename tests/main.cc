// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include <cstdio>

#include "tests/catch.h"
#include "tests/paths.h"
#include "tests/shared.h"

namespace medulla::test {

const char kSourceDir[] = MEDULLA_SOURCE_DIR;
const char kBinaryDir[] = MEDULLA_BINARY_DIR;
const char kCommand[] = MEDULLA_COMMAND;

namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE of tests/CMakeLists.txt
size_t cases = 0;
size_t skipped = 0;

#if CATCH_VERSION_MAJOR >= 3
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

class Counter : public Listener {
 public:
  using Listener::Listener;
  void testCaseEnded(const Catch::TestCaseStats&) override { ++cases; }
};
CATCH_REGISTER_LISTENER(Counter)

}  // namespace

void skip(const std::string& why) {
  std::printf("skipped: %s\n", why.c_str());
  ++skipped;
}

}  // namespace medulla::test

int main(int argc, char** argv) {
  using medulla::test::skipped;
  const int failed = Catch::Session().run(argc, argv);
  if (skipped > 0) std::printf("%zu of %zu cases skipped\n", skipped, medulla::test::cases);
  const bool all = skipped > 0 && skipped == medulla::test::cases;
  return failed == 0 && all ? medulla::test::kSkipped : failed;
}
