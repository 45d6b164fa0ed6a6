// SPDX-License-Identifier: Apache-2.0
// Pictures are read by stb_image, whose code this file holds.
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "tools/common/input_file.h"

#if __has_include(<stb/stb_image.h>)
#define MEDULLA_PICTURES 1
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNM
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop
#endif

namespace medulla::tools {

bool is_picture(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* known : {".png", ".pgm", ".ppm", ".jpg", ".jpeg"}) {
    if (ending == known) return true;
  }
  return false;
}

Array read_picture(const std::string& path, int64_t channels) {
#ifdef MEDULLA_PICTURES
  const std::vector<std::byte> bytes = read_bytes(path);
  int width = 0;
  int height = 0;
  int found = 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &width, &height, &found,
                            static_cast<int>(channels)),
      stbi_image_free);
  if (pixels == nullptr) {
    const std::string why = stbi_failure_reason();
    throw std::runtime_error(
        path + (why == "unknown image type"
                    ? ": is no PNG, JPEG, PGM or PPM picture, whatever it is called"
                    : ": the picture is damaged or cut off; its decoder says: " + why));
  }
  Array array;
  array.dtype = MDL_UINT8;
  array.shape = {height, width, channels};
  array.data.resize(array.elements());
  std::memcpy(array.data.data(), pixels.get(), array.data.size());
  return array;
#else
  (void)channels;
  throw std::runtime_error(path + ": this build reads no pictures (libstb-dev was missing)");
#endif
}

}  // namespace medulla::tools
