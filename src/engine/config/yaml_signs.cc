// SPDX-License-Identifier: Apache-2.0
#include "engine/config/yaml_signs.h"

#include "engine/config/source_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace streamd {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Reads as much of YAML as it takes to tell brackets and quotes from those inside of texts.
class Scan {
 public:
  Scan(std::string_view text, std::size_t end) : text_(text.substr(0, end)) {}

  std::optional<OpenSign> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#' && (at_ == 0 || is_blank(text_[at_ - 1])))
        skip_line();
      else if ((c == '"' || c == '\'') && begins_)
        quoted(c);
      else
        plain(c);
    }
    return open_.empty() ? std::nullopt : std::optional(open_.back());
  }

 private:
  void step() {
    if (text_[at_] == '\n') {
      ++line_;
      begin_of_line_ = at_ + 1;
      if (open_.empty()) begins_ = true;
    }
    ++at_;
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
  OpenSign here(char sign) const {
    return {sign, {0, line_, static_cast<std::uint32_t>(at_ - begin_of_line_ + 1), 1}};
  }

  void quoted(char quote) {
    open_.push_back(here(quote));
    for (step(); at_ < text_.size(); step()) {
      const char c = text_[at_];
      if (quote == '"' && c == '\\' && at_ + 1 < text_.size()) {
        step();
        continue;
      }
      if (c != quote) continue;
      if (quote == '\'' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        step();
        continue;
      }
      open_.pop_back();
      step();
      begins_ = false;
      return;
    }
  }

  // A value may begin behind a bracket, a comma in brackets, and a colon or dash with a blank.
  void plain(char c) {
    const bool last = at_ + 1 >= text_.size() || is_blank(text_[at_ + 1]);
    const bool inside = !open_.empty();
    if ((c == '[' || c == '{') && begins_) {
      open_.push_back(here(c));
    } else if ((c == ']' || c == '}') && inside) {
      const char wanted = c == ']' ? '[' : '{';
      if (open_.back().sign == wanted) open_.pop_back();
      begins_ = false;
    } else if ((c == ':' && last) || (c == ',' && inside) || (c == '-' && last && begins_)) {
      begins_ = true;
    } else if (!is_blank(c)) {
      begins_ = false;
    }
    step();
  }

  std::string_view text_;
  std::size_t at_ = 0, begin_of_line_ = 0;
  std::uint32_t line_ = 1;
  bool begins_ = true;  // a value may begin here
  std::vector<OpenSign> open_;
};

std::size_t indent_of(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first == std::string_view::npos ? line.size() : first;
}

std::string_view content(std::string_view line) {
  const std::size_t comment = line.find(" #");
  line = line.substr(0, comment);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

// The last line above `number` that has something in it.
std::uint32_t line_above(const SourceLines& lines, std::uint32_t number) {
  for (std::uint32_t n = number - 1; n > 0; --n) {
    const std::string_view line = content(lines.line(n));
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#') return n;
  }
  return 0;
}

Place begin_of(const SourceLines& lines, const Place& place) {
  Place out = place;
  const std::string_view line = lines.line(place.line);
  out.column = static_cast<std::uint32_t>(std::min(indent_of(line), line.size())) + 1;
  return out;
}

std::size_t offset_of(std::string_view text, const Place& place) {
  std::size_t at = 0;
  for (std::uint32_t n = 1; n < place.line && at < text.size(); ++n) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  return std::min(text.size(), at + place.column - 1);
}

// A key in a place where there can be none: the line above says why.
SyntaxProblem misplaced_key(const SourceLines& lines, const Place& place) {
  const std::string_view line = content(lines.line(place.line));
  const std::uint32_t above = line_above(lines, place.line);
  const std::string_view before = above == 0 ? "" : content(lines.line(above));
  if (above > 0 && indent_of(line) > indent_of(before)) {
    if (before.find(':') == std::string_view::npos) {
      Place at = begin_of(lines, {place.file, above, 1, 1});
      at.length = static_cast<std::uint32_t>(before.size() - indent_of(before));
      return {at, "not valid YAML: this line has no colon, but what is below belongs to it",
              fmt::format("write {}:", before.substr(indent_of(before)))};
    }
    if (before.back() != ':')
      return {begin_of(lines, place),
              "not valid YAML: this line is indented deeper than the one above, which has its "
              "value already",
              fmt::format("begin it in column {}, as the line above", indent_of(before) + 1)};
  }
  return {place, "not valid YAML: a colon in a text",
          "put quotes around a text that contains \": \""};
}

SyntaxProblem open_bracket(const OpenSign& open, const Place& place) {
  Place at = open.place;
  at.file = place.file;
  const bool quote = open.sign == '"' || open.sign == '\'';
  if (quote)
    return {at, "not valid YAML: the text that begins here is not closed",
            fmt::format("close it with {}", open.sign)};
  const char closing = open.sign == '[' ? ']' : '}';
  return {at, fmt::format("not valid YAML: this {} is not closed", open.sign),
          fmt::format("close it with {}, and put quotes around texts with one of , : {{ }} [ ]",
                      closing)};
}

}  // namespace

std::optional<OpenSign> open_sign(std::string_view text, std::size_t at) {
  return Scan(text, at).run();
}

bool is_closed_quote(std::string_view text, const Place& begin) {
  const std::size_t at = offset_of(text, begin);
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return true;
  const auto open = open_sign(text.substr(at), text.size());
  return !open || open->place.line != 1 || open->place.column != 1;
}

SyntaxProblem explain_syntax(std::string_view text, const Place& place, const std::string& told) {
  const SourceLines lines(text);
  const std::string_view line = lines.line(place.line);
  const auto says = [&](std::string_view part) { return told.find(part) != std::string::npos; };
  const std::size_t first = line.find_first_not_of(' ');
  if (first != std::string_view::npos && line[first] == '\t') {
    Place at = place;
    at.column = static_cast<std::uint32_t>(first) + 1;
    return {at, "not valid YAML: a tab in the indentation", "indent with spaces, not tabs"};
  }
  const std::size_t at = offset_of(text, place);
  const auto open = open_sign(text, at);
  const bool same_line = open && open->place.line == place.line;
  // A value with a colon in brackets ends where the colon stands.
  if (same_line && says("end of map flow") && at < text.size() && text[at] == ':')
    return {place, "not valid YAML: a colon in a text",
            "put quotes around a text that contains \": \""};
  if (const std::size_t braces = line.find(": {{"); braces != std::string_view::npos)
    return {{place.file, place.line, static_cast<std::uint32_t>(braces) + 3, 2},
            "not valid YAML: {{ at the beginning of a text without quotes",
            "put quotes around the whole text: \"{{ … }} …\""};
  if (open && (open->sign == '"' || open->sign == '\'' || says("flow")))
    return open_bracket(*open, place);
  if (says("illegal map value")) return misplaced_key(lines, place);
  if (says("unknown token") && at < text.size())
    return {place,
            fmt::format("not valid YAML: a text without quotes cannot begin with {}", text[at]),
            "put quotes around it"};
  std::string hint = "put quotes around texts that begin with one of { [ * & ! % @ ` > |";
  if (says("end of map not found") || says("end of sequence not found"))
    hint = "check the indentation of this line and the one above";
  if (says("flow")) hint = "check that every [ and { is closed";
  if (says("anchor")) hint = "define it above with &name";
  return {place, "not valid YAML: " + told, hint};
}

}  // namespace streamd
