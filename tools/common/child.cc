// SPDX-License-Identifier: Apache-2.0
#include "tools/common/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace medulla::tools {
namespace {

constexpr unsigned kSeconds = 60;
enum Status { kReturned = 0, kThrew = 1 };

// Writes all of it, as far as somebody reads.
void write_all(int to, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(to, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    const ssize_t n = read(from, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(part.data(), static_cast<size_t>(n));
  }
}

// A crash ends the child without a word from whoever handles signals in this process.
[[noreturn]] void run_child(const std::function<std::string()>& make, int to) {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
    std::signal(number, SIG_DFL);
  }
  alarm(kSeconds);
  Status status = kReturned;
  std::string text;
  try {
    text = make();
  } catch (const std::exception& why) {
    status = kThrew;
    text = why.what();
  }
  write_all(to, text);
  _exit(status);
}

}  // namespace

std::string in_child(const std::function<std::string()>& make) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) {
    const int why = errno;
    close(ends[0]);
    close(ends[1]);
    throw std::runtime_error(std::string("no process: ") + std::strerror(why));
  }
  if (child == 0) {
    close(ends[0]);
    run_child(make, ends[1]);
  }
  close(ends[1]);
  std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    throw std::runtime_error(WTERMSIG(status) == SIGALRM ? "it took more than a minute"
                                                         : "it crashed");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != kReturned) {
    throw std::runtime_error(text.empty() ? "it crashed" : text);
  }
  return text;
}

}  // namespace medulla::tools
