// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/pattern_tree.h"

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t kMaxDepth = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

CharSet words() {
  CharSet set;
  set.add('0', '9');
  set.add('A', 'Z');
  set.add('a', 'z');
  set.add('_');
  return set;
}
CharSet digits() {
  CharSet set;
  set.add('0', '9');
  return set;
}
CharSet blanks() {
  CharSet set;
  for (const unsigned c : {'\t', '\n', '\f', '\r', ' '}) set.add(c);
  return set;
}

std::optional<CharSet> set_named(char c) {
  CharSet set = (c | 0x20) == 'd' ? digits() : (c | 0x20) == 'w' ? words() : blanks();
  switch (c) {
    case 'd':
    case 'w':
    case 's': return set;
    case 'D':
    case 'W':
    case 'S': set.invert(); return set;
    default: return std::nullopt;
  }
}

// [:name:] without its brackets.
std::optional<CharSet> posix_set(std::string_view name) {
  CharSet set;
  if (name == "word") return words();
  if (name == "digit") return digits();
  if (name == "alnum" || name == "alpha" || name == "lower" || name == "xdigit" ||
      name == "upper") {
    if (name == "alnum" || name == "xdigit") set.add('0', '9');
    if (name != "upper") set.add('a', name == "xdigit" ? 'f' : 'z');
    if (name != "lower") set.add('A', name == "xdigit" ? 'F' : 'Z');
    return set;
  }
  if (name == "space") {
    set.add('\t', '\r');
    set.add(' ');
    return set;
  }
  if (name == "punct") {
    set.add('!', '/');
    set.add(':', '@');
    set.add('[', '`');
    set.add('{', '~');
    return set;
  }
  return std::nullopt;
}

// Both cases. k and s have further forms beyond ASCII.
void fold(CharSet& set) {
  for (unsigned c = 'a'; c <= 'z'; ++c) {
    const bool either = set.has(static_cast<char>(c)) || set.has(static_cast<char>(c - 32));
    if (!either) continue;
    set.add(c);
    set.add(c - 32);
    if (c == 'k' || c == 's') set.unsure = true;
  }
}

