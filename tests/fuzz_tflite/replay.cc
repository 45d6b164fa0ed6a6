// SPDX-License-Identifier: Apache-2.0
// Replays the corpus, and its files with tables changed.
#include "tests/catch.h"
#include "tests/fuzz/import.h"

namespace {

const std::filesystem::path kCorpus = "tests/fuzz_tflite/corpus";

void change_corpus(unsigned tries) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus)) {
    count += medulla::tools::change_and_convert(medulla::tools::bytes_of(entry.path()), tries);
  }
  CHECK(count > 0);
}

}  // namespace

TEST_CASE("the TensorFlow Lite importer survives its corpus") {
  CHECK(medulla::tools::replay(kCorpus) > 0);
}

TEST_CASE("a TensorFlow Lite model with tables changed is refused or converts") {
  change_corpus(6);
}

TEST_CASE("a TensorFlow Lite model with many tables changed is refused or converts", "[slow]") {
  change_corpus(200);
}
