// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/grok_translate.h"

#include "engine/api/diagnostics.h"
#include "engine/codec/grok_patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace streamd {
namespace {

constexpr std::size_t kStandard = GrokProblem::kMain - 1;  // a pattern that is not the user's
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxRegex = 64 * 1024;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '@';
}
bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

// [a][b] is a.b; "" when it is no name at all.
std::string field_name(std::string_view text) {
  if (is_name(text)) return std::string(text);
  std::string name;
  while (!text.empty()) {
    const std::size_t end = text.find(']');
    if (text.front() != '[' || end == std::string_view::npos) return {};
    const std::string_view part = text.substr(1, end - 1);
    if (!is_name(part)) return {};
    name += (name.empty() ? "" : ".") + std::string(part);
    text.remove_prefix(end + 1);
  }
  return name;
}

std::optional<GrokField::Type> type_named(std::string_view text) {
  if (text.empty() || text == "string") return GrokField::Type::text;
  if (text == "int" || text == "long") return GrokField::Type::int64;
  if (text == "float" || text == "double") return GrokField::Type::float64;
  return std::nullopt;
}

}  // namespace

bool GrokTranslation::fail(const Piece& piece, std::size_t length, std::string message,
                           std::string hint) {
  const Piece& where = piece.pattern == kStandard ? blame_ : piece;
  problem_ = {where.pattern, where.at, std::max<std::size_t>(length, 1), std::move(message),
              std::move(hint)};
  return false;
}

bool GrokTranslation::resolve(std::string_view name, std::string_view& text,
                              std::size_t& pattern) const {
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (own_[i].first != name) continue;
    text = own_[i].second;
    pattern = i;
    return true;
  }
  text = standard_grok_pattern(name);
  pattern = kStandard;
  return text.data() != nullptr;
}

void GrokTranslation::copy(Piece& piece, std::size_t length) {
  length = std::min(length, piece.text.size());
  regex_ += piece.text.substr(0, length);
  piece.text.remove_prefix(length);
  piece.at += length;
}

bool GrokTranslation::translate(std::string_view text, std::size_t pattern) {
  return walk({text, pattern, 0}, 0);
}

bool GrokTranslation::walk(Piece piece, std::size_t depth) {
  mark(piece);
  while (!piece.text.empty()) {
    if (regex_.size() > kMaxRegex)
      return fail(piece, 1, "the pattern is too large", "Refer to fewer or smaller patterns.");
    const char c = piece.text[0];
    if (piece.text.starts_with("\\Q")) {
      // Plain text up to \E: brackets in it are none.
      const std::size_t end = piece.text.find("\\E", 2);
      copy(piece, end == std::string_view::npos ? end : end + 2);
      if (end == std::string_view::npos) regex_ += "\\E";
    } else if (c == '\\') {
      copy(piece, 2);
    } else if (c == '[') {
      char_class(piece);
    } else if (c == '(') {
      if (!group(piece)) return false;
    } else if (c == '%' && style_ == Grok::Style::grok && piece.text.starts_with("%{")) {
      if (!reference(piece, depth)) return false;
    } else {
      copy(piece, 1);
    }
  }
  return true;
}

