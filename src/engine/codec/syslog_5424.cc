// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/calendar.h"
#include "engine/codec/syslog_parts.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

// The first of the given characters, or end. Texts here have some ten bytes: a call and a loop over
// single bytes cost as much as all the rest.
template <char... kWanted>
const char* find_any(const char* p, const char* end) {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i equal = _mm_setzero_si128();
    ((equal = _mm_or_si128(equal, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(kWanted)))), ...);
    const int found = _mm_movemask_epi8(equal);
    if (found != 0) return p + __builtin_ctz(static_cast<unsigned>(found));
  }
#endif
  while (p != end && ((*p != kWanted) && ...)) ++p;
  return p;
}

const char* skip_name(const char* p, const char* end) {
  return find_any<' ', '=', ']', '"'>(p, end);
}

// A quote ends a value if what follows goes on as an element does: for those who don't escape.
bool ends_value(const char* behind, const char* end) {
  while (behind != end && *behind == ' ') ++behind;
  if (behind == end) return false;
  if (*behind == ']') return true;
  const char* const name_end = skip_name(behind, end);
  return name_end != behind && end - name_end >= 2 && name_end[0] == '=' && name_end[1] == '"';
}

// The closing quote of the value that begins at p; null: there is none.
const char* end_of_value(const char* p, const char* end, bool loose) {
  for (;;) {
    p = find_any<'"', '\\'>(p, end);
    if (p == end) return nullptr;
    if (*p == '\\') {
      if (end - p < 2) return nullptr;
      p += 2;
    } else if (!loose || ends_value(p + 1, end)) {
      return p;
    } else {
      ++p;
    }
  }
}

// Behind the element that begins with the bracket at p; null: it is none.
const char* end_of_element(const char* p, const char* end, bool loose) {
  const char* const id = ++p;
  p = skip_name(p, end);
  if (p == id && !(loose && p != end && *p == ']')) return nullptr;
  for (;;) {
    while (p != end && *p == ' ') ++p;
    if (p == end) return nullptr;
    if (*p == ']') return p + 1;
    const char* const name = p;
    p = skip_name(p, end);
    if (p == name || end - p < 2 || p[0] != '=' || p[1] != '"') return nullptr;
    p = end_of_value(p + 2, end, loose);
    if (p == nullptr) return nullptr;
    ++p;
    if (!loose && p != end && *p != ' ' && *p != ']') return nullptr;
  }
}

// "[id name=": a text in brackets hardly ever looks so.
bool looks_like_element(const char* p, const char* end) {
  if (p == end || *p != '[') return false;
  const char* const id_end = skip_name(p + 1, end);
  if (id_end == p + 1 || id_end == end || *id_end != ' ') return false;
  const char* const name_end = skip_name(id_end + 1, end);
  return name_end != id_end + 1 && end - name_end >= 2 && name_end[0] == '=' && name_end[1] == '"';
}

const char* end_of_data(const char* p, const char* end, bool loose, bool& spaced) {
  for (;;) {
    p = end_of_element(p, end, loose);
    if (p == nullptr || p == end) return p;
    if (*p == '[') continue;
    if (*p == ' ' && looks_like_element(p + 1, end)) {
      spaced = true;
      ++p;
      continue;
    }
    // Right behind the data text may only come after a blank.
    return loose || *p == ' ' ? p : nullptr;
  }
}

class Reader {
 public:
  Reader(std::string_view text, SyslogClock& clock, SyslogMessage& m)
      : p_(text.data()), end_(text.data() + text.size()), clock_(clock), m_(m) {}

  void read() {
    m_.format = SyslogFormat::rfc5424;
    stamp();
    m_.host = token();
    m_.app = token();
    const char* const procid = p_;
    m_.procid = token();
    m_.msgid = token();
    data(procid);
    text();
  }

 private:
  // Up to the next blank, which is skipped. Nil and nothing give an empty text.
  std::string_view token() {
    if (p_ == end_) {
      m_.flags |= kSyslogLoose;
      return {};
    }
    const char* const from = p_;
    p_ = find_any<' '>(p_, end_);
    const std::string_view found(from, static_cast<std::size_t>(p_ - from));
    if (p_ != end_) ++p_;
    if (found.empty()) m_.flags |= kSyslogLoose;
    return found == "-" ? std::string_view{} : found;
  }

  void stamp() {
    SyslogStamp stamp;
    const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
    const std::size_t size = read_iso_stamp(rest, stamp);
    if (size == 0 || (size != rest.size() && rest[size] != ' ')) {
      if (!token().empty()) m_.flags |= kSyslogBadTime;
      m_.flags |= kSyslogNoTime;
      return;
    }
    if (stamp.loose || !stamp.zoned) m_.flags |= kSyslogLoose;
    clock_.settle(stamp, m_);
    p_ += size;
    if (p_ != end_) ++p_;
  }

