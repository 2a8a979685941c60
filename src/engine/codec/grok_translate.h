// SPDX-License-Identifier: Apache-2.0
// From grok to a regular expression of RE2, remembering where each piece came from. Private to
// codec/.
#pragma once

#include "engine/codec/grok.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class GrokTranslation {
 public:
  GrokTranslation(const Grok::Patterns& own, Grok::Style style) : own_(own), style_(style) {}

  // The pattern itself (GrokProblem::kMain), or one's own by index. False: problem() says why.
  bool translate(std::string_view text, std::size_t pattern);
  const GrokProblem& problem() const { return problem_; }

  const std::string& regex() const { return regex_; }
  const std::vector<GrokField>& captures() const { return captures_; }  // by group
  // Where a byte of regex() comes from: sets pattern and at.
  void locate(std::size_t regex_at, GrokProblem& problem) const;

 private:
  struct Mark {
    std::size_t regex_at, pattern, at;
  };
  struct Piece {
    std::string_view text;
    std::size_t pattern, at;
  };
  bool fail(const Piece& piece, std::size_t length, std::string message, std::string hint = {});
  bool walk(Piece piece, std::size_t depth);
  bool reference(Piece& piece, std::size_t depth);
  bool group(Piece& piece);
  void char_class(Piece& piece);
  void copy(Piece& piece, std::size_t length);
  void mark(const Piece& piece) { marks_.push_back({regex_.size(), piece.pattern, piece.at}); }
  bool resolve(std::string_view name, std::string_view& text, std::size_t& pattern) const;

  const Grok::Patterns& own_;
  const Grok::Style style_;
  std::string regex_;
  std::vector<GrokField> captures_;
  std::vector<Mark> marks_;
  GrokProblem problem_;
  // Inside a standard pattern every problem belongs to who named it.
  Piece blame_;
};

}  // namespace streamd
