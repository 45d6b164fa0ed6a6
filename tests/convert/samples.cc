// SPDX-License-Identifier: Apache-2.0
// stb_image's code stands here: its decoders of pictures, and of what zip files hold.
#include "tests/convert/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "tests/convert/onnx_model.h"

#if __has_include(<stb/stb_image.h>)
#define MEDULLA_PICTURES 1
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop
#endif

namespace medulla::tools {

Picture Picture::resized(int64_t to_height, int64_t to_width) const {
  Picture result{to_height, to_width, channels, {}};
  const auto place = [](int64_t at, int64_t to, int64_t size) {
    const double exact =
        (static_cast<double>(at) + 0.5) * static_cast<double>(size) / static_cast<double>(to) - 0.5;
    return std::clamp(exact, 0.0, static_cast<double>(size - 1));
  };
  for (int64_t y = 0; y < to_height; ++y) {
    const double fy = place(y, to_height, height);
    const auto y0 = static_cast<int64_t>(fy), y1 = std::min(y0 + 1, height - 1);
    for (int64_t x = 0; x < to_width; ++x) {
      const double fx = place(x, to_width, width);
      const auto x0 = static_cast<int64_t>(fx), x1 = std::min(x0 + 1, width - 1);
      for (int64_t c = 0; c < channels; ++c) {
        const auto at = [&](int64_t py, int64_t px) {
          return static_cast<double>(pixels[static_cast<size_t>((py * width + px) * channels + c)]);
        };
        const double dx = fx - static_cast<double>(x0), dy = fy - static_cast<double>(y0);
        const double top = at(y0, x0) * (1 - dx) + at(y0, x1) * dx;
        const double bottom = at(y1, x0) * (1 - dx) + at(y1, x1) * dx;
        result.pixels.push_back(static_cast<uint8_t>(std::lround(top * (1 - dy) + bottom * dy)));
      }
    }
  }
  return result;
}

#ifdef MEDULLA_PICTURES
bool can_read_pictures() { return true; }

Picture read_pixels(const std::string& path, int64_t channels) {
  const std::vector<std::byte> bytes = read_bytes(path);
  int width = 0, height = 0, found = 0;
  stbi_uc* pixels = stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                                          static_cast<int>(bytes.size()), &width, &height, &found,
                                          static_cast<int>(channels));
  if (pixels == nullptr) throw std::runtime_error(path + ": " + stbi_failure_reason());
  Picture picture{height, width, channels, {}};
  picture.pixels.assign(pixels, pixels + height * width * channels);
  stbi_image_free(pixels);
  return picture;
}

Array read_npz(const std::string& path, const std::string& name) {
  const std::vector<std::byte> zip = read_bytes(path);
  const auto number = [&](size_t at, size_t bytes) {
    size_t value = 0;
    std::memcpy(&value, zip.data() + at, bytes);
    return value;
  };
  // The directory at the end: its record says where the entries stand.
  for (size_t end = zip.size() - 22; end > 0; --end) {
    if (number(end, 4) != 0x06054b50) continue;
    size_t entry = number(end + 16, 4);
    for (size_t left = number(end + 10, 2); left > 0; --left) {
      const size_t method = number(entry + 10, 2), packed = number(entry + 20, 4),
                   size = number(entry + 24, 4), length = number(entry + 28, 2),
                   header = number(entry + 42, 4);
      const std::string file(reinterpret_cast<const char*>(zip.data()) + entry + 46, length);
      entry += 46 + length + number(entry + 30, 2) + number(entry + 32, 2);
      if (file != name + ".npy") continue;
      const char* data = reinterpret_cast<const char*>(zip.data()) + header + 30 +
                         number(header + 26, 2) + number(header + 28, 2);
      std::vector<std::byte> bytes(size);
      // stb wants to look a little past the end, where the directory stands.
      if (method == 0) {
        std::memcpy(bytes.data(), data, size);
      } else if (stbi_zlib_decode_noheader_buffer(
                     reinterpret_cast<char*>(bytes.data()), static_cast<int>(size), data,
                     static_cast<int>(packed + 4)) != static_cast<int>(size)) {
        break;
      }
      const Folder folder;
      write_bytes(folder.file("array.npy"), bytes);
      return read_npy(folder.file("array.npy"));
    }
    break;
  }
  throw std::runtime_error(path + " has no array '" + name + "'");
}
#else
bool can_read_pictures() { return false; }
Picture read_pixels(const std::string& path, int64_t) {
  throw std::runtime_error(path + ": this build reads no pictures");
}
Array read_npz(const std::string& path, const std::string&) {
  throw std::runtime_error(path + ": this build reads no archives");
}
#endif

}  // namespace medulla::tools
