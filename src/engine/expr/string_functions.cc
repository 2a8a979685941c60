// SPDX-License-Identifier: Apache-2.0
// Functions of texts. Offsets count code points.
#include "engine/expr/functions.h"
#include "engine/expr/network_functions.h"
#include "engine/expr/scalar.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace streamd::expr {
namespace {

Value mismatch(const Call& c) {
  return no_overload(c.context, c.node.function->name, c.args, c.count);
}

bool texts(const Call& c, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (!c[i].is(Kind::string)) return false;
  return true;
}

bool continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Byte offset of a code point; nullopt behind the end. size() itself is allowed.
std::optional<std::size_t> byte_of(std::string_view text, std::int64_t point) {
  if (point < 0) return std::nullopt;
  std::size_t at = 0;
  for (; point > 0; --point) {
    if (at >= text.size()) return std::nullopt;
    ++at;
    while (at < text.size() && continuation(text[at])) ++at;
  }
  return at;
}
std::int64_t point_of(std::string_view text, std::size_t byte) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < byte; ++i) count += !continuation(text[i]);
  return count;
}

Value out_of_bounds() { return Value::error("offset is out of bounds of the text"); }

Value copied(const Call& c, const std::string& text) {
  if (!c.context.spend(text.size() / 16 + 1)) return too_costly();
  return Value::string(c.context.arena.copy(text));
}

Value contains(const Call& c) {
  if (c[0].is(Kind::cidr)) return network_contains(c);
  if (!texts(c, 2)) return mismatch(c);
  return Value::boolean(c[0].text().find(c[1].text()) != std::string_view::npos);
}
Value starts_with(const Call& c) {
  return texts(c, 2) ? Value::boolean(c[0].text().starts_with(c[1].text())) : mismatch(c);
}
Value ends_with(const Call& c) {
  return texts(c, 2) ? Value::boolean(c[0].text().ends_with(c[1].text())) : mismatch(c);
}

Value matches(const Call& c) {
  if (!texts(c, 2)) return mismatch(c);
  const re2::StringPiece text(c[0].text().data(), c[0].text().size());
  if (c.node.pattern != nullptr)
    return Value::boolean(re2::RE2::PartialMatch(text, *c.node.pattern));
  if (!c.context.spend(1000)) return too_costly();
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  const re2::RE2 pattern(re2::StringPiece(c[1].text().data(), c[1].text().size()), options);
  if (!pattern.ok()) return failure(c.context, "invalid pattern: " + pattern.error());
  return Value::boolean(re2::RE2::PartialMatch(text, pattern));
}

Value char_at(const Call& c) {
  if (!c[0].is(Kind::string) || !c[1].is(Kind::int64)) return mismatch(c);
  const std::string_view text = c[0].text();
  const auto from = byte_of(text, c[1].as_int());
  if (!from) return out_of_bounds();
  if (*from == text.size()) return Value::string("");
  return Value::string(text.substr(*from, *byte_of(text.substr(*from), 1)));
}

Value index_of(const Call& c) {
  if (!texts(c, 2) || (c.count == 3 && !c[2].is(Kind::int64))) return mismatch(c);
  const std::string_view text = c[0].text();
  const auto from = byte_of(text, c.count == 3 ? c[2].as_int() : 0);
  if (!from) return out_of_bounds();
  const std::size_t at = text.find(c[1].text(), *from);
  return Value::int64(at == std::string_view::npos ? -1 : point_of(text, at));
}

Value last_index_of(const Call& c) {
  if (!texts(c, 2) || (c.count == 3 && !c[2].is(Kind::int64))) return mismatch(c);
  const std::string_view text = c[0].text();
  std::size_t from = std::string_view::npos;
  if (c.count == 3) {
    const auto byte = byte_of(text, c[2].as_int());
    if (!byte) return out_of_bounds();
    from = *byte;
  }
  const std::size_t at = text.rfind(c[1].text(), from);
  return Value::int64(at == std::string_view::npos ? -1 : point_of(text, at));
}

