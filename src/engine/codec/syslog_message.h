// SPDX-License-Identifier: Apache-2.0
// One syslog message taken apart: RFC 5424, RFC 3164 as it is really sent (no year, no host, Cisco,
// ISO dates, no priority), or neither. Nothing is refused: what can't be told apart is `message`,
// and `flags` says why. No allocation; all texts point into the bytes that were parsed.
#pragma once

#include "engine/core/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace streamd {

enum class SyslogFormat : std::uint8_t {
  rfc5424,
  rfc3164,  // a stamp, perhaps a host and a tag
  bare,     // no header that could be told from the text
};
std::string_view syslog_format_name(SyslogFormat format);  // rfc5424, rfc3164, bare

// Bits of SyslogMessage::flags. The lower ones were tolerated, those of kSyslogErrors mean that a
// part could not be understood.
enum SyslogFlag : std::uint32_t {
  kSyslogNoPriority = 1u << 0,   // taken as user.notice
  kSyslogNoTime = 1u << 1,       // says no time
  kSyslogYearGuessed = 1u << 2,  // the year comes from the time of arrival
  kSyslogClockUnset = 1u << 3,   // the sender says that its clock is not set (Cisco: * or .)
  kSyslogUnknownZone = 1u << 4,  // a zone's name that is not known: taken as local time
  kSyslogLoose = 1u << 5,        // against RFC 5424, but clear
  kSyslogHeaderless = 1u << 6,   // the text begins at once: JSON, key=value
  kSyslogBadUtf8 = 1u << 7,      // repaired; set by who makes text of it, not by the parser
  kSyslogBadPriority = 1u << 16,
  kSyslogBadTime = 1u << 17,
  kSyslogBadData = 1u << 18,   // structured data that does not end; it is part of `message`
  kSyslogNoSyslog = 1u << 19,  // neither priority nor stamp
  kSyslogEmpty = 1u << 20,
};
inline constexpr std::uint32_t kSyslogErrors = 0xFFFF0000u;
// Names of the set flags within `mask`, "no-priority no-time".
void append_syslog_flags(std::uint32_t flags, std::uint32_t mask, std::string& out);

struct SyslogMessage {
  SyslogFormat format = SyslogFormat::bare;
  std::uint8_t facility = 1;  // 0..23
  std::uint8_t severity = 5;  // 0..7
  bool has_time = false;
  bool has_sequence = false;
  std::uint32_t flags = 0;
  std::uint32_t nanos = 0;  // 0..999 inside the microsecond
  EventTime time{};
  std::uint64_t sequence = 0;  // Cisco's number before the stamp
  // Empty: the message has none (RFC 5424: "-").
  std::string_view peer;  // from the envelope that the syslog source puts around a message
  std::string_view host, app, procid, msgid;
  std::string_view structured_data;  // elements with their brackets, see SyslogParams
  std::string_view message;          // without BOM and line end
};

std::string_view syslog_facility_name(unsigned facility);  // kern, user, … local7
std::string_view syslog_severity_name(unsigned severity);  // emerg, alert, … debug
// The number of a name (also of the usual other names: panic, error, warn, security). -1: none.
int syslog_facility_of(std::string_view name);
int syslog_severity_of(std::string_view name);

// What stands around the bytes of a message that came over a socket, so that the sender's address
// goes with them wherever they go: SOH, address, STX, message.
inline constexpr char kSyslogHead = '\x01';
inline constexpr char kSyslogText = '\x02';

// Cheap to make; keeps what it learnt about the zone. One thread.
class SyslogParser {
 public:
  // zone: of stamps that name none: "UTC", an IANA name or [+-]hh:mm; see is_zone().
  explicit SyslogParser(std::string zone = "UTC") : zone_(std::move(zone)), utc_(zone_ == "UTC") {}
  static bool is_zone(std::string_view name);

  // arrival: chooses the year where the stamp has none (the latest that is at most a day ahead of
  // it). micros 0: unknown, such stamps are of no use then.
  void parse(std::string_view text, EventTime arrival, SyslogMessage& out);

 private:
  friend class SyslogClock;
  std::string zone_;
  bool utc_;
  // What the last stamps had in common: messages come in the order of time.
  std::int64_t date_ = -1;  // year, month and day in one, and the seconds at which it began
  std::int64_t date_seconds_ = 0;
  std::int64_t quarter_ = INT64_MIN;  // the local quarter of an hour whose offset is known
  std::int64_t offset_ = 0;
  std::int64_t year_ = 0, year_begin_ = 0, year_end_ = 0;  // of arrivals; seconds since 1970
};

// One parameter of an element, or an element without any.
struct SyslogParam {
  std::string_view id;
  std::string_view name;   // empty: the element has no parameters
  std::string_view value;  // as written
  bool escaped = false;    // has backslashes: see unescape_syslog
};

// Walks over SyslogMessage::structured_data.
class SyslogParams {
 public:
  explicit SyslogParams(std::string_view structured_data) : rest_(structured_data) {}
  bool next(SyslogParam& out);

 private:
  std::string_view rest_;
  std::string_view id_;
  bool any_ = false;
};

// Undoes \" \\ \] and leaves other backslashes. `to` has room for value.size(); returns the size.
std::size_t unescape_syslog(std::string_view value, char* to);

}  // namespace streamd
