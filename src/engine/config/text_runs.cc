// SPDX-License-Identifier: Apache-2.0
#include "engine/config/text_runs.h"

#include <algorithm>
#include <cstdint>

namespace streamd {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Bytes of the character that begins with this one.
std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Goes through file and value side by side.
class Walk {
 public:
  Walk(std::string_view source, const Place& begin, std::string_view value)
      : source_(source),
        value_(value.substr(0, value.find_last_not_of(" \t\r\n") + 1)),
        line_(begin.line),
        column_(begin.column) {}

  std::vector<TextRun> runs() {
    skip_properties();
    find_style();
    if (value_.empty()) take(0, 0);
    while (v_ < value_.size())
      if (!step()) return {};
    return std::move(runs_);
  }

 private:
  bool at_end() const { return s_ >= source_.size(); }
  char here() const { return source_[s_]; }
  char after(std::size_t n) const { return s_ + n < source_.size() ? source_[s_ + n] : '\0'; }

  void skip(std::size_t n) {
    for (; n > 0 && !at_end(); --n, ++s_) {
      column_ = here() == '\n' ? 1 : column_ + 1;
      line_ += here() == '\n' ? 1 : 0;
    }
  }
  // An anchor or a tag in front of the scalar.
  void skip_properties() {
    while (!at_end() && (here() == '&' || here() == '!')) {
      while (!at_end() && !is_space(here())) skip(1);
      while (!at_end() && is_space(here())) skip(1);
    }
  }
  void find_style() {
    if (at_end()) return;
    if (here() == '"' || here() == '\'') {
      quote_ = here();
      skip(1);
    } else if (here() == '|' || here() == '>') {
      while (!at_end() && here() != '\n') skip(1);
    }
  }

  // `written` bytes of the file are `meant` bytes of the value.
  void take(std::size_t written, std::size_t meant) {
    if (!together_) runs_.push_back({static_cast<std::uint32_t>(v_), line_, column_});
    together_ = written == meant;
    skip(written);
    v_ += meant;
  }

  bool step() {
    if (at_end()) return false;
    if (quote_ == '"' && here() == '\\') return step_escape();
    if (quote_ == '\'' && here() == '\'' && after(1) == '\'') {
      take(2, 1);
      return true;
    }
    if (is_space(here())) return step_space();
    if (here() != value_[v_]) return false;
    take(1, 1);
    return true;
  }

  bool step_escape() {
    const char c = after(1);
    if (c == '\n' || c == '\r') {  // the line goes on in the next one
      skip(1);
      while (!at_end() && is_space(here())) skip(1);
      together_ = false;
      return true;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    take(2 + digits, std::min(character_bytes(value_[v_]), value_.size() - v_));
    together_ = false;
    return true;
  }

  // Around a line end only the parser knows what is left of the blanks.
  bool step_space() {
    std::size_t end = s_;
    while (end < source_.size() && is_space(source_[end])) ++end;
    const std::string_view blanks = source_.substr(s_, end - s_);
    if (blanks.find('\n') == std::string_view::npos) {
      if (value_.substr(v_, blanks.size()) != blanks) return false;
      take(blanks.size(), blanks.size());
      return true;
    }
    skip(blanks.size());
    while (v_ < value_.size() && is_space(value_[v_])) ++v_;
    together_ = false;
    return true;
  }

  std::string_view source_, value_;  // the value without the blanks at its end
  std::size_t s_ = 0, v_ = 0;
  std::uint32_t line_, column_;  // of source_[s_]
  char quote_ = 0;
  bool together_ = false;  // the next byte belongs to the last run
  std::vector<TextRun> runs_;
};

}  // namespace

std::vector<TextRun> text_runs(std::string_view source, const Place& begin,
                               std::string_view value) {
  return Walk(source, begin, value).runs();
}

}  // namespace streamd
