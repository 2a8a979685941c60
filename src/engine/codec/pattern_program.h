// SPDX-License-Identifier: Apache-2.0
// PatternProgram: a regular expression that takes lines apart in a fraction of RE2's time, and
// gives up when it would take long. Private to codec/.
//
// It backtracks, but looks at the next byte before it goes anywhere: in patterns of log lines
// nearly every step is the only possible one. What it finds is what RE2 finds (leftmost, the first
// alternative first); a test compares both on random patterns. Const once made; any thread.
#pragma once

#include "engine/codec/pattern_tree.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// What a search needs to remember; keeps its memory. One thread.
struct PatternScratch {
  struct Choice {
    std::uint32_t what;  // instruction; or slot with kUndo
    std::uint32_t low;   // earliest end of a run, or how often it may go on; slot: its old value
    std::uint32_t at;
  };
  static constexpr std::uint32_t kUndo = 0x80000000u;
  std::vector<Choice> choices;
  std::vector<std::uint32_t> slots;
};

class PatternProgram {
 public:
  // nullopt: a pattern that this does not know how to run, or that would become large.
  static std::optional<PatternProgram> compile(std::string_view pattern);

  enum class Outcome : std::uint8_t { found, nothing, unknown };
  // As Regex::search, for valid UTF-8 shorter than 2 GiB. unknown: it took too long, or the text
  // has a character of which only RE2 knows the case.
  Outcome search(std::string_view text, std::string_view* groups, std::size_t count,
                 PatternScratch& scratch) const;

 private:
  enum class Op : std::uint8_t {
    bytes,  // these bytes
    set,    // one character
    run,    // min to max characters, as many as possible
    lazy,   // the same, as few as possible
    split,  // next, or else alt
    save,   // the place, into a slot
    begin,
    end,
    word_edge,
    match,
  };
  struct Step {
    Op op = Op::match;
    bool sure = false;               // run: it need not give anything back
    std::uint32_t next = 0;          // the step behind
    std::uint32_t alt = 0;           // split
    std::uint32_t set = 0;           // set, run, lazy; bytes: where they begin in bytes_
    std::uint32_t min = 0, max = 0;  // run, lazy; bytes: max of them; save: min is the slot
  };
  // What can begin at a step: these bytes, and nothing more at all.
  struct First {
    CharSet set;
    bool nothing = false;
  };
  class Compiler;
  class Search;

  std::vector<Step> steps_;
  std::vector<First> first_;  // by step
  std::vector<CharSet> sets_;
  std::string bytes_;
  std::uint32_t entry_ = 0;
  std::uint32_t slots_ = 2;  // two for each group, and for the match
  bool anchored_ = false;
};

}  // namespace streamd
