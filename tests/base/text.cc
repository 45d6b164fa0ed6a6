// SPDX-License-Identifier: Apache-2.0
#include "src/base/text.h"

#include <clocale>
#include <string>

#include "tests/catch.h"

using medulla::NameList;
using medulla::Text;

TEST_CASE("what is cut ends with a whole character") {
  const std::string whole = "a\u00e9\u20ac\U0001F600z";  // of 1, 2, 3, 4 and 1 bytes
  for (size_t size = 1; size <= whole.size() + 1; ++size) {
    std::string buffer(size, '?');
    Text text(buffer.data(), size);
    text << whole.c_str() << "more";
    CHECK(text.needed() == whole.size() + 5);
    const std::string cut = buffer.c_str();
    CAPTURE(size, cut);
    CHECK(whole.compare(0, cut.size(), cut) == 0);
    const bool at_start = (static_cast<unsigned char>(whole[cut.size()]) & 0xC0) != 0x80;
    CHECK(at_start);
    CHECK(cut.size() + 4 >= size - 1);
  }
}

TEST_CASE("a list of names has whole ones, and says how many more there are") {
  CHECK(std::string(NameList().text()) == "none");
  NameList few;
  for (const char* name : {"a", "b"}) few.add(name);
  CHECK(std::string(few.text()) == "'a', 'b'");
  for (const size_t length : {1, 20, 100, 270, 1000}) {
    CAPTURE(length);
    const std::string name(length, 'n');
    NameList many;
    for (int i = 0; i < 40; ++i) many.add(i == 39 ? "x" : name);
    std::string text = many.text();
    size_t listed = 0;
    for (const std::string whole = "'" + name + "'"; text.starts_with(whole); ++listed) {
      text.erase(0, whole.size());
      if (text.starts_with(", ")) text.erase(0, 2);
    }
    CHECK(listed <= 12);
    CHECK((listed > 0) == (length < 300));
    CHECK(text == (listed > 0 ? " and " + std::to_string(40 - listed) + " more"
                              : "40, of names too long for this text"));
  }
}

TEST_CASE("numbers are the same in every locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"C", "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ps_AF.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    CAPTURE(name);
    char buffer[64];
    Text text(buffer, sizeof(buffer));
    text << 0.5 << ' ' << -1.25e-30 << ' ' << 3.0 << ' ' << 1e300 * 1e300;
    CHECK(std::string(buffer) == "0.5 -1.25e-30 3 inf");
  }
  std::setlocale(LC_ALL, before.c_str());
}
