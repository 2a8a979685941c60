// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/pattern_tree.h"
#include "engine/codec/text_pairs.h"

#include <fmt/format.h>

namespace streamd {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

class KvReader {
 public:
  KvReader(std::string_view text, const KvFormat& format, Arena& arena)
      : text_(text),
        format_(format),
        arena_(arena),
        blanks_(format.between.find_first_of(kBlanks) == std::string::npos) {
    for (const char c : format.between) between_.add(static_cast<unsigned char>(c));
    if (between_.has(' ')) between_.add('\t');
    between_.add('\r');
    between_.add('\n');
    for (const char c : format.quotes) quotes_.add(static_cast<unsigned char>(c));
    for (const char c : kBlanks) blank_.add(static_cast<unsigned char>(c));
  }

  bool read(TextPairs& pairs, std::string& why) {
    const std::size_t before = pairs.size();
    bool unnamed = false;
    while (at_ < text_.size()) {
      skip();
      TextPair pair;
      if (!key(pair.key)) continue;
      if (!value(pair, why)) return false;
      if (pair.key.empty()) {
        unnamed = true;
        continue;
      }
      if (pairs.size() - before >= kMaxTextPairs) {
        why = fmt::format("more than {} pairs", kMaxTextPairs);
        return false;
      }
      pairs.push_back(pair);
    }
    if (pairs.size() > before) return true;
    why = fmt::format("no key with a value: there is {} \"{}\"",
                      unnamed ? "no key before the" : "no", format_.separator);
    return false;
  }

 private:
  bool is(const CharSet& set, std::size_t at) const { return set.has(text_[at]); }
  void skip() {
    while (at_ < text_.size() && (is(between_, at_) || (blanks_ && is(blank_, at_)))) ++at_;
  }
  bool at_separator() const {
    return text_[at_] == format_.separator[0] && text_.substr(at_).starts_with(format_.separator);
  }
  std::string_view trimmed(std::size_t begin, std::size_t end) const {
    while (blanks_ && end > begin && is(blank_, end - 1)) --end;
    return text_.substr(begin, end - begin);
  }

  // False: no separator follows before the pair ends.
  bool key(std::string_view& into) {
    const std::size_t begin = at_;
    for (; at_ < text_.size() && !is(between_, at_); ++at_) {
      if (!at_separator()) continue;
      into = trimmed(begin, at_);
      at_ += format_.separator.size();
      return true;
    }
    return false;
  }

  bool value(TextPair& pair, std::string& why) {
    while (blanks_ && at_ < text_.size() && is(blank_, at_) && !is(between_, at_)) ++at_;
    if (at_ < text_.size() && is(quotes_, at_)) return quoted(pair, why);
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is(between_, at_)) ++at_;
    pair.value = trimmed(begin, at_);
    return true;
  }

  bool quoted(TextPair& pair, std::string& why) {
    const char quote = text_[at_];
    const std::size_t open = at_++;
    bool escaped = false;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        escaped = true;
        ++at_;
      }
      ++at_;
    }
    if (at_ >= text_.size()) {
      why = fmt::format("the quote at byte {} does not close", open);
      return false;
    }
    pair.value = text_.substr(open + 1, at_ - open - 1);
    ++at_;
    if (escaped) pair.value = unescaped(pair.value);
    return true;
  }

  std::string_view unescaped(std::string_view text) {
    char* const begin = arena_.allocate(text.size());
    char* to = begin;
    for (std::size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '\\' && i + 1 < text.size()) {
        c = text[++i];
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c == 'r')
          c = '\r';
        else if (c != '\\' && format_.quotes.find(c) == std::string::npos)
          *to++ = '\\';
      }
      *to++ = c;
    }
    return {begin, static_cast<std::size_t>(to - begin)};
  }

  const std::string_view text_;
  const KvFormat& format_;
  Arena& arena_;
  const bool blanks_;  // around keys and values they do not count
  CharSet between_, quotes_, blank_;
  std::size_t at_ = 0;
};

}  // namespace

bool read_kv(std::string_view text, const KvFormat& format, Arena& arena, TextPairs& pairs,
             std::string& why) {
  return KvReader(text, format, arena).read(pairs, why);
}

}  // namespace streamd
