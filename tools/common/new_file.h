// SPDX-License-Identifier: Apache-2.0
// A file that is written: whole, or not at all.
#ifndef MEDULLA_TOOLS_COMMON_NEW_FILE_H_
#define MEDULLA_TOOLS_COMMON_NEW_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace medulla::tools {

// Written beside `path`, without a name or under one that nobody has, and renamed when it is whole;
// what stood there stays until then. A link is followed: the file that it leads to is replaced. A
// pipe or a device is written to as it is. All throw std::runtime_error, whose text names the path.
class NewFile {
 public:
  explicit NewFile(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const std::byte* data, size_t size);
  // Waits until all that was written is on the disk, where it outlives a power cut.
  void sync();
  // Puts the file in its place. Without it nothing is left behind.
  void commit();

 private:
  void open_unnamed();
  void open_part();
  std::string part_name(int number) const;
  void name_part();
  [[noreturn]] void fail(const std::string& why) const;

  std::string path_;
  std::string target_;  // what `path` leads to; empty: no regular file
  std::string part_;    // what the file is called until it is whole; empty: nothing
  int file_ = -1;
};

// Throws when `output`, an option's value, is the file `input` or one of that folder, under
// whatever name.
void require_other_file(const std::string& output, const std::string& input);

// Throws before anything is written when one of `outputs` lacks its folder or is one, or when two
// of them are the same file.
void require_places(const std::vector<std::string>& outputs);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_NEW_FILE_H_
