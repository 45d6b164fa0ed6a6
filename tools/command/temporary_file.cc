// SPDX-License-Identifier: Apache-2.0
#include "tools/command/temporary_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace medulla::tools {
namespace {

char to_remove[PATH_MAX] = "";

extern "C" void remove_and_end(int number) {
  unlink(to_remove);
  std::signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

TemporaryFile::TemporaryFile()
    : path_((std::filesystem::temp_directory_path() / "medulla-compare-XXXXXX.mdl").string()) {
  umask(S_IRWXG | S_IRWXO);  // also of what takes the file's place
  const int file = path_.size() < sizeof(to_remove) ? mkstemps(path_.data(), 4) : -1;
  if (file < 0) throw std::runtime_error(path_ + ": cannot be written");
  close(file);
  path_.copy(to_remove, path_.size());
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // One that is ignored, as under nohup, stays so.
    if (std::signal(number, remove_and_end) == SIG_IGN) std::signal(number, SIG_IGN);
  }
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

}  // namespace medulla::tools