template <char First, char Last, int Shift>
Value shift_ascii(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  const std::string_view text = c[0].text();
  if (!c.context.spend(text.size() / 16 + 1)) return too_costly();
  char* out = c.context.arena.allocate(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    out[i] = text[i] >= First && text[i] <= Last ? static_cast<char>(text[i] + Shift) : text[i];
  return Value::string({out, text.size()});
}

// Length of the first code point, 0 for an empty text.
std::size_t first_point(std::string_view text) { return text.empty() ? 0 : *byte_of(text, 1); }

Value replace(const Call& c) {
  if (!texts(c, 3) || (c.count == 4 && !c[3].is(Kind::int64))) return mismatch(c);
  const std::string_view text = c[0].text(), old = c[1].text(), fresh = c[2].text();
  std::int64_t left = c.count == 4 ? c[3].as_int() : -1;
  std::string out;
  std::size_t at = 0;
  while (left != 0) {
    const std::size_t hit = text.find(old, at);
    if (hit == std::string_view::npos) break;
    if (!c.context.spend((hit - at + fresh.size()) / 16 + 1)) return too_costly();
    out.append(text.substr(at, hit - at));
    out.append(fresh);
    at = hit + old.size();
    --left;
    if (old.empty()) {
      if (at >= text.size()) break;
      const std::size_t step = first_point(text.substr(at));
      out.append(text.substr(at, step));
      at += step;
    }
  }
  out.append(text.substr(std::min(at, text.size())));
  return copied(c, out);
}

Value split(const Call& c) {
  if (!texts(c, 2) || (c.count == 3 && !c[2].is(Kind::int64))) return mismatch(c);
  const std::string_view text = c[0].text(), by = c[1].text();
  const std::int64_t limit = c.count == 3 ? c[2].as_int() : -1;
  std::vector<Value> parts;
  std::size_t at = 0;
  while (limit != 0) {
    if (!c.context.spend(1)) return too_costly();
    if (by.empty() && at >= text.size()) break;
    const bool last = limit > 0 && static_cast<std::int64_t>(parts.size()) + 1 == limit;
    const std::size_t end = last         ? std::string_view::npos
                            : by.empty() ? at + first_point(text.substr(at))
                                         : text.find(by, at);
    if (end == std::string_view::npos) {
      parts.push_back(Value::string(text.substr(at)));
      break;
    }
    parts.push_back(Value::string(text.substr(at, end - at)));
    at = end + by.size();
  }
  Value* items = c.context.arena.values(parts.size());
  std::copy(parts.begin(), parts.end(), items);
  return Value::list(items, static_cast<std::uint32_t>(parts.size()));
}

Value substring(const Call& c) {
  if (!c[0].is(Kind::string) || !c[1].is(Kind::int64) || (c.count == 3 && !c[2].is(Kind::int64)))
    return mismatch(c);
  const std::string_view text = c[0].text();
  const auto from = byte_of(text, c[1].as_int());
  const auto to = c.count == 3 ? byte_of(text, c[2].as_int()) : std::optional(text.size());
  if (!from || !to || *to < *from) return out_of_bounds();
  return Value::string(text.substr(*from, *to - *from));
}

// Length of the blank code point that the text begins with, or 0 (Unicode White_Space).
std::size_t leading_blank(std::string_view text) {
  static constexpr std::array<std::string_view, 20> kBlanks = {" ",
                                                               "\t",
                                                               "\n",
                                                               "\v",
                                                               "\f",
                                                               "\r",
                                                               "\xC2\x85",
                                                               "\xC2\xA0",
                                                               "\xE1\x9A\x80",
                                                               "\xE2\x80\xA8",
                                                               "\xE2\x80\xA9",
                                                               "\xE2\x80\xAF",
                                                               "\xE2\x81\x9F",
                                                               "\xE3\x80\x80",
                                                               "\xE2\x80\x80",
                                                               "\xE2\x80\x81",
                                                               "\xE2\x80\x82",
                                                               "\xE2\x80\x83",
                                                               "\xE2\x80\x84",
                                                               "\xE2\x80\x85"};
  for (const auto blank : kBlanks)
    if (text.starts_with(blank)) return blank.size();
  const bool thin =
      text.size() >= 3 && text.starts_with("\xE2\x80") && text[2] >= '\x86' && text[2] <= '\x8A';
  return thin ? 3 : 0;
}

Value trim(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  std::string_view text = c[0].text();
  while (const std::size_t n = leading_blank(text)) text.remove_prefix(n);
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && continuation(text[last])) --last;
    if (leading_blank(text.substr(last)) != text.size() - last) break;
    text = text.substr(0, last);
  }
  return Value::string(text);
}

Value join(const Call& c) {
  const Value list = opened(c.context, c[0]);
  if (list.is(Kind::error)) return list;
  if (!list.is(Kind::list) || (c.count == 2 && !c[1].is(Kind::string))) return mismatch(c);
  std::string out;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    if (!list.items()[i].is(Kind::string))
      return Value::error("join() needs a list of texts; convert with map(x, string(x))");
    const std::string_view between = i > 0 && c.count == 2 ? c[1].text() : std::string_view{};
    if (!c.context.spend((list.items()[i].size() + between.size()) / 16 + 1)) return too_costly();
    out += between;
    out += list.items()[i].text();
  }
  return copied(c, out);
}

