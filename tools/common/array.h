// SPDX-License-Identifier: Apache-2.0
// A dense array in memory, and the files it is read from and written to.
#ifndef MEDULLA_TOOLS_COMMON_ARRAY_H_
#define MEDULLA_TOOLS_COMMON_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "medulla/medulla.h"

namespace medulla::tools {

struct Array {
  mdl_dtype dtype = MDL_DTYPE_NONE;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  size_t elements() const;
};

// The elements as float32, whatever the dtype; integers above 2^24 are rounded.
std::vector<float> to_floats(const Array& array);

// All of these throw std::runtime_error, whose text names the file and what would be right.
// .npy, versions 1 to 3, little-endian, C order; bool, integers, float16, float32, float64.
Array read_npy(const std::string& path);
void write_npy(const std::string& path, const Array& array);

std::vector<std::byte> read_bytes(const std::string& path);
// As NewFile: a file that exists is whole.
void write_bytes(const std::string& path, const std::vector<std::byte>& bytes);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_ARRAY_H_