  void data(const char* procid) {
    if (p_ == end_) {
      m_.flags |= kSyslogLoose;
      return;
    }
    if (*p_ == '-' && (end_ - p_ == 1 || p_[1] == ' ')) {
      ++p_;
      return;
    }
    if (*p_ == '[') return elements();
    m_.flags |= kSyslogLoose;
    // A process with blanks in its name has pushed the rest to the right.
    const char* at = p_;
    for (int words = 0; words < 4; ++words) {
      const char* const blank = find_any<' '>(at, end_);
      if (blank == end_) break;
      if (looks_like_element(blank + 1, end_)) {
        m_.procid = {procid, static_cast<std::size_t>(at - 1 - procid)};
        m_.msgid = {at, static_cast<std::size_t>(blank - at)};
        if (m_.msgid == "-") m_.msgid = {};
        p_ = blank + 1;
        return elements();
      }
      at = blank + 1;
    }
    --p_;  // the message follows at once; text() expects a blank
  }

  void elements() {
    bool spaced = false;
    const char* behind = end_of_data(p_, end_, false, spaced);
    if (behind == nullptr) {
      m_.flags |= kSyslogLoose;
      behind = end_of_data(p_, end_, true, spaced);
    }
    if (behind == nullptr) {
      m_.flags |= kSyslogBadData;
      --p_;
      return;
    }
    if (spaced) m_.flags |= kSyslogLoose;
    m_.structured_data = {p_, static_cast<std::size_t>(behind - p_)};
    p_ = behind;
  }

  void text() {
    if (p_ != end_ && *p_ == ' ') ++p_;
    m_.message = {p_, static_cast<std::size_t>(end_ - p_)};
    // rsyslog leaves the blank behind the tag of the old format.
    if (m_.message.starts_with(' ')) m_.message.remove_prefix(1);
    if (m_.message.starts_with(kBom)) m_.message.remove_prefix(kBom.size());
  }

  const char* p_;
  const char* const end_;
  SyslogClock& clock_;
  SyslogMessage& m_;
};

// "YYYY-" or "- "
bool stamp_begins(std::string_view text) {
  if (text == "-" || text.starts_with("- ")) return true;
  return text.size() > 4 && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]) &&
         is_digit(text[3]) && text[4] == '-';
}

}  // namespace

bool parse_rfc5424(std::string_view rest, SyslogClock& clock, SyslogMessage& m) {
  std::size_t digits = 0;
  while (digits < rest.size() && digits < 4 && is_digit(rest[digits])) ++digits;
  if (digits == 0 || digits > 3 || rest[0] == '0' || digits >= rest.size() || rest[digits] != ' ')
    return false;
  const std::string_view text = rest.substr(digits + 1);
  const bool version_1 = digits == 1 && rest[0] == '1';
  if (!stamp_begins(text) || (!version_1 && text.starts_with('-'))) return false;
  if (!version_1) m.flags |= kSyslogLoose;
  Reader(text, clock, m).read();
  return true;
}

bool SyslogParams::next(SyslogParam& out) {
  for (;;) {
    const char* p = rest_.data();
    const char* const end = p + rest_.size();
    while (p != end && *p == ' ') ++p;
    if (p == end) return false;
    if (*p == '[') {
      const char* const id_end = skip_name(p + 1, end);
      id_ = {p + 1, static_cast<std::size_t>(id_end - p - 1)};
      any_ = false;
      rest_ = {id_end, static_cast<std::size_t>(end - id_end)};
      continue;
    }
    if (*p == ']') {
      rest_ = {p + 1, static_cast<std::size_t>(end - p - 1)};
      if (any_ || id_.empty()) continue;
      out = {id_, {}, {}, false};
      return true;
    }
    const char* const name_end = skip_name(p, end);
    if (end - name_end < 2 || name_end == p) return false;
    const char* const value = name_end + 2;
    // Where the strict reading went well it is the same quote.
    const char* const close = end_of_value(value, end, true);
    if (close == nullptr) return false;
    out = {id_,
           {p, static_cast<std::size_t>(name_end - p)},
           {value, static_cast<std::size_t>(close - value)},
           find_any<'\\'>(value, close) != close};
    any_ = true;
    rest_ = {close + 1, static_cast<std::size_t>(end - close - 1)};
    return true;
  }
}

std::size_t unescape_syslog(std::string_view value, char* to) {
  char* const begin = to;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() &&
        (value[i + 1] == '"' || value[i + 1] == '\\' || value[i + 1] == ']')) {
      ++i;
    }
    *to++ = value[i];
  }
  return static_cast<std::size_t>(to - begin);
}

}  // namespace streamd