class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(text) {}

  std::optional<PatternNode> read() {
    PatternNode node = choice(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    return node;
  }

 private:
  bool more() const { return !failed_ && at_ < text_.size(); }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  PatternNode fail() {
    failed_ = true;
    return {};
  }
  static PatternNode of(Kind kind) {
    PatternNode node;
    node.kind = kind;
    return node;
  }
  static PatternNode of(CharSet set) {
    PatternNode node = of(Kind::set);
    node.set = set;
    return node;
  }

  PatternNode choice(std::size_t depth) {
    if (depth > kMaxDepth) return fail();
    const bool fold_before = fold_;
    PatternNode all = of(Kind::choice);
    do all.kids.push_back(chain(depth));
    while (take("|"));
    fold_ = fold_before;
    return all.kids.size() == 1 ? std::move(all.kids[0]) : all;
  }

  PatternNode chain(std::size_t depth) {
    PatternNode all = of(Kind::chain);
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      PatternNode node = atom(depth);
      if (more()) node = repeated(std::move(node));
      all.kids.push_back(std::move(node));
    }
    if (all.kids.empty()) return {};
    return all.kids.size() == 1 ? std::move(all.kids[0]) : all;
  }

  PatternNode atom(std::size_t depth) {
    const char c = text_[at_++];
    switch (c) {
      case '(': return group(depth);
      case '[': return char_class();
      case '\\': return escape();
      case '^': return of(Kind::begin);
      case '$': return of(Kind::end);
      case '.': {
        CharSet set;
        set.add('\n');
        set.invert();
        return of(set);
      }
      case '*':
      case '+':
      case '?': return fail();
      default: return character(c);
    }
  }

  PatternNode character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      const char low = static_cast<char>(c | 0x20);
      if (!fold_ || low < 'a' || low > 'z') return literal(c);
      CharSet set;
      set.add(byte);
      fold(set);
      return of(set);
    }
    if (fold_) return fail();
    PatternNode all = of(Kind::chain);
    all.kids.push_back(literal(c));
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80)
      all.kids.push_back(literal(text_[at_++]));
    return all;
  }
  static PatternNode literal(char c) {
    PatternNode node = of(Kind::byte);
    node.byte = c;
    return node;
  }

  PatternNode group(std::size_t depth) {
    PatternNode node;
    const bool fold_before = fold_;
    if (take("?i)")) {
      fold_ = true;
      return node;
    }
    std::uint32_t number = 0;
    if (take("?i:"))
      fold_ = true;
    else if (!take("?:")) {
      if (at_ < text_.size() && text_[at_] == '?') return fail();
      number = ++groups_;
    }
    PatternNode inner = choice(depth + 1);
    fold_ = fold_before;
    if (!take(")")) return fail();
    if (number == 0) return inner;
    node.kind = Kind::capture;
    node.group = number;
    node.kids.push_back(std::move(inner));
    return node;
  }

  // A character behind a backslash, as a number; -1: it is none of those that are read.
  int escaped_char() {
    if (!more()) return -1;
    const char c = text_[at_++];
    switch (c) {
      case 't': return '\t';
      case 'n': return '\n';
      case 'r': return '\r';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'a': return '\a';
      case 'x': {
        if (at_ + 2 > text_.size()) return -1;
        const int high = hex_digit(text_[at_]), low = hex_digit(text_[at_ + 1]);
        at_ += 2;
        return high < 0 || high > 7 || low < 0 ? -1 : high * 16 + low;
      }
      default: break;
    }
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = words().has(c);
    return letter || byte >= 0x80 || byte < ' ' ? -1 : c;
  }

  PatternNode escape() {
    if (!more()) return fail();
    const char c = text_[at_];
    if (const auto set = set_named(c)) {
      ++at_;
      return of(*set);
    }
    const Kind edge = c == 'b'   ? Kind::word_edge
                      : c == 'A' ? Kind::begin
                      : c == 'z' ? Kind::end
                                 : Kind::empty;
    if (edge != Kind::empty) {
      ++at_;
      return of(edge);
    }
    const int code = escaped_char();
    return code < 0 ? fail() : character(static_cast<char>(code));
  }

  PatternNode char_class() {
    const bool inverted = take("^");
    CharSet set;
    bool first = true;
    while (more() && (first || text_[at_] != ']')) {
      first = false;
      if (!class_item(set)) return fail();
    }
    if (!take("]")) return fail();
    if (fold_) fold(set);
    if (inverted) set.invert();
    return of(set);
  }

  bool class_item(CharSet& set) {
    if (take("[:")) {
      const std::size_t end = text_.find(":]", at_);
      if (end == std::string_view::npos) return false;
      const auto named = posix_set(text_.substr(at_, end - at_));
      at_ = end + 2;
      if (named) set.add(*named);
      return named.has_value();
    }
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      if (const auto named = set_named(text_[at_ + 1])) {
        at_ += 2;
        set.add(*named);
        return !named->wide;
      }
    }
    const int from = class_char();
    if (from < 0) return false;
    int to = from;
    if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
      ++at_;
      to = class_char();
    }
    if (to < from) return false;
    set.add(static_cast<unsigned>(from), static_cast<unsigned>(to));
    return true;
  }
  int class_char() {
    const char c = text_[at_++];
    if (c == '\\') return escaped_char();
    return static_cast<unsigned char>(c) < 0x80 ? c : -1;
  }

  PatternNode repeated(PatternNode node) {
    PatternNode all = of(Kind::repeat);
    if (take("*")) {
      all.max = PatternNode::kForever;
    } else if (take("+")) {
      all.min = 1;
      all.max = PatternNode::kForever;
    } else if (take("?")) {
      all.max = 1;
    } else if (!counts(all)) {
      return node;
    }
    all.greedy = !take("?");
    const bool again = more() && std::string_view("*+?").find(text_[at_]) != std::string_view::npos;
    PatternNode more_counts;
    if (again || counts(more_counts)) return fail();
    all.kids.push_back(std::move(node));
    return all;
  }
  // {2}, {2,} or {2,5}; what looks otherwise is text.
  bool counts(PatternNode& node) {
    const std::size_t before = at_;
    const bool good = take("{") && number(node.min);
    node.max = node.min;
    if (good && take(",")) {
      node.max = PatternNode::kForever;
      if (at_ < text_.size() && is_digit(text_[at_])) number(node.max);
    }
    if (good && take("}")) return true;
    at_ = before;
    return false;
  }
  bool number(std::uint32_t& into) {
    const std::size_t before = at_;
    into = 0;
    while (at_ < text_.size() && is_digit(text_[at_]) && into < 10'000)
      into = into * 10 + static_cast<std::uint32_t>(text_[at_++] - '0');
    return at_ > before;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t groups_ = 0;
  bool fold_ = false, failed_ = false;
};

}  // namespace

std::optional<PatternNode> read_pattern(std::string_view pattern) {
  return PatternReader(pattern).read();
}

}  // namespace streamd
