// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/syslog_message.h"

#include "engine/codec/calendar.h"
#include "engine/codec/syslog_parts.h"
#include "engine/expr/time_text.h"

#include <array>
#include <utility>

namespace streamd {
namespace {

constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> kSeverities = {"emerg",   "alert",  "crit", "err",
                                                         "warning", "notice", "info", "debug"};
constexpr std::string_view kBom = "\xEF\xBB\xBF";

constexpr std::array<std::pair<std::uint32_t, std::string_view>, 13> kFlags = {
    {{kSyslogNoPriority, "no-priority"},
     {kSyslogNoTime, "no-time"},
     {kSyslogYearGuessed, "year-guessed"},
     {kSyslogClockUnset, "clock-not-set"},
     {kSyslogUnknownZone, "unknown-zone"},
     {kSyslogLoose, "loose-header"},
     {kSyslogHeaderless, "no-header"},
     {kSyslogBadUtf8, "bad-utf8"},
     {kSyslogBadPriority, "bad-priority"},
     {kSyslogBadTime, "bad-time"},
     {kSyslogBadData, "bad-structured-data"},
     {kSyslogNoSyslog, "no-syslog"},
     {kSyslogEmpty, "empty"}}};

template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

// One by one: a whole empty message is made and copied with instructions that are slow to begin.
void clear(SyslogMessage& m) {
  m.format = SyslogFormat::bare;
  m.facility = 1;
  m.severity = 5;
  m.has_time = m.has_sequence = false;
  m.flags = 0;
  m.nanos = 0;
  m.time = {};
  m.sequence = 0;
  m.peer = m.host = m.app = m.procid = m.msgid = m.structured_data = m.message = {};
}

void open_envelope(std::string_view& text, SyslogMessage& m) {
  if (!text.starts_with(kSyslogHead)) return;
  const std::size_t end = text.find(kSyslogText);
  if (end == std::string_view::npos) return;
  m.peer = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
}

std::string_view trim_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0')) {
    text.remove_suffix(1);
  }
  return text;
}

// What follows "<PRI>"; `text` itself when there is none.
std::string_view read_priority(std::string_view text, SyslogMessage& m) {
  unsigned value = 0;
  std::size_t digits = 0;
  if (text.starts_with('<')) {
    while (digits + 1 < text.size() && digits < 10 && is_digit(text[digits + 1])) {
      if (digits < 4) value = value * 10 + static_cast<unsigned>(text[digits + 1] - '0');
      ++digits;
    }
  }
  if (digits == 0 || digits + 1 >= text.size() || text[digits + 1] != '>') {
    m.flags |= kSyslogNoPriority;
    return text;
  }
  if (digits > 3 || value > 191) {
    m.flags |= kSyslogBadPriority;
  } else {
    m.facility = static_cast<std::uint8_t>(value >> 3);
    m.severity = static_cast<std::uint8_t>(value & 7);
    if (digits > 1 && text[1] == '0') m.flags |= kSyslogLoose;
  }
  return text.substr(digits + 2);
}

}  // namespace

std::string_view syslog_format_name(SyslogFormat format) {
  switch (format) {
    case SyslogFormat::rfc5424: return "rfc5424";
    case SyslogFormat::rfc3164: return "rfc3164";
    case SyslogFormat::bare: break;
  }
  return "bare";
}

std::string_view syslog_facility_name(unsigned facility) { return kFacilities[facility % 24]; }
std::string_view syslog_severity_name(unsigned severity) { return kSeverities[severity % 8]; }

int syslog_facility_of(std::string_view name) {
  if (name == "security") return 4;
  return index_of(kFacilities, name);
}
int syslog_severity_of(std::string_view name) {
  if (name == "panic" || name == "emergency") return 0;
  if (name == "critical") return 2;
  if (name == "error") return 3;
  if (name == "warn") return 4;
  if (name == "informational") return 6;
  return index_of(kSeverities, name);
}

void append_syslog_flags(std::uint32_t flags, std::uint32_t mask, std::string& out) {
  bool first = true;
  for (const auto& [flag, name] : kFlags) {
    if ((flags & mask & flag) == 0) continue;
    if (!first) out += ' ';
    out += name;
    first = false;
  }
}

bool SyslogParser::is_zone(std::string_view name) {
  return expr::unix_of_local(0, name).has_value();
}

void SyslogParser::parse(std::string_view text, EventTime arrival, SyslogMessage& out) {
  clear(out);
  open_envelope(text, out);
  text = trim_line_end(text);
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  // Blanks and line ends that a sender left between two messages.
  if (!text.starts_with('<')) [[unlikely]] {
    const std::size_t begin = text.find_first_not_of(" \r\n");
    if (begin != std::string_view::npos && text[begin] == '<') text.remove_prefix(begin);
  }
  const std::string_view rest = read_priority(text, out);
  SyslogClock clock(*this, arrival);
  if (parse_rfc5424(rest, clock, out)) return;
  parse_rfc3164(rest, clock, out);
  if (out.message.starts_with(kBom)) out.message.remove_prefix(kBom.size());
  const bool headless = out.format == SyslogFormat::bare;
  if (headless && out.message.empty()) {
    out.flags |= kSyslogEmpty;
  } else if (headless && (out.flags & kSyslogNoPriority) != 0 &&
             (out.flags & kSyslogHeaderless) == 0) {
    out.flags |= kSyslogNoSyslog;
  }
}

}  // namespace streamd