Value reverse(const Call& c) {
  if (!c[0].is(Kind::string)) return mismatch(c);
  std::string out;
  std::string_view text = c[0].text();
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && continuation(text[last])) --last;
    out.append(text.substr(last));
    text = text.substr(0, last);
  }
  return copied(c, out);
}

constexpr auto kMember = CallStyle::member;
constexpr TypeSet kInt = set_of(Type::int64);
constexpr TypeSet kTextOrCidr = set_of(Type::string, Type::cidr);
constexpr TypeSet kNeedle = set_of(Type::string, Type::ip);

constexpr std::array kTable = {
    Function{"contains", kMember, 2, 2, Type::boolean, {kTextOrCidr, kNeedle}, contains}.doc(
        "Whether the text holds another text, or the network (`cidr`) an address.",
        "'GET /admin'.contains('/admin')"),
    Function{"startsWith", kMember, 2, 2, Type::boolean, {kText, kText}, starts_with}.doc(
        "Whether the text begins so.", "'/api/v1'.startsWith('/api')"),
    Function{"endsWith", kMember, 2, 2, Type::boolean, {kText, kText}, ends_with}.doc(
        "Whether the text ends so.", "'shell.php'.endsWith('.php')"),
    Function{"matches", kMember, 2, 2, Type::boolean, {kText, kText}, matches}.doc(
        "Whether the regular expression (RE2) is found anywhere in the text; `^` and `$` hold it "
        "to its ends.",
        "'bot/2.1'.matches(r'^bot/[0-9]')"),
    Function{"matches", CallStyle::global, 2, 2, Type::boolean, {kText, kText}, matches}.doc(
        "Whether the regular expression (RE2) is found anywhere in the text.",
        "matches('aab', 'a+b')"),
    Function{"charAt", kMember, 2, 2, Type::string, {kText, kInt}, char_at}.doc(
        "The code point at a place from 0 on; the empty text at the end.",
        "'abc'.charAt(1) == 'b'"),
    Function{"indexOf", kMember, 2, 3, Type::int64, {kText, kText, kInt}, index_of}.doc(
        "Where the text holds another one first, from a place on; -1: nowhere.",
        "'a/b/c'.indexOf('/') == 1 && 'a/b/c'.indexOf('/', 2) == 3"),
    Function{"lastIndexOf", kMember, 2, 3, Type::int64, {kText, kText, kInt}, last_index_of}.doc(
        "Where the text holds another one last, at a place or before; -1: nowhere.",
        "'a/b/c'.lastIndexOf('/') == 3"),
    Function{"lowerAscii", kMember, 1, 1, Type::string, {kText}, shift_ascii<'A', 'Z', 32>}.doc(
        "With `A` to `Z` as small letters.", "'GET'.lowerAscii() == 'get'"),
    Function{"upperAscii", kMember, 1, 1, Type::string, {kText}, shift_ascii<'a', 'z', -32>}.doc(
        "With `a` to `z` as capitals.", "'get'.upperAscii() == 'GET'"),
    Function{"replace", kMember, 3, 4, Type::string, {kText, kText, kText}, replace}
        .fourth_of(kInt)
        .doc("With another text in place of each, or of the first so many.",
             "'a-b-c'.replace('-', '.') == 'a.b.c' && 'a-b-c'.replace('-', '.', 1) == 'a.b-c'"),
    Function{"split", kMember, 2, 3, Type::list, {kText, kText, kInt}, split}.doc(
        "The parts between a text; of at most so many the last holds the rest.",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']"),
    Function{"substring", kMember, 2, 3, Type::string, {kText, kInt, kInt}, substring}.doc(
        "From a place on, or up to another one, which is not in it.",
        "'abcdef'.substring(2) == 'cdef' && 'abcdef'.substring(1, 3) == 'bc'"),
    Function{"trim", kMember, 1, 1, Type::string, {kText}, trim}.doc("Without blanks at both ends.",
                                                                     "' a b '.trim() == 'a b'"),
    Function{"join", kMember, 1, 2, Type::string, {kListLike, kText}, join}.doc(
        "The texts of a list, with another one between them.", "['a', 'b'].join(', ') == 'a, b'"),
    Function{"reverse", kMember, 1, 1, Type::string, {kText}, reverse}.doc(
        "From its end to its beginning.", "'abc'.reverse() == 'cba'"),
};

}  // namespace

std::span<const Function> string_functions() { return kTable; }

}  // namespace streamd::expr
