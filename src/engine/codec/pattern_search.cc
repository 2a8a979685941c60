// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/pattern_program.h"

#include <algorithm>

namespace streamd {
namespace {

constexpr std::uint32_t kNowhere = 0xFFFFFFFFu;

bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }
std::uint32_t char_size(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
// Mostly a byte or two: a call of memcmp would cost more.
bool same(const char* a, const char* b, std::uint32_t size) {
  std::uint32_t i = 0;
  while (i < size && a[i] == b[i]) ++i;
  return i == size;
}
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

class PatternProgram::Search {
 public:
  Search(const PatternProgram& program, std::string_view text, PatternScratch& scratch)
      : p_(program),
        text_(text.data()),
        end_(static_cast<std::uint32_t>(text.size())),
        choices_(scratch.choices),
        slots_(scratch.slots),
        left_(64 * static_cast<std::int64_t>(text.size()) + 4096),
        enough_(left_ - 2 * static_cast<std::int64_t>(text.size()) - 128) {}

  Outcome run() {
    for (std::uint32_t start = 0; start <= end_; ++start) {
      if (--left_ < 0) return Outcome::unknown;
      if (can_begin(p_.entry_, start) && (start == end_ || !goes_on(text_[start]))) {
        choices_.clear();
        slots_.assign(p_.slots_, kNowhere);
        if (match(start)) {
          slots_[0] = start;
          return Outcome::found;
        }
        // RE2 finds out faster that a pattern matches nowhere.
        if (unknown_ || left_ < enough_) return Outcome::unknown;
      }
      if (p_.anchored_) break;
    }
    return Outcome::nothing;
  }

 private:
  bool can_begin(std::uint32_t step, std::uint32_t at) const {
    const First& first = p_.first_[step];
    return first.nothing || (at < end_ && first.set.has(text_[at]));
  }
  bool give_up() {
    unknown_ = true;
    return false;
  }

  // The byte behind the character at `at`, kNowhere when it is not in the set.
  std::uint32_t behind(const CharSet& set, std::uint32_t at) {
    const char c = text_[at];
    if (!is_high(c)) return set.has(c) ? at + 1 : kNowhere;
    if (set.unsure) unknown_ = true;
    return set.wide && !set.unsure ? at + char_size(c) : kNowhere;
  }
  bool is_word_edge(std::uint32_t at) const {
    const bool before = at > 0 && is_word(text_[at - 1]);
    const bool after = at < end_ && is_word(text_[at]);
    return before != after;
  }

  // To step `pc` at `at`; on false pops what is left to try.
  bool match(std::uint32_t at) {
    std::uint32_t pc = p_.entry_;
    while (true) {
      if (--left_ < 0 || unknown_) return give_up();
      const Step& step = p_.steps_[pc];
      bool good = true;
      switch (step.op) {
        case Op::match: slots_[1] = at; return true;
        case Op::bytes:
          good = end_ - at >= step.max && same(text_ + at, p_.bytes_.data() + step.set, step.max);
          at += step.max;
          break;
        case Op::set: {
          const std::uint32_t next = at < end_ ? behind(p_.sets_[step.set], at) : kNowhere;
          good = next != kNowhere;
          at = next;
          break;
        }
        case Op::run: good = run_forth(pc, step, at); break;
        case Op::lazy: good = lazy_begin(pc, step, at); break;
        case Op::split: {
          const bool first = can_begin(step.next, at), second = can_begin(step.alt, at);
          if (first && second) choices_.push_back({step.alt, kNowhere, at});
          good = first || second;
          pc = first ? step.next : step.alt;
          if (good) continue;
          break;
        }
        case Op::save:
          if (!choices_.empty())
            choices_.push_back({step.min | PatternScratch::kUndo, slots_[step.min], 0});
          slots_[step.min] = at;
          break;
        case Op::begin: good = at == 0; break;
        case Op::end: good = at == end_; break;
        case Op::word_edge: good = is_word_edge(at); break;
      }
      pc = step.next;
      if (!good && !back(pc, at)) return false;
    }
  }

  // The next way that was not tried yet; false: there is none.
  bool back(std::uint32_t& pc, std::uint32_t& at) {
    while (!choices_.empty() && !unknown_) {
      const PatternScratch::Choice choice = choices_.back();
      choices_.pop_back();
      if ((choice.what & PatternScratch::kUndo) != 0) {
        slots_[choice.what & ~PatternScratch::kUndo] = choice.low;
        continue;
      }
      const Step& step = p_.steps_[choice.what];
      at = choice.at;
      if (choice.low == kNowhere) {
        pc = choice.what;
        return true;
      }
      pc = step.next;
      if (step.op == Op::run ? run_back(choice.what, step, choice.low, at)
                             : lazy_on(choice.what, step, choice.low, at))
        return true;
    }
    return false;
  }

  // As far as it goes, then back to where what follows can begin.
  bool run_forth(std::uint32_t pc, const Step& step, std::uint32_t& at) {
    const CharSet& set = p_.sets_[step.set];
    std::uint32_t low = at, count = 0;
    const std::uint32_t from = at;
    for (; at < end_ && count < step.max; ++count) {
      const std::uint32_t next = behind(set, at);
      if (next == kNowhere) break;
      at = next;
      if (count + 1 == step.min) low = at;
    }
    left_ -= (at - from) / 4;
    if (count < step.min) return false;
    if (step.sure || at == low) return can_begin(step.next, at);
    if (!can_begin(step.next, at)) return run_back(pc, step, low, at);
    choices_.push_back({pc, low, at});
    return true;
  }
  // Characters back from `at`, to the next place where what follows can begin.
  bool run_back(std::uint32_t pc, const Step& step, std::uint32_t low, std::uint32_t& at) {
    const std::uint32_t from = at;
    while (at > low) {
      --at;
      while (at > low && goes_on(text_[at])) --at;
      if (!can_begin(step.next, at)) continue;
      left_ -= (from - at) / 4;
      if (at > low) choices_.push_back({pc, low, at});
      return true;
    }
    left_ -= (from - at) / 4;
    return false;
  }

  bool lazy_begin(std::uint32_t pc, const Step& step, std::uint32_t& at) {
    const CharSet& set = p_.sets_[step.set];
    for (std::uint32_t count = 0; count < step.min; ++count) {
      at = at < end_ ? behind(set, at) : kNowhere;
      if (at == kNowhere) return false;
    }
    const std::uint32_t more =
        step.max == PatternNode::kForever ? kNowhere - 1 : step.max - step.min;
    if (!can_begin(step.next, at)) return lazy_on(pc, step, more, at);
    choices_.push_back({pc, more, at});
    return true;
  }
  // At least one more character, at most `more`.
  bool lazy_on(std::uint32_t pc, const Step& step, std::uint32_t more, std::uint32_t& at) {
    const CharSet& set = p_.sets_[step.set];
    const std::uint32_t from = at;
    while (at < end_ && more > 0) {
      at = behind(set, at);
      if (at == kNowhere) return false;
      if (more != kNowhere - 1) --more;
      if (!can_begin(step.next, at)) continue;
      left_ -= (at - from) / 4;
      choices_.push_back({pc, more, at});
      return true;
    }
    left_ -= (at - from) / 4;
    return false;
  }

  const PatternProgram& p_;
  const char* const text_;
  const std::uint32_t end_;
  std::vector<PatternScratch::Choice>& choices_;
  std::vector<std::uint32_t>& slots_;
  std::int64_t left_;          // steps
  const std::int64_t enough_;  // left when beginnings that led nowhere have taken too many
  bool unknown_ = false;
};

PatternProgram::Outcome PatternProgram::search(std::string_view text, std::string_view* groups,
                                               std::size_t count, PatternScratch& scratch) const {
  if (text.size() >= PatternScratch::kUndo) return Outcome::unknown;
  const Outcome outcome = Search(*this, text, scratch).run();
  if (outcome != Outcome::found) return outcome;
  for (std::size_t g = 0; g < count; ++g) {
    const bool there = 2 * g + 1 < slots_ && scratch.slots[2 * g] != kNowhere &&
                       scratch.slots[2 * g + 1] != kNowhere;
    groups[g] =
        there ? text.substr(scratch.slots[2 * g], scratch.slots[2 * g + 1] - scratch.slots[2 * g])
              : std::string_view{};
  }
  return outcome;
}

}  // namespace streamd
