// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/framing.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace streamd::syslog;
using namespace std::string_literals;

namespace {

constexpr std::size_t kMost = 100;

// The messages of a stream that comes in pieces of `piece` bytes and then ends; too long ones have
// a ! in front.
std::vector<std::string> cut(const std::string& stream, std::size_t piece,
                             Framing framing = Framing::automatic,
                             std::uint64_t* desynchronised = nullptr) {
  FrameCutter cutter(framing, kMost);
  std::vector<std::string> out;
  std::string waiting;
  const auto keep = [&](const Frame& frame) {
    out.push_back((frame.too_long ? "!" : "") + std::string(frame.text));
  };
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    waiting += stream.substr(at, piece);
    std::string_view data = waiting;
    while (const auto frame = cutter.next(data)) keep(*frame);
    CHECK(data.size() <= kMost + 11);
    CHECK((cutter.inside() || data.empty()));
    waiting = std::string(data);
  }
  if (const auto frame = cutter.rest(waiting)) keep(*frame);
  if (desynchronised != nullptr) *desynchronised = cutter.desynchronised();
  return out;
}

using Messages = std::vector<std::string>;

// The same whatever the pieces.
void check(const std::string& stream, const Messages& expected,
           Framing framing = Framing::automatic) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, stream.size()}) {
    INFO(stream << " in pieces of " << piece);
    CHECK(cut(stream, piece, framing) == expected);
  }
}

}  // namespace

TEST_CASE("Messages with a length, a line end and NUL are told apart in one stream") {
  check("8 <1>a\nb c<2>line\n5 <3>xy<4>nul\0006 <5>end"s,
        {"<1>a\nb c", "<2>line", "<3>xy", "<4>nul", "<5>end"});
  check("<1>a\r\n<2>b\n\n\n<3>c", {"<1>a\r", "<2>b", "<3>c"});
  check("5 <1>ab\n5 <2>cd\r\n\0 5 <3>ef"s, {"<1>ab", "<2>cd", "<3>ef"});
}

TEST_CASE("Digits that are no length begin a line") {
  check("2024-01-02T03:04:05Z host app: x\n12 monkeys\n1234567890 <x\n7<x\n",
        {"2024-01-02T03:04:05Z host app: x", "12 monkeys", "1234567890 <x", "7<x"});
  check("05 <1>ab\n", {"05 <1>ab"});
}

TEST_CASE("A byte order mark may stand before the priority") {
  check("7 \xEF\xBB\xBF<1>a<2>b\n", {"\xEF\xBB\xBF<1>a", "<2>b"});
}

TEST_CASE("A message that is too long is told once and skipped") {
  const std::string longer(kMost + 1, 'x');
  CHECK(cut("101 <" + longer.substr(1) + "<2>b\n", 500) ==
        Messages{"!<" + longer.substr(1), "<2>b"});
  CHECK(cut("<" + longer + "yyyy\n<2>b\n", 500).at(1) == "<2>b");
  for (const std::size_t piece : {1, 3, 50}) {
    const Messages counted = cut("500 <" + std::string(499, 'x') + "<2>b\n", piece);
    REQUIRE(counted.size() == 2);
    CHECK(counted[0].starts_with("!"));
    CHECK(counted[1] == "<2>b");
    const Messages line = cut(std::string(1000, 'x') + "\n<2>b\n", piece);
    REQUIRE(line.size() == 2);
    CHECK(line[0].starts_with("!xxx"));
    CHECK(line[1] == "<2>b");
  }
  check(std::string(kMost, 'x') + "\n", {std::string(kMost, 'x')});
}

TEST_CASE("A line that never ends keeps no memory") {
  FrameCutter cutter(Framing::automatic, kMost);
  std::string waiting;
  std::size_t messages = 0;
  for (int i = 0; i < 10'000; ++i) {
    waiting += std::string(64, 'x');
    std::string_view data = waiting;
    while (cutter.next(data)) ++messages;
    waiting = std::string(data);
    REQUIRE(waiting.size() <= kMost);
  }
  CHECK(messages == 1);
  CHECK(cutter.inside());
}

TEST_CASE("What is there at the end of a stream is a message") {
  check("<1>a\n<2>unfinished", {"<1>a", "<2>unfinished"});
  check("20 <1>unfinished", {"<1>unfinished"});
  check("12", {"12"});
  check("12 ", {"12 "});
  check("\n\n", {});
  CHECK(cut("", 1).empty());
}

TEST_CASE("Where only lengths are expected a wrong one costs a line and is counted") {
  std::uint64_t wrong = 0;
  CHECK(cut("5 <1>abwhat is this\n5 <2>cd", 500, Framing::counted, &wrong) ==
        Messages{"<1>ab", "what is this", "<2>cd"});
  CHECK(wrong == 1);
  check("5 hello5 world", {"hello", "world"}, Framing::counted);
  check("5 <1>abrubbish 7\n5 <2>cd", {"<1>ab", "rubbish 7", "<2>cd"}, Framing::counted);
}

TEST_CASE("Where only lines are expected nothing is a length") {
  check("5 <1>ab\n<2>c\0d\n"s, {"5 <1>ab", "<2>c\0d"s}, Framing::lf);
  check("5 <1>a\nb\0<2>c\0"s, {"5 <1>a\nb", "<2>c"}, Framing::nul);
}

TEST_CASE("A number that no sender means as a length loses nothing behind it") {
  check("200001 <1>x\n<2>y\n5 <3>ab", {"200001 <1>x", "<2>y", "<3>ab"});
  CHECK(cut("200000 <1>x\n<2>y\n", 500) == Messages{"!<1>x\n<2>y\n"});
  check("999999999 <1>x", {"999999999 <1>x"});
  std::uint64_t wrong = 0;
  CHECK(cut("200001 <1>x\n5 <2>cd", 500, Framing::counted, &wrong) ==
        Messages{"200001 <1>x", "<2>cd"});
  CHECK(wrong == 1);
  check("18446744073709551616 <1>x\n", {"18446744073709551616 <1>x"});
}
