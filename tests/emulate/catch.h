// SPDX-License-Identifier: Apache-2.0
// The part of Catch2 that the kernels' tests use, small enough for a program in a ROM: Catch2 needs
// the streams and locales of the C++ library.
#ifndef MEDULLA_TESTS_EMULATE_CATCH_H_
#define MEDULLA_TESTS_EMULATE_CATCH_H_

#include <string>
#include <type_traits>

namespace medulla::test {

// Texts and numbers, one after the other.
struct Text {
  std::string text;

  Text& operator<<(const char* s) {
    text += s;
    return *this;
  }
  Text& operator<<(const std::string& s) {
    text += s;
    return *this;
  }
  template <class T>
  requires std::is_arithmetic_v<T> Text& operator<<(T value) {
    text += std::to_string(value);
    return *this;
  }
};

// What holds for the checks of a scope; written only when one fails.
class Info {
 public:
  Info() : outer_(innermost) { innermost = this; }
  Info(const Info&) = delete;
  Info& operator=(const Info&) = delete;
  virtual ~Info() { innermost = outer_; }

  virtual void write(Text& to) const = 0;
  const Info* outer() const { return outer_; }

  static inline const Info* innermost = nullptr;

 private:
  const Info* outer_;
};

template <class Write>
class InfoOf : public Info {
 public:
  explicit InfoOf(const Write& write) : write_(write) {}
  void write(Text& to) const override { write_(to); }

 private:
  Write write_;
};

struct Case {
  Case(const char* case_name, const char* case_tags, void (*function)())
      : name(case_name), tags(case_tags), run(function), next(first) {
    first = this;
  }

  const char* name;
  const char* tags;
  void (*run)();
  const Case* next;

  static inline const Case* first = nullptr;
};

// Counts a check; a failed one is printed. A required one ends the program.
void check(bool holds, bool required, const char* file, int line, const char* expression);

}  // namespace medulla::test

#define MDL_JOIN2(a, b) a##b
#define MDL_JOIN(a, b) MDL_JOIN2(a, b)

#define TEST_CASE(...) MDL_TEST_CASE(MDL_JOIN(case_, __LINE__), __VA_ARGS__, "")
#define MDL_TEST_CASE(function, name, tags, ...)                                  \
  static void function();                                                         \
  static const ::medulla::test::Case MDL_JOIN(function, _)(name, tags, function); \
  static void function()

#define INFO(message)                     \
  const ::medulla::test::InfoOf MDL_JOIN( \
      info_, __LINE__)([&](::medulla::test::Text& text) { text << message; })

#define MDL_CHECK(required, holds, expression) \
  ::medulla::test::check(static_cast<bool>(holds), required, __FILE__, __LINE__, expression)
#define CHECK(...) MDL_CHECK(false, (__VA_ARGS__), #__VA_ARGS__)
#define CHECK_FALSE(...) MDL_CHECK(false, !(__VA_ARGS__), "not " #__VA_ARGS__)
#define REQUIRE(...) MDL_CHECK(true, (__VA_ARGS__), #__VA_ARGS__)
#define REQUIRE_FALSE(...) MDL_CHECK(true, !(__VA_ARGS__), "not " #__VA_ARGS__)

#endif  // MEDULLA_TESTS_EMULATE_CATCH_H_
