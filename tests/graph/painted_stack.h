// SPDX-License-Identifier: Apache-2.0
// How much stack a run uses: it runs on a painted stack, and what is still painted was not used.
#ifndef MEDULLA_TESTS_GRAPH_PAINTED_STACK_H_
#define MEDULLA_TESTS_GRAPH_PAINTED_STACK_H_

#include "medulla/medulla.h"

// GCC has macros for its sanitizers, Clang asks for them as features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEDULLA_SANITIZED 1
#elif defined(__has_feature)
#define MEDULLA_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define MEDULLA_SANITIZED 0
#endif

// A sanitizer's frames are larger, and it does not follow to another stack.
#if defined(__linux__) && defined(__GLIBC__) && !MEDULLA_SANITIZED
#define MEDULLA_PAINTED_STACK 1

#include <ucontext.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace medulla::test {

class PaintedStack {
 public:
  // Runs the session once; bytes() then says what that took.
  mdl_status run(mdl_session* session) {
    std::fill(stack_.begin(), stack_.end(), kPaint);
    session_ = session;
    if (getcontext(&callee_) != 0) throw std::runtime_error("getcontext failed");
    callee_.uc_stack.ss_sp = stack_.data();
    callee_.uc_stack.ss_size = stack_.size();
    callee_.uc_link = &caller_;
    current() = this;
    makecontext(&callee_, enter, 0);
    if (swapcontext(&caller_, &callee_) != 0) throw std::runtime_error("swapcontext failed");
    return status_;
  }

  // The stack grows down: its low end is still painted.
  size_t bytes() const {
    const auto used =
        std::find_if(stack_.begin(), stack_.end(), [](unsigned char c) { return c != kPaint; });
    return static_cast<size_t>(stack_.end() - used);
  }

 private:
  static constexpr unsigned char kPaint = 0xA5;

  static PaintedStack*& current() {
    static PaintedStack* stack = nullptr;
    return stack;
  }
  static void enter() { current()->status_ = mdl_session_run(current()->session_); }

  std::vector<unsigned char> stack_ = std::vector<unsigned char>(256 * 1024);
  mdl_session* session_ = nullptr;
  mdl_status status_ = MDL_OK;
  ucontext_t caller_ = {};
  ucontext_t callee_ = {};
};

}  // namespace medulla::test

#else
#define MEDULLA_PAINTED_STACK 0
#endif

#endif  // MEDULLA_TESTS_GRAPH_PAINTED_STACK_H_
