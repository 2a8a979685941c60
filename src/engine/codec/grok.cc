// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/grok.h"

#include "engine/codec/grok_translate.h"
#include "engine/codec/utf8.h"

#include <algorithm>

namespace streamd {
namespace {

std::string hint_of(const std::string& message, const std::string& piece) {
  if (message.find("repetition operator") != std::string::npos)
    return "Possessive repetitions (++, *+, ?+) are not supported; leave out the second sign.";
  if (message.find("escape") != std::string::npos && piece.size() > 1 && piece[1] >= '1' &&
      piece[1] <= '9')
    return "References to what a group has matched are not supported.";
  return "Patterns are RE2: https://github.com/google/re2/wiki/Syntax";
}

GrokProblem told(const expr::Regex::Problem& wrong, const GrokTranslation& translation,
                 std::size_t pattern, std::size_t length) {
  GrokProblem problem{pattern, 0, length, {}, {}};
  std::string_view what = wrong.message;
  if (const std::string tail = ": " + wrong.piece; what.ends_with(tail))
    what.remove_suffix(tail.size());
  problem.message = "invalid pattern: " + std::string(what);
  const std::size_t at =
      wrong.piece.empty() ? std::string::npos : translation.regex().find(wrong.piece);
  if (at != std::string::npos && wrong.piece.size() < translation.regex().size()) {
    translation.locate(at, problem);
    problem.length = wrong.piece.size();
  }
  problem.hint = hint_of(wrong.message, wrong.piece);
  return problem;
}

// What is wrong with a pattern shows in each that refers to it.
void add(GrokProblem problem, std::vector<GrokProblem>& problems) {
  for (const GrokProblem& known : problems)
    if (known.pattern == problem.pattern && known.at == problem.at) return;
  problems.push_back(std::move(problem));
}

}  // namespace

Grok Grok::compile(std::string_view pattern, const Patterns& own, Style style,
                   std::vector<GrokProblem>& problems) {
  const std::size_t before = problems.size();
  // Each by itself first, so that an open parenthesis is told where it is.
  for (std::size_t i = 0; i < own.size(); ++i) {
    GrokTranslation alone(own, style);
    if (!alone.translate(own[i].second, i)) {
      add(alone.problem(), problems);
      continue;
    }
    auto regex = expr::Regex::compile(alone.regex());
    if (!regex) add(told(regex.error(), alone, i, own[i].second.size()), problems);
  }
  Grok grok;
  GrokTranslation translation(own, style);
  if (!translation.translate(pattern, GrokProblem::kMain)) {
    add(translation.problem(), problems);
    return grok;
  }
  if (problems.size() > before) return grok;
  auto regex = expr::Regex::compile(translation.regex());
  if (!regex) {
    problems.push_back(told(regex.error(), translation, GrokProblem::kMain, pattern.size()));
    return grok;
  }
  for (const GrokField& capture : translation.captures()) {
    const auto known = std::find_if(grok.fields_.begin(), grok.fields_.end(),
                                    [&](const GrokField& f) { return f.name == capture.name; });
    grok.field_of_.push_back(static_cast<std::size_t>(known - grok.fields_.begin()));
    if (known == grok.fields_.end())
      grok.fields_.push_back(capture);
    else if (known->type == GrokField::Type::text)
      known->type = capture.type;
  }
  if (grok.fields_.empty())
    problems.push_back({GrokProblem::kMain, 0, pattern.size(), "the pattern captures nothing",
                        style == Style::grok ? "Name a field: %{NUMBER:status:int}."
                                             : "Name a group: (?P<status>\\d+)."});
  grok.regex_ = std::move(*regex);
  grok.program_ = PatternProgram::compile(translation.regex());
  return grok;
}

bool Grok::search(std::string_view text, Scratch& scratch) const {
  std::vector<std::string_view>& groups = scratch.groups;
  groups.resize(field_of_.size() + 1);
  using Outcome = PatternProgram::Outcome;
  const Outcome outcome = program_ && is_utf8(text)
                              ? program_->search(text, groups.data(), groups.size(), scratch.search)
                              : Outcome::unknown;
  if (outcome != Outcome::unknown) return outcome == Outcome::found;
  return regex_.search(text, groups.data(), groups.size());
}

bool Grok::match(std::string_view text, std::string_view* values, Scratch& scratch) const {
  if (!search(text, scratch)) return false;
  std::fill_n(values, fields_.size(), std::string_view{});
  for (std::size_t g = 0; g < field_of_.size(); ++g) {
    std::string_view& value = values[field_of_[g]];
    if (value.data() == nullptr) value = scratch.groups[g + 1];
  }
  return true;
}

}  // namespace streamd
