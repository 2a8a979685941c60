// SPDX-License-Identifier: Apache-2.0
// The fast way to run a pattern finds what RE2 finds.
#include "engine/codec/pattern_program.h"

#include "engine/expr/regex.h"
#include "tests/support/catch.h"

#include <random>
#include <string>
#include <vector>

using namespace streamd;

namespace {

using Outcome = PatternProgram::Outcome;

// Groups with their places, "-" for those that took no part; "" when nothing is found.
std::string shown(std::string_view text, const std::vector<std::string_view>& groups) {
  std::string out;
  for (const auto group : groups) {
    if (group.data() == nullptr) {
      out += "- ";
      continue;
    }
    out += std::to_string(group.data() - text.data()) + "+" + std::to_string(group.size()) + " ";
  }
  return out;
}
std::string by_regex(const expr::Regex& regex, std::string_view text) {
  std::vector<std::string_view> groups(regex.groups() + 1);
  return regex.search(text, groups.data(), groups.size()) ? shown(text, groups) : "";
}

// How the program answers, or "?" when it does not know.
std::string by_program(const PatternProgram& program, std::size_t groups, std::string_view text) {
  std::vector<std::string_view> found(groups + 1);
  PatternScratch scratch;
  switch (program.search(text, found.data(), found.size(), scratch)) {
    case Outcome::found: return shown(text, found);
    case Outcome::nothing: return "";
    case Outcome::unknown: break;
  }
  return "?";
}

void compare(const std::string& pattern, const std::vector<std::string>& texts,
             std::size_t& known) {
  const auto regex = expr::Regex::compile(pattern);
  const auto program = PatternProgram::compile(pattern);
  if (!regex || !program) return;
  for (const std::string& text : texts) {
    const std::string fast = by_program(*program, regex->groups(), text);
    if (fast == "?") continue;
    ++known;
    INFO(pattern << "  on  " << text);
    REQUIRE(fast == by_regex(*regex, text));
  }
}

class Dice {
 public:
  std::string pattern(int depth) {
    std::string out = chain(depth);
    while (depth > 0 && below(4) == 0) out += "|" + chain(depth - 1);
    return out;
  }
  std::string text() {
    static const char* const kPieces[] = {"a",
                                          "b",
                                          "c",
                                          "1",
                                          " ",
                                          ".",
                                          "ab",
                                          "\n",
                                          "_",
                                          "A",
                                          "\xC3\xA4",
                                          "\xE2\x82\xAC",
                                          "\xE2\x84\xAA",
                                          "k"};
    std::string out;
    for (std::size_t n = below(9); n > 0; --n) out += kPieces[below(std::size(kPieces))];
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return dice_() % n; }
  std::string chain(int depth) {
    std::string out;
    for (std::size_t n = below(4); n > 0; --n) out += atom(depth) + repetition();
    return out;
  }
  std::string atom(int depth) {
    static const char* const kAtoms[] = {
        "a",      "b",        "c",       "\\d",         "\\w",      "\\s", ".",
        "[ab]",   "[^a]",     "\\b",     "^",           "$",        "\\S", "ab",
        "\\.",    "[a-c1]",   " ",       "[[:alpha:]]", "\\W",      "\\D", "(?i:a)",
        "(?i:k)", "\xC3\xA4", "[^\\s.]", "\\x61",       "(?i:[^k])"};
    const std::size_t which = below(std::size(kAtoms) + 8);
    if (which < std::size(kAtoms)) return kAtoms[which];
    if (depth == 0) return "a";
    return (below(2) == 0 ? "(" : "(?:") + pattern(depth - 1) + ")";
  }
  std::string repetition() {
    static const char* const kAll[] = {"",   "",   "",   "",    "*",     "+",      "?",
                                       "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{1,}"};
    return kAll[below(std::size(kAll))];
  }
  std::mt19937 dice_{7};
};

}  // namespace

TEST_CASE("Random patterns find what RE2 finds in random texts") {
  Dice dice;
  std::size_t known = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string pattern = dice.pattern(3);
    std::vector<std::string> texts;
    for (int i = 0; i < 4; ++i) texts.push_back(dice.text());
    compare(pattern, texts, known);
  }
  CHECK(known > 40'000);
}

TEST_CASE("What the program can't run it leaves to RE2") {
  for (const char* pattern :
       {"(?s).", "\\B", "(?m)^a", "\\pL", "[\xC3\xA4]", "(a*)*", "(?i)\xC3\xA4", "\\Qa\\E",
        "[[:foo:]]", "a**", "(", "a{2000}b{9}{2}"}) {
    INFO(pattern);
    CHECK_FALSE(PatternProgram::compile(pattern));
  }
  const auto kelvin = PatternProgram::compile("(?i:k)");
  REQUIRE(kelvin);
  CHECK(by_program(*kelvin, 0, "K") == "0+1 ");
  CHECK(by_program(*kelvin, 0, "\xE2\x84\xAA") == "?");
}

TEST_CASE("A search that would take long is given up") {
  const auto program = PatternProgram::compile("(?:a|a|b)*(?:a|b|a)*(?:a|a)*c");
  REQUIRE(program);
  CHECK(by_program(*program, 0, std::string(3000, 'a')) == "?");
  CHECK(by_program(*program, 0, "aabac") == "0+5 ");
}
