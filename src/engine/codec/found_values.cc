// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/found_values.h"

#include "engine/codec/defanged.h"
#include "engine/codec/found_scan.h"
#include "engine/codec/top_level_domains.h"

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

constexpr std::size_t kLongestDomain = 253;
constexpr std::size_t kLongestHost = 1024;  // as written, with its brackets
constexpr std::size_t kLongestLocal = 64;

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool all_are(std::string_view text, std::uint8_t classes) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return text_is(c, classes); });
}

}  // namespace

void ValueFinder::find(std::string_view text, Arena& arena, std::vector<FoundValue>& found) {
  text_ = text;
  arena_ = &arena;
  found_ = &found;
  done_ = taken_ = hash_done_ = 0;
  full_ = found.size() >= max_;
  scan_text(
      text,
      [&](Offset at) {
        if (full_) return text_.size();
        switch (text_[at]) {
          case '.': return at_dot(at);
          case ':': return at_colon(at);
          default: return at_bracket(at);
        }
      },
      [&](Offset at) { at_hex(at); });
}

void ValueFinder::add(FoundKind kind, std::string_view text, bool is_slice) {
  if (!wants(kind) || full_) return;
  for (const FoundValue& known : *found_)
    if (known.kind == kind && known.text == text) return;
  found_->push_back({kind, is_slice ? text : arena_->copy(text)});
  full_ = found_->size() >= max_;
}

ValueFinder::Offset ValueFinder::at_bracket(Offset at) {
  if (dot_at(text_, at) != 0) return at_dot(at);
  if (bracketed(text_, at, ":") != 0) return at_colon(at);
  if (const std::size_t size = bracketed(text_, at, "://"); size != 0)
    return at_separator(at, size);
  return at + 1;
}

// From the dot at hand to both sides. Empty: it is no dot between labels.
ValueFinder::Host ValueFinder::host_around(Offset at) const {
  Host host;
  Offset begin = at;
  while (true) {
    const Offset label = begin;
    while (begin > done_ && text_is(text_[begin - 1], kTextHost)) --begin;
    if (begin == label) break;
    const std::size_t dot = dot_before(text_, begin);
    if (dot == 0 || begin < done_ + dot + 1 || !text_is(text_[begin - dot - 1], kTextHost)) break;
    host.defanged = host.defanged || dot > 1;
    ++host.dots;
    begin -= dot;
  }
  host.begin = begin;
  host.end = at;
  if (begin != at) extend(host);
  if (host.end == at) host.begin = at;
  return host;
}

// From its end over dots with labels behind them.
void ValueFinder::extend(Host& host) const {
  while (true) {
    host.end = past(text_, host.end, kTextHost);
    const std::size_t dot = dot_at(text_, host.end);
    const Offset label = host.end + dot;
    if (dot == 0 || label >= text_.size() || !text_is(text_[label], kTextHost)) return;
    host.defanged = host.defanged || dot > 1;
    ++host.dots;
    host.last = host.end = label;
  }
}

// Most dots of a log are those of versions, other numbers and addresses: only labels that begin
// with a digit behind the first one, and no sign that they could go on with. Neither a domain nor
// an e-mail address ends so. As it is the first dot, there is none before it, and an at-sign there
// does not matter.
bool ValueFinder::is_number(Offset at, Host& host) const {
  if (at == done_ || !text_is(text_[at - 1], kTextHost)) return false;
  if (text_.size() - at >= kScanBlock) {
    const DottedDigits run = dotted_digits(text_.data() + at);
    host.end = at + run.size;
    if (run.size < kScanBlock && run.digit_behind_each_dot() &&
        !text_is(text_[host.end], kTextHost)) {
      host.dots = static_cast<std::size_t>(std::popcount(run.dots));
      host.last = at + static_cast<std::size_t>(std::bit_width(run.dots));
      return !may_begin_sign(text_[host.end]);
    }
  }
  host.end = at;
  while (host.end + 1 < text_.size() && text_[host.end] == '.') {
    host.last = host.end + 1;
    if (!text_is(text_[host.last], kTextDigit)) return false;
    ++host.dots;
    host.end = past(text_, host.last, kTextHost);
  }
  return host.end == text_.size() || !may_begin_sign(text_[host.end]);
}

ValueFinder::Offset ValueFinder::at_dot(Offset at) {
  Host host{at};
  if (is_number(at, host)) {
    Offset end = host.end;
    if (host.dots < 3) return done_ = end;
    while (host.begin > done_ && text_is(text_[host.begin - 1], kTextHost)) --host.begin;
    if (take_v4(host, end) || take_joined_v4(host)) taken_ = end;
    return done_ = end;
  }
  return at_name(at);
}

ValueFinder::Offset ValueFinder::at_name(Offset dot) {
  const Host host = host_around(dot);
  if (host.begin == host.end) return dot + 1;
  Offset end = host.end;
  const std::size_t sign = at_sign_at(text_, end);
  if (sign != 0 && take_email(end, end + sign, end)) return done_ = taken_ = end;
  const std::size_t before = at_sign_before(text_, host.begin);
  if (before != 0 && host.begin >= done_ + before &&
      take_email(host.begin - before, host.begin, end))
    return done_ = taken_ = end;
  if (take_v4(host, end) || take_domain(host) || take_joined_v4(host)) taken_ = end;
  return done_ = end;
}

