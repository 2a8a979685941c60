// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/yaml_text.h"

#include <algorithm>

namespace streamd::testing {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t indent_of(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  return first == std::string_view::npos ? line.size() : first;
}
// Nothing, or a comment.
bool says_nothing(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

}  // namespace

YamlText::YamlText(std::string_view text) : text_(text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) mark_ = kByteOrderMark.size();
  lines_.push_back(mark_);
  for (std::size_t i = mark_; i < text.size(); ++i)
    if (text[i] == '\n') lines_.push_back(i + 1);
}

std::size_t YamlText::offset(const Place& place) const {
  if (place.line == 0 || place.line > lines_.size()) return text_.size();
  return std::min(lines_[place.line - 1] + place.column - 1, text_.size());
}

Span YamlText::line_at(std::size_t byte) const {
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), byte);
  const std::size_t begin = next == lines_.begin() ? 0 : *(next - 1);
  std::size_t end = std::min(text_.find('\n', begin), text_.size());
  if (end > begin && text_[end - 1] == '\r') --end;
  return {begin, end};
}

std::optional<std::size_t> YamlText::quote_end(std::size_t open) const {
  const char quote = text_[open];
  for (std::size_t i = open + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> YamlText::flow_end(std::size_t open) const {
  std::size_t depth = 0;
  // Only where a value may begin do quotes open one and anchors mean something.
  bool at_start = true;
  for (std::size_t i = open; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '[' || c == '{') {
      ++depth;
      at_start = true;
    } else if (c == ']' || c == '}') {
      if (--depth == 0) return i + 1;
      at_start = false;
    } else if (at_start && (c == '"' || c == '\'')) {
      const auto end = quote_end(i);
      if (!end) return std::nullopt;
      i = *end - 1;
      at_start = false;
    } else if (at_start && (c == '&' || c == '*')) {
      return std::nullopt;
    } else if (c == '#' && i > 0 && (is_blank(text_[i - 1]) || text_[i - 1] == '\n')) {
      i = std::min(text_.find('\n', i), text_.size() - 1);
    } else if (c == ',' || c == ':') {
      at_start = true;
    } else if (!is_blank(c) && c != '\n' && c != '\r') {
      at_start = false;
    }
  }
  return std::nullopt;
}

// Of a block map: all lines that are indented as its first key is, or more.
std::size_t YamlText::block_end(std::size_t begin) const {
  const Span first = line_at(begin);
  const std::size_t column = begin - first.begin;
  std::size_t end = first.end;
  for (auto line = std::upper_bound(lines_.begin(), lines_.end(), begin); line != lines_.end();
       ++line) {
    const Span at = line_at(*line);
    const std::string_view text = text_.substr(at.begin, at.end - at.begin);
    if (says_nothing(text)) continue;
    if (indent_of(text) < column) break;
    end = at.end;
  }
  return end;
}

std::optional<std::size_t> YamlText::behind_key(const ConfigNode& key) const {
  std::size_t at = offset(key.place);
  if (at >= text_.size()) return std::nullopt;
  if (text_[at] == '"' || text_[at] == '\'') {
    const auto end = quote_end(at);
    if (!end) return std::nullopt;
    at = *end;
  } else {
    if (text_.substr(at, key.text.size()) != key.text) return std::nullopt;
    at += key.text.size();
  }
  while (at < text_.size() && is_blank(text_[at])) ++at;
  if (at >= text_.size() || text_[at] != ':') return std::nullopt;
  return at + 1;
}

bool YamlText::add_items(const ConfigNode& list, ListAt& at) const {
  std::size_t last = at.all.begin;
  for (const auto& item : list.items) {
    const std::size_t begin = offset(item.place);
    if (begin < last || begin >= text_.size()) return false;
    std::size_t end = 0;
    if (text_[begin] == '{' || text_[begin] == '[') {
      const auto close = flow_end(begin);
      if (!close) return false;
      end = *close;
    } else if (item.shape == ConfigNode::Shape::map && !at.flow) {
      end = block_end(begin);
    } else {
      return false;
    }
    at.items.push_back({begin, end});
    last = end;
  }
  return true;
}

std::optional<YamlText::ListAt> YamlText::list_of(const ConfigNode& key,
                                                  const ConfigNode& list) const {
  const auto behind = behind_key(key);
  if (!behind) return std::nullopt;
  ListAt at;
  at.after_key = *behind;
  const Span key_line = line_at(offset(key.place));
  at.key_column = offset(key.place) - key_line.begin;
  const std::string_view before = text_.substr(key_line.begin, at.key_column);
  at.key_starts_line = before.find_first_not_of(" -") == std::string_view::npos;
  std::size_t value = *behind;
  while (value < text_.size() && is_blank(text_[value])) ++value;
  if (value < text_.size() && text_[value] == '[') {
    const auto end = flow_end(value);
    if (!end) return std::nullopt;
    at.flow = true;
    at.all = {value, *end};
    return add_items(list, at) ? std::optional(at) : std::nullopt;
  }
  if (!says_nothing(text_.substr(value, key_line.end - value)) || list.items.empty())
    return std::nullopt;
  at.all.begin = key_line.end;
  if (!add_items(list, at)) return std::nullopt;
  const Span first = line_at(at.items.front().begin);
  const std::size_t dash = text_.substr(first.begin).find_first_not_of(' ');
  if (dash == std::string_view::npos || text_[first.begin + dash] != '-') return std::nullopt;
  at.dash_column = dash;
  at.all.end = at.items.back().end;
  return at;
}

std::optional<Span> YamlText::scalar(const ConfigNode& node) const {
  const std::size_t begin = offset(node.place);
  if (node.shape != ConfigNode::Shape::scalar || begin >= text_.size()) return std::nullopt;
  if (node.quoted) {
    if (text_[begin] != '"' && text_[begin] != '\'') return std::nullopt;
    const auto end = quote_end(begin);
    return end && *end <= line_at(begin).end ? std::optional(Span{begin, *end}) : std::nullopt;
  }
  if (node.text.empty() || text_.substr(begin, node.text.size()) != node.text) return std::nullopt;
  return Span{begin, begin + node.text.size()};
}

std::optional<std::string> apply(std::string_view text, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
    return a.span.begin < b.span.begin || (a.span.begin == b.span.begin && a.span.end < b.span.end);
  });
  std::string out;
  std::size_t at = 0;
  for (const auto& edit : edits) {
    if (edit.span.begin < at || edit.span.end > text.size()) return std::nullopt;
    out += text.substr(at, edit.span.begin - at);
    out += edit.text;
    at = edit.span.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace streamd::testing
