// SPDX-License-Identifier: Apache-2.0
#include "tools/common/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
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

// A pipe or a device.
bool is_special(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status);
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error(path + ": cannot be written: " + why);
}

void require_place(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    refuse(path, "the folder " + folder.string() + " does not exist");
  }
  if (fs::is_directory(path, error)) refuse(path, "it is a directory");
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path) {
  require_place(path);
  if (is_special(path)) {
    file_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file_ < 0) fail(std::strerror(errno));
    return;
  }
  target_ = followed(path).string();
  open_unnamed();
  if (file_ < 0) open_part();
}

// What has no name needs nobody to remove it, however the process ends. Some file systems lack it.
void NewFile::open_unnamed() {
  if (access("/proc/self/fd", X_OK) != 0) return;
  const fs::path folder = fs::path(target_).parent_path();
  file_ = open(folder.empty() ? "." : folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
}

std::string NewFile::part_name(int number) const {
  return target_ + ".part" + std::to_string(getpid()) + "." + std::to_string(number);
}

void NewFile::open_part() {
  for (int i = 0; file_ < 0; ++i) {
    part_ = part_name(i);
    file_ = open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && errno != EEXIST) fail(std::strerror(errno));
  }
}

// A link replaces nothing, so the file gets a name of its own before it gets the target's.
void NewFile::name_part() {
  const std::string unnamed = "/proc/self/fd/" + std::to_string(file_);
  for (int i = 0; part_.empty(); ++i) {
    const std::string part = part_name(i);
    if (linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, part.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      part_ = part;
    } else if (errno != EEXIST) {
      fail(std::strerror(errno));
    }
  }
}

NewFile::~NewFile() {
  if (file_ >= 0) close(file_);
  if (!part_.empty()) unlink(part_.c_str());
}

void NewFile::fail(const std::string& why) const { refuse(path_, why); }

void NewFile::write(const std::byte* data, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file_, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(std::strerror(errno));
    data += written;
    size -= static_cast<size_t>(written);
  }
}

void NewFile::sync() {
  if (!target_.empty() && fsync(file_) != 0) fail(std::strerror(errno));
}

void NewFile::commit() {
  if (!target_.empty() && part_.empty()) name_part();
  if (close(std::exchange(file_, -1)) != 0) fail(std::strerror(errno));
  if (part_.empty()) return;
  if (rename(part_.c_str(), target_.c_str()) != 0) fail(std::strerror(errno));
  part_.clear();
}

void require_other_file(const std::string& output, const std::string& input) {
  std::error_code error;
  if (fs::is_directory(input, error)) {
    for (const auto& entry : fs::directory_iterator(input, error)) {
      if (!entry.is_directory(error)) require_other_file(output, entry.path().string());
    }
    return;
  }
  if (!fs::is_regular_file(output, error) || !fs::equivalent(output, input, error)) return;
  refuse(output, "it is the input " + input + "; give another name");
}

void require_places(const std::vector<std::string>& outputs) {
  std::set<fs::path> places;
  for (const std::string& output : outputs) {
    require_place(output);
    std::error_code error;
    if (is_special(output) ||
        places.insert(fs::weakly_canonical(fs::absolute(followed(output)), error)).second) {
      continue;
    }
    refuse(output, "another output goes to the same file; give each its own");
  }
}

}  // namespace medulla::tools
