// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TOOLS_COMMAND_TEMPORARY_FILE_H_
#define MEDULLA_TOOLS_COMMAND_TEMPORARY_FILE_H_

#include <string>

namespace medulla::tools {

// A place for a .mdl file that only its owner may read, gone when the object is or a signal ends
// the process. A process has one, and all files that it makes from then on are its owner's alone.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_TEMPORARY_FILE_H_
