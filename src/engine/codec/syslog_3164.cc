// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/calendar.h"
#include "engine/codec/syslog_parts.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace streamd {
namespace {

constexpr std::size_t kLongestHost = 255;
constexpr std::size_t kLongestTag = 64;

constexpr unsigned char kWord = 1, kTag = 2;
constexpr std::array<unsigned char, 256> kKinds = [] {
  std::array<unsigned char, 256> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char c = static_cast<char>(i);
    if (is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-') {
      out[i] = kWord | kTag;
    } else if (i >= 0x80 || std::string_view("/()@#$+~*").find(c) != std::string_view::npos) {
      out[i] = kTag;
    }
  }
  return out;
}();

bool is_word(char c) { return (kKinds[static_cast<unsigned char>(c)] & kWord) != 0; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_tag(char c) { return (kKinds[static_cast<unsigned char>(c)] & kTag) != 0; }

bool is_address_v6(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  text = text.substr(0, text.find('%'));
  return std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > kLongestHost) return false;
  if (std::all_of(text.begin(), text.end(), [](char c) { return is_word(c); })) {
    return is_letter(text.back()) || is_digit(text.back());
  }
  return is_address_v6(text);
}

void skip_blanks(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}
void skip_blank(std::string_view& text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
}

// A stamp of either kind with Cisco's mark in front of it.
bool take_stamp(std::string_view& rest, SyslogStamp& stamp, SyslogMessage& m) {
  std::string_view text = rest;
  const bool unset = text.starts_with('*') || text.starts_with('.');
  if (unset) text.remove_prefix(1);
  std::uint32_t flags = 0;
  if (unset) flags |= kSyslogClockUnset;
  std::size_t size = read_iso_stamp(text, stamp);
  if (size != 0 && size < text.size() && text[size] != ' ' && text[size] != ':') size = 0;
  if (size == 0) size = read_bsd_stamp(text, stamp, flags);
  if (size == 0) return false;
  m.flags |= flags;
  rest = text.substr(size);
  return true;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c); });
}

// What Cisco puts before the stamp: "123: ", "host: ", "RP/0/RSP0/CPU0:", ": ".
bool take_prefixed_stamp(std::string_view& rest, SyslogStamp& stamp, SyslogMessage& m) {
  std::string_view text = rest;
  std::string_view number, origin;
  for (int i = 0; i < 3; ++i) {
    std::size_t size = 0;
    while (size < text.size() && size < kLongestHost && (is_word(text[size]) || text[size] == '/'))
      ++size;
    if (size >= text.size() || text[size] != ':') return false;
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size + 1);
    skip_blanks(text);
    if (all_digits(word)) {
      if (!word.empty()) number = word;
    } else {
      origin = word;
    }
    const bool bare_number = !number.empty() && origin.empty() && text.starts_with('%');
    if (!bare_number && !take_stamp(text, stamp, m)) continue;
    if (bare_number) m.flags |= kSyslogNoTime;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), m.sequence);
    m.has_sequence = !number.empty() && error == std::errc();
    m.host = origin;
    rest = text;
    return true;
  }
  return false;
}

// "%SYS-5-CONFIG_I: text"
bool take_mnemonic(std::string_view& rest, SyslogMessage& m) {
  if (!rest.starts_with('%')) return false;
  std::size_t size = 1;
  bool level = false;
  for (; size < rest.size() && size < kLongestTag && (is_word(rest[size]) || rest[size] == '/');
       ++size) {
    level = level || (rest[size] >= '0' && rest[size] <= '7' && rest[size - 1] == '-' &&
                      size + 1 < rest.size() && rest[size + 1] == '-');
  }
  std::string_view behind = rest.substr(size);
  skip_blank(behind);
  if (!level || !behind.starts_with(':')) return false;
  m.msgid = rest.substr(1, size - 1);
  rest = behind.substr(1);
  skip_blank(rest);
  return true;
}

// "sshd[12]: ", "kernel: ", "tag[12] ". Words without such an end are text.
void take_tag(std::string_view& rest, SyslogMessage& m) {
  std::size_t size = 0;
  bool letter = false;
  for (; size < rest.size() && size <= kLongestTag && is_tag(rest[size]); ++size) {
    letter = letter || is_letter(rest[size]) || static_cast<unsigned char>(rest[size]) >= 0x80;
  }
  if (!letter || size >= rest.size() || size > kLongestTag || rest.starts_with('@')) return;
  std::string_view behind = rest.substr(size);
  std::string_view pid;
  if (behind.front() == '[') {
    const std::size_t close = behind.find(']');
    if (close == std::string_view::npos || close > 128) return;
    pid = behind.substr(1, close - 1);
    if (pid.find_first_of(" \"=") != std::string_view::npos) return;
    behind.remove_prefix(close + 1);
    if (!behind.empty() && behind.front() != ':' && behind.front() != ' ') return;
    if (behind.starts_with(':')) behind.remove_prefix(1);
  } else {
    if (behind.front() != ':') return;
    behind.remove_prefix(1);
    const bool ends =
        behind.empty() || behind.front() == ' ' || behind.front() == '[' || behind.front() == '\t';
    if (!ends) return;  // CEF:0|…, http://…
  }
  m.app = rest.substr(0, size);
  m.procid = pid;
  skip_blank(behind);
  rest = behind;
}

