// SPDX-License-Identifier: Apache-2.0
#include "tools/common/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace medulla::tools {
namespace {

namespace fs = std::filesystem;

// Where links lead, also to what does not exist yet.
fs::path followed(fs::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i) {
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    fail("the folder " + folder.string() + " does not exist");
  }
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) fail("it is a directory");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    file_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file_ < 0) fail(std::strerror(errno));
    return;
  }
  target_ = followed(path).string();
  open_part(target_ + ".part" + std::to_string(getpid()));
}

void NewFile::open_part(const std::string& stem) {
  for (int i = 0; file_ < 0; ++i) {
    part_ = stem + "." + std::to_string(i);
    file_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && errno != EEXIST) fail(std::strerror(errno));
  }
}

NewFile::~NewFile() {
  if (file_ >= 0) close(file_);
  if (!part_.empty()) unlink(part_.c_str());
}

void NewFile::fail(const std::string& why) const {
  throw std::runtime_error(path_ + ": cannot be written: " + why);
}

void NewFile::write(const std::byte* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file_, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(std::strerror(errno));
    data += written;
    size -= static_cast<size_t>(written);
  }
}

void NewFile::commit() {
  if (!part_.empty() && fsync(file_) != 0) fail(std::strerror(errno));
  if (close(std::exchange(file_, -1)) != 0) fail(std::strerror(errno));
  if (part_.empty()) return;
  if (rename(part_.c_str(), target_.c_str()) != 0) fail(std::strerror(errno));
  part_.clear();
}

void require_other_file(const std::string& output, const std::string& input) {
  std::error_code error;
  if (!fs::is_regular_file(output, error) || !fs::equivalent(output, input, error)) return;
  throw std::runtime_error(output + ": cannot be written: it is the input " + input +
                           "; give another name");
}

}  // namespace medulla::tools
