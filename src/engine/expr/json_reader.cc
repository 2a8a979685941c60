// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/json_reader.h"

#include "engine/expr/lexer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

namespace streamd::expr {
namespace {

constexpr int kMaxNesting = 100;

class Reader {
 public:
  Reader(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

  Value run() {
    Value out;
    skip();
    if (!value(out, 0)) return broken();
    skip();
    return at_ == text_.size() ? out : broken();
  }

 private:
  static Value broken() { return Value::error("the field is no valid JSON"); }
  void skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }

  bool value(Value& out, int depth) {
    if (at_ >= text_.size() || depth > kMaxNesting) return false;
    switch (text_[at_]) {
      case '{': return object(out, depth);
      case '[': return array(out, depth);
      case '"': {
        std::string_view s;
        if (!string(s)) return false;
        out = Value::string(s);
        return true;
      }
      case 't': out = Value::boolean(true); return word("true");
      case 'f': out = Value::boolean(false); return word("false");
      case 'n': out = Value::null(); return word("null");
      default: return number(out);
    }
  }

  Value* copy_from(std::size_t mark) {
    const std::size_t count = stack_.size() - mark;
    Value* items = arena_.values(count);
    if (count > 0) std::memcpy(items, stack_.data() + mark, count * sizeof(Value));
    stack_.resize(mark);
    return items;
  }

  bool array(Value& out, int depth) {
    ++at_;
    const std::size_t mark = stack_.size();
    skip();
    if (!accept(']')) {
      do {
        skip();
        Value item;
        if (!value(item, depth + 1)) return false;
        stack_.push_back(item);
        skip();
      } while (accept(','));
      if (!accept(']')) return false;
    }
    const auto count = static_cast<std::uint32_t>(stack_.size() - mark);
    out = Value::list(copy_from(mark), count);
    return true;
  }

  // Repeated keys stay: look-ups search from the end, so the last one counts.
  bool object(Value& out, int depth) {
    ++at_;
    const std::size_t mark = stack_.size();
    skip();
    if (!accept('}')) {
      do {
        skip();
        std::string_view key;
        if (!string(key)) return false;
        skip();
        if (!accept(':')) return false;
        skip();
        Value item;
        if (!value(item, depth + 1)) return false;
        stack_.push_back(Value::string(key));
        stack_.push_back(item);
        skip();
      } while (accept(','));
      if (!accept('}')) return false;
    }
    const auto count = static_cast<std::uint32_t>((stack_.size() - mark) / 2);
    out = Value::map(copy_from(mark), count);
    return true;
  }

  bool string(std::string_view& out) {
    if (!accept('"')) return false;
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      ++at_;
    }
    if (at_ >= text_.size()) return false;
    if (text_[at_] == '"') {
      out = text_.substr(start, at_ - start);
      ++at_;
      return true;
    }
    std::string decoded(text_.substr(start, at_ - start));
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] != '\\')
        decoded.push_back(text_[at_++]);
      else if (!escape(decoded))
        return false;
    }
    if (!accept('"')) return false;
    out = arena_.copy(decoded);
    return true;
  }

  bool hex4(std::uint32_t& code) {
    if (at_ + 4 > text_.size()) return false;
    const char* begin = text_.data() + at_;
    const auto [end, problem] = std::from_chars(begin, begin + 4, code, 16);
    if (problem != std::errc() || end != begin + 4) return false;
    at_ += 4;
    return true;
  }

  bool escape(std::string& into) {
    ++at_;
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    switch (c) {
      case '"':
      case '\\':
      case '/': into.push_back(c); return true;
      case 'b': into.push_back('\b'); return true;
      case 'f': into.push_back('\f'); return true;
      case 'n': into.push_back('\n'); return true;
      case 'r': into.push_back('\r'); return true;
      case 't': into.push_back('\t'); return true;
      case 'u': break;
      default: return false;
    }
    std::uint32_t code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      if (!word("\\u") || !hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return false;
    }
    append_utf8(code, into);
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > start;
  }

  bool number(Value& out) {
    const std::size_t start = at_;
    bool integral = true;
    accept('-');
    if (!accept('0') && !digits()) return false;
    if (accept('.')) {
      integral = false;
      if (!digits()) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      integral = false;
      ++at_;
      if (!accept('+')) accept('-');
      if (!digits()) return false;
    }
    const char* begin = text_.data() + start;
    const char* end = text_.data() + at_;
    std::int64_t i = 0;
    std::uint64_t u = 0;
    double d = 0;
    if (integral && std::from_chars(begin, end, i).ec == std::errc())
      out = Value::int64(i);
    else if (integral && std::from_chars(begin, end, u).ec == std::errc())
      out = Value::uint64(u);
    else if (std::from_chars(begin, end, d).ec == std::errc())
      out = Value::float64(d);
    else
      return false;
    return true;
  }

  std::string_view text_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::vector<Value> stack_;
};

}  // namespace

Value read_json(std::string_view text, Arena& arena) { return Reader(text, arena).run(); }

Value member(const Value& map, std::string_view key) {
  for (std::uint32_t i = map.is(Kind::map) ? map.size() : 0; i-- > 0;)
    if (map.items()[2 * i].is(Kind::string) && map.items()[2 * i].text() == key)
      return map.items()[2 * i + 1];
  return Value::missing();
}

Value at_path(const Value& root, std::string_view path) {
  const std::size_t dot = std::min(path.find('.'), path.size());
  const std::string_view first = path.substr(0, dot),
                         rest = path.substr(std::min(dot + 1, path.size()));
  if (root.is(Kind::list)) {
    std::uint32_t i = 0;
    const auto [end, problem] = std::from_chars(first.data(), first.data() + first.size(), i);
    if (problem != std::errc() || end != first.data() + first.size() || i >= root.size())
      return Value::missing();
    return dot == path.size() ? root.items()[i] : at_path(root.items()[i], rest);
  }
  if (const Value whole = member(root, path); !whole.is(Kind::missing)) return whole;
  return dot == path.size() ? Value::missing() : at_path(member(root, first), rest);
}

}  // namespace streamd::expr