void take_host(std::string_view& rest, SyslogMessage& m) {
  const std::size_t size = rest.find(' ');
  if (size == std::string_view::npos || !is_host(rest.substr(0, size))) return;
  const std::string_view behind = rest.substr(size + 1);
  // What a syslogd of this machine says of itself has no host in front of it.
  if (rest.starts_with("last message repeated ") || rest.starts_with("message repeated ")) return;
  m.host = rest.substr(0, size);
  rest = behind;
  if (rest.starts_with(": ")) rest.remove_prefix(2);
}

// The value of name="value" or name=value; empty: not there.
std::string_view pair_value(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while ((at = text.find(name, at)) != std::string_view::npos) {
    const std::size_t behind = at + name.size();
    if ((at == 0 || text[at - 1] == ' ') && text.size() > behind && text[behind] == '=') {
      std::string_view value = text.substr(behind + 1);
      if (!value.starts_with('"')) return value.substr(0, value.find(' '));
      value.remove_prefix(1);
      return value.substr(0, value.find('"'));
    }
    at = behind;
  }
  return {};
}

// FortiGate: date=2024-01-02 time=03:04:05 devname="fw1" … tz="+0100"
bool read_pairs(std::string_view rest, SyslogClock& clock, SyslogMessage& m) {
  if (!rest.starts_with("date=")) return false;
  const std::string_view head = rest.substr(0, 2048);
  SyslogStamp stamp;
  if (read_date(pair_value(head, "date"), stamp) == 0 ||
      read_clock(pair_value(head, "time"), stamp) == 0)
    return false;
  TimeCursor zone{pair_value(head, "tz")};
  stamp.zoned = zone.zone(stamp.offset_seconds);
  clock.settle(stamp, m);
  m.host = pair_value(head, "devname");
  m.flags |= kSyslogHeaderless;
  m.message = rest;
  return true;
}

// Meraki: "1 1563249630.774247467 device text".
bool take_unix_stamp(std::string_view& rest, SyslogClock& clock, SyslogMessage& m) {
  if (!rest.starts_with("1 ")) return false;
  TimeCursor at{rest.substr(2)};
  std::uint64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(at.rest.data(), at.rest.data() + at.rest.size(), seconds);
  const auto digits = static_cast<std::size_t>(end - at.rest.data());
  if (error != std::errc() || digits < 9 || digits > 10) return false;
  at.rest.remove_prefix(digits);
  std::uint32_t nanos = 0;
  if (at.eat('.') && !at.fraction(nanos)) return false;
  if (!at.eat(' ')) return false;
  clock.settle_unix(static_cast<std::int64_t>(seconds), nanos, m);
  rest = at.rest;
  return true;
}

}  // namespace

void parse_rfc3164(std::string_view rest, SyslogClock& clock, SyslogMessage& m) {
  m.message = rest;
  std::string_view text = rest;
  skip_blanks(text);
  if (text.starts_with('{') || text.starts_with('[') || text.starts_with("@cee:")) {
    m.flags |= kSyslogHeaderless | kSyslogNoTime;
    return;
  }
  SyslogStamp stamp;
  if (take_stamp(text, stamp, m) || take_prefixed_stamp(text, stamp, m)) {
    if (stamp.month != 0) clock.settle(stamp, m);
  } else if (read_pairs(text, clock, m)) {
    return;
  } else if (!take_unix_stamp(text, clock, m)) {
    m.flags |= kSyslogNoTime;
    if (take_mnemonic(text, m)) {
      m.message = text;
      m.format = SyslogFormat::rfc3164;
      return;
    }
    if ((m.flags & kSyslogNoPriority) != 0) return;
    take_tag(text, m);
    if (!m.app.empty()) {
      m.message = text;
      m.format = SyslogFormat::rfc3164;
    }
    return;
  }
  m.format = SyslogFormat::rfc3164;
  skip_blanks(text);
  if (text.starts_with(':')) text.remove_prefix(1);
  skip_blanks(text);
  if (!text.starts_with('%') && m.host.empty()) take_host(text, m);
  if (!take_mnemonic(text, m)) {
    take_tag(text, m);
    take_mnemonic(text, m);
  }
  skip_blank(text);
  m.message = text;
}

}  // namespace streamd