// local_end: where the sign begins; domain: where the name behind it does.
bool ValueFinder::take_email(Offset local_end, Offset domain, Offset& end) {
  if (!wants(FoundKind::email)) return false;
  Offset local = local_end;
  while (local > taken_ && local_end - local <= kLongestLocal &&
         text_is(text_[local - 1], kTextLocal))
    --local;
  while (local < local_end && (text_[local] == '.' || text_[local] == '\'')) ++local;
  if (local == local_end || local_end - local > kLongestLocal || letter_before(text_, local))
    return false;
  Host host{domain, domain, domain, 0, domain - local_end > 1};
  extend(host);
  const Offset behind = host.end;
  if (host.dots == 0 || !read_name(host) || !is_domain(name_, host.defanged) ||
      letter_at(text_, behind))
    return false;
  made_.assign(text_.substr(local, local_end - local));
  made_ += '@';
  made_ += name_;
  const std::string_view as_written = text_.substr(local, behind - local);
  const bool same = as_written == made_;
  add(FoundKind::email, same ? as_written : std::string_view(made_), same);
  end = behind;
  return true;
}

bool ValueFinder::read_name(const Host& host) {
  name_.clear();
  if (host.end - host.begin > kLongestHost) return false;
  if (!host.defanged) {
    name_.assign(text_, host.begin, host.end - host.begin);
    std::transform(name_.begin(), name_.end(), name_.begin(), lowered);
    return name_.size() <= kLongestDomain;
  }
  for (Offset at = host.begin; at < host.end;) {
    const std::size_t dot = dot_at(text_, at);
    name_ += dot != 0 ? '.' : lowered(text_[at]);
    at += dot != 0 ? dot : 1;
  }
  return name_.size() <= kLongestDomain;
}

// Whether it is one: no label is empty or begins or ends with -, the last one is known.
bool ValueFinder::is_domain(std::string_view name, bool defanged) {
  Offset last = 0, second = 0;  // where the last label and the one before it begin
  Offset underscore = 0;        // behind the last one
  char before = '.';
  for (Offset at = 0; at < name.size(); ++at) {
    const char c = name[at];
    if (c == '.') {
      if (before == '.' || before == '-') return false;
      second = std::exchange(last, at + 1);
    } else if (c == '-') {
      if (before == '.') return false;
    } else if (c == '_') {
      underscore = at + 1;
    }
    before = c;
  }
  if (last == 0 || before == '.' || before == '-' || underscore > second) return false;
  const std::string_view top = name.substr(last);
  if (is_top_level_domain(top)) return true;
  return defanged && top.size() >= 2 &&
         std::all_of(top.begin(), top.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool ValueFinder::take_domain(const Host& host) {
  if (!wants(FoundKind::domain) || text_is(text_[host.last], kTextDigit)) return false;
  const char before = host.begin > 0 ? text_[host.begin - 1] : ' ';
  const char after = host.end < text_.size() ? text_[host.end] : ' ';
  if (before == '/' || before == '\\' || before == '$' || after == '(' || after == '\\' ||
      after == '@' || letter_before(text_, host.begin) || letter_at(text_, host.end))
    return false;
  if (!read_name(host) || !is_domain(name_, host.defanged)) return false;
  const std::string_view written = text_.substr(host.begin, host.end - host.begin);
  if (!host.defanged) {
    const std::string_view top = std::string_view(name_).substr(name_.rfind('.') + 1);
    const std::string_view top_written = written.substr(written.size() - top.size());
    const auto capitals = std::count_if(top_written.begin(), top_written.end(),
                                        [](char c) { return c >= 'A' && c <= 'Z'; });
    // "It ends here.It goes on there."
    if (capitals != 0 && static_cast<std::size_t>(capitals) != top.size()) return false;
    const bool two_labels = name_.find('.') == name_.rfind('.');
    if (two_labels && looks_like_file_ending(top)) return false;
  }
  const bool same = written == name_;
  add(FoundKind::domain, same ? written : std::string_view(name_), same);
  return true;
}

void ValueFinder::at_hex(Offset at) {
  if (!wants(FoundKind::hash) || at < hash_done_) return;
  Offset begin = at, end = at;
  while (begin > hash_done_ && text_is(text_[begin - 1], kTextHex)) --begin;
  while (end < text_.size() && text_is(text_[end], kTextHex)) ++end;
  hash_done_ = end;
  const std::size_t size = end - begin;
  if (size != 32 && size != 40 && size != 64 && size != 128) return;
  const auto is_word = [](char c) { return text_is(c, kTextAlnum) || c == '_'; };
  if (begin > 0 && is_word(text_[begin - 1])) return;
  if (end < text_.size() && is_word(text_[end])) return;
  const std::string_view written = text_.substr(begin, size);
  if (all_are(written, kTextDigit) || written.find_first_of("0123456789") == std::string_view::npos)
    return;
  made_.assign(written);
  std::transform(made_.begin(), made_.end(), made_.begin(), lowered);
  const bool same = made_ == written;
  add(FoundKind::hash, same ? written : std::string_view(made_), same);
}

}  // namespace streamd
