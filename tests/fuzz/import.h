// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of the importers and the replays of their corpora share.
#ifndef MEDULLA_TESTS_FUZZ_IMPORT_H_
#define MEDULLA_TESTS_FUZZ_IMPORT_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/convert/onnx_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed);
// libFuzzer's own changes of bytes; a test links none.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace medulla::tools {

// Converts the bytes as a file of that ending. The converter opens what it makes as a session
// would, so there is nothing to check but that it comes back.
inline void convert_bytes(const uint8_t* data, size_t size, const char* ending,
                          ConvertOptions options = {}) {
  static const Folder folder;
  options.input = folder.file("model") + ending;
  options.output = folder.file("model.mdl");
  std::ofstream(options.input, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  convert(options);
}

// Numbers at which code goes wrong.
inline int64_t strange_number(std::mt19937& random) {
  constexpr int64_t kNumbers[] = {-2,      -1,        0,         1,           2,         3,
                                  4,       7,         8,         13,          100,       127,
                                  255,     1 << 16,   INT32_MAX, INT32_MIN,   1LL << 40, INT64_MAX,
                                  1 << 20, INT64_MIN, 1LL << 31, -(1LL << 40)};
  return kNumbers[random() % std::size(kNumbers)];
}

inline std::vector<uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Every file of the folder, which is named from the root of the tree. Returns how many.
inline size_t replay(const std::filesystem::path& corpus) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    const std::vector<uint8_t> bytes = bytes_of(entry.path());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++count;
  }
  return count;
}

// Changes the bytes `tries` times by the mutator, from the same seeds each time, and converts each.
// Returns how often they differed from what was given.
inline size_t change_and_convert(const std::vector<uint8_t>& whole, unsigned tries) {
  size_t count = 0;
  for (unsigned seed = 0; seed < tries; ++seed) {
    std::vector<uint8_t> changed = whole;
    changed.resize(whole.size() + 1024);
    changed.resize(LLVMFuzzerCustomMutator(changed.data(), whole.size(), changed.size(), seed));
    if (changed != whole) ++count;
    LLVMFuzzerTestOneInput(changed.data(), changed.size());
  }
  return count;
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_FUZZ_IMPORT_H_
