// SPDX-License-Identifier: Apache-2.0
// Text for a terminal: names in models are whatever their makers wrote.
#ifndef MEDULLA_TOOLS_COMMAND_TERMINAL_H_
#define MEDULLA_TOOLS_COMMAND_TERMINAL_H_

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <streambuf>

namespace medulla::tools {

// While it lives, control characters that a stream is given become \xNN.
class Harmless : private std::streambuf {
 public:
  explicit Harmless(std::ostream& stream) : stream_(stream), target_(stream.rdbuf(this)) {}
  ~Harmless() override { stream_.rdbuf(target_); }
  Harmless(const Harmless&) = delete;
  Harmless& operator=(const Harmless&) = delete;

 private:
  int overflow(int c) override;
  int sync() override { return target_->pubsync(); }

  std::ostream& stream_;
  std::streambuf* target_;
  bool after_c2_ = false;  // U+0080 to U+009F begin so in UTF-8
};

// Prints it and ends the line; without `indent` on one. What is no UTF-8, as a file's name may be,
// becomes U+FFFD; what is no ASCII is escaped, so that no control character of it is left to
// Harmless.
void print_json(const nlohmann::json& json, int indent = -1);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_TERMINAL_H_
