// SPDX-License-Identifier: Apache-2.0
#include "lists/format/stix_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

namespace streamd::format {
namespace {

// What may stand on the left side. `condition`: says nothing by itself.
enum class About { address, domain, text, hash, condition, unknown };

About about(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, About>, 10> kPaths = {
      {{"ipv4-addr:value", About::address},
       {"ipv6-addr:value", About::address},
       {"network-traffic:src_ref.value", About::address},
       {"network-traffic:dst_ref.value", About::address},
       {"domain-name:value", About::domain},
       {"url:value", About::text},
       {"email-addr:value", About::text},
       {"email-message:from_ref.value", About::text},
       {"email-message:sender_ref.value", About::text},
       {"mac-addr:value", About::text}}};
  for (const auto& [known, what] : kPaths)
    if (path == known) return what;
  if (path.find(":hashes.") != std::string_view::npos) return About::hash;
  return path.ends_with("_ref.type") ? About::condition : About::unknown;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool all(std::vector<StixValue>& into) {
    if (!observations(into)) return false;
    blanks();
    return at_ == text_.size() && !into.empty();
  }

 private:
  static constexpr int kDeepest = 32;

  void blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool sign(std::string_view what) {
    blanks();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  bool word(std::string_view what) {
    const std::size_t before = at_;
    if (!sign(what)) return false;
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    const bool goes_on = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') ||
                         (next >= '0' && next <= '9') || next == '_' || next == '-';
    if (goes_on) at_ = before;
    return !goes_on;
  }

  bool observations(std::vector<StixValue>& into) {
    if (++depth_ > kDeepest) return false;
    do {
      if (sign("(")) {
        if (!observations(into) || !sign(")")) return false;
        continue;
      }
      if (!sign("[") || !either(into) || !sign("]")) return false;
    } while (word("OR"));
    --depth_;
    return true;
  }
  bool either(std::vector<StixValue>& into) {
    if (++depth_ > kDeepest) return false;
    do {
      if (!together(into)) return false;
    } while (word("OR"));
    --depth_;
    return true;
  }
  bool together(std::vector<StixValue>& into) {
    std::size_t parts = 0;
    bool hashes = true;
    do {
      const std::size_t before = into.size();
      bool is_hash = false;
      if (sign("(")) {
        if (!either(into) || !sign(")")) return false;
      } else if (!comparison(into, is_hash)) {
        return false;
      }
      parts += into.size() > before ? 1 : 0;
      hashes = hashes && (is_hash || into.size() == before);
    } while (word("AND"));
    return parts == 1 || (parts > 1 && hashes);
  }

  bool comparison(std::vector<StixValue>& into, bool& is_hash) {
    const About what = about(path());
    is_hash = what == About::hash;
    if (what == About::unknown) return false;
    if (word("ISSUBSET")) return what == About::address && literal(what, into);
    if (word("IN")) {
      if (!sign("(")) return false;
      do {
        if (!literal(what, into)) return false;
      } while (sign(","));
      return sign(")");
    }
    return (sign("==") || sign("=")) && literal(what, into);
  }
  // Up to the operator, quotes inside it undone.
  std::string path() {
    blanks();
    std::string out;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\'')
        quoted = !quoted;
      else if (!quoted && (c == ' ' || c == '=' || c == '\t' || c == '!' || c == '<' || c == '>'))
        break;
      else
        out += c;
    }
    return out;
  }
  bool literal(About what, std::vector<StixValue>& into) {
    if (!sign("'")) return false;
    std::string value;
    for (; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) return false;
    ++at_;
    if (value.empty()) return false;
    if (what == About::hash)
      for (char& c : value)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    const IndicatorKind kind = what == About::address  ? IndicatorKind::address
                               : what == About::domain ? IndicatorKind::domain
                                                       : IndicatorKind::text;
    if (what != About::condition) into.push_back({kind, std::move(value)});
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<std::vector<StixValue>> read_stix_pattern(std::string_view pattern) {
  std::vector<StixValue> values;
  if (!Parser(pattern).all(values)) return std::nullopt;
  return values;
}

}  // namespace streamd::format