bool GrokTranslation::reference(Piece& piece, std::size_t depth) {
  const std::size_t end = piece.text.find('}');
  if (end == std::string_view::npos)
    return fail(piece, 2, "%{ without }", "Write %{NAME:field}, or \\%{ for the characters.");
  const Piece whole = piece;
  const std::size_t length = end + 1;
  std::string_view inner = piece.text.substr(2, end - 2);
  const std::string_view name = inner.substr(0, inner.find(':'));
  inner.remove_prefix(std::min(inner.size(), name.size() + 1));
  const std::size_t colon = inner.rfind(':');
  const std::string_view field_text = inner.substr(0, colon);
  const std::string_view type_text =
      colon == std::string_view::npos ? std::string_view{} : inner.substr(colon + 1);

  std::string_view text;
  std::size_t pattern = 0;
  if (!resolve(name, text, pattern)) {
    std::vector<std::string> known = standard_grok_names();
    for (const auto& [own, ignored] : own_) known.push_back(own);
    const std::string near = closest(std::string(name), known);
    return fail(
        whole, length, fmt::format("there is no pattern \"{}\"", name),
        near.empty() ? "Add it below patterns." : fmt::format("Did you mean \"{}\"?", near));
  }
  if (depth >= kMaxDepth)
    return fail(whole, length, fmt::format("pattern \"{}\" refers to itself", name),
                "Take the reference out.");
  const bool captures = whole.text[2 + name.size()] == ':';
  if (captures) {
    const std::string field = field_name(field_text);
    if (field.empty())
      return fail(whole, length, fmt::format("\"{}\" is no name of a field", field_text),
                  "Names are letters, digits, _, - and dots, or [a][b].");
    const auto type = type_named(type_text);
    if (!type)
      return fail(whole, length, fmt::format("there is no type \"{}\"", type_text),
                  "Types are int, double and string.");
    captures_.push_back({field, *type});
  }
  regex_ += captures ? "(" : "(?:";
  const Piece outer = blame_;
  if (piece.pattern != kStandard) blame_ = whole;
  if (!walk({text, pattern, 0}, depth + 1)) return false;
  blame_ = outer;
  regex_ += ')';
  piece.text.remove_prefix(length);
  piece.at += length;
  mark(piece);
  return true;
}

bool GrokTranslation::group(Piece& piece) {
  const std::string_view text = piece.text;
  if (!text.starts_with("(?")) {
    regex_ += "(?:";
    piece.text.remove_prefix(1);
    ++piece.at;
    mark(piece);
    return true;
  }
  const auto is = [&](std::string_view opening) { return text.starts_with(opening); };
  if (is("(?=") || is("(?!") || is("(?<=") || is("(?<!"))
    return fail(piece, is("(?<") ? 4 : 3, "look-ahead and look-behind are not supported",
                "Use \\b for the edge of a word, or match the characters around it as well.");
  if (is("(?>"))
    return fail(piece, 3, "atomic groups are not supported",
                "Write (?: instead: matching takes linear time in any case.");
  const std::size_t open = is("(?P<") ? 4 : is("(?<") ? 3 : 0;
  if (open == 0) {
    copy(piece, 2);
    return true;
  }
  const std::size_t end = text.find('>');
  const std::string_view name =
      end == std::string_view::npos ? std::string_view{} : text.substr(open, end - open);
  const std::string field = field_name(name);
  if (field.empty()) return fail(piece, open, "a named group needs a name", "Write (?P<name>…).");
  captures_.push_back({field, GrokField::Type::text});
  regex_ += '(';
  piece.text.remove_prefix(end + 1);
  piece.at += end + 1;
  mark(piece);
  return true;
}

// Up to the bracket that closes it: what is inside is no reference and no group.
void GrokTranslation::char_class(Piece& piece) {
  const std::string_view text = piece.text;
  std::size_t at = 1;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') ++at;
  while (at < text.size() && text[at] != ']') {
    if (text[at] == '\\') {
      at += 2;
    } else if (text.substr(at).starts_with("[:")) {
      const std::size_t end = text.find(":]", at + 2);
      at = end == std::string_view::npos ? at + 1 : end + 2;
    } else {
      ++at;
    }
  }
  copy(piece, at + 1);
}

void GrokTranslation::locate(std::size_t regex_at, GrokProblem& problem) const {
  const auto after =
      std::upper_bound(marks_.begin(), marks_.end(), regex_at,
                       [](std::size_t at, const Mark& mark) { return at < mark.regex_at; });
  for (auto mark = after; mark != marks_.begin();) {
    --mark;
    if (mark->pattern == kStandard) continue;
    problem.pattern = mark->pattern;
    problem.at = mark->at + (mark + 1 == after ? regex_at - mark->regex_at : 0);
    return;
  }
}

}  // namespace streamd
