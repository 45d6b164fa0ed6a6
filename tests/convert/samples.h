// SPDX-License-Identifier: Apache-2.0
// Pictures and archives of arrays, as the data of ../shared come.
#ifndef MEDULLA_TESTS_CONVERT_SAMPLES_H_
#define MEDULLA_TESTS_CONVERT_SAMPLES_H_

#include <string>
#include <vector>

#include "tools/common/array.h"

namespace medulla::tools {

struct Picture {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;

  // Stretched to an extent, between the four pixels around.
  Picture resized(int64_t to_height, int64_t to_width) const;
};

// A .bmp or .png; false where the build has no stb_image.
bool can_read_pictures();
Picture read_pixels(const std::string& path, int64_t channels);

// An array of a .npz.
Array read_npz(const std::string& path, const std::string& name);

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_SAMPLES_H_
