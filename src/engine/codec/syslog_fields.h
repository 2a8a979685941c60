// SPDX-License-Identifier: Apache-2.0
// The fields of a syslog message as a record has them, the same wherever syslog is read.
#pragma once

#include "engine/codec/syslog_message.h"
#include "engine/core/arena.h"
#include "engine/core/schema.h"
#include "engine/core/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

enum class SyslogField : std::uint8_t {
  timestamp,      // what the message says; otherwise its arrival
  facility,       // kern, user, … local7
  severity,       // emerg, alert, crit, err, warning, notice, info, debug
  facility_code,  // 0..23
  severity_code,  // 0..7
  host,
  app,
  procid,
  msgid,            // also Cisco's mnemonic, without %
  structured_data,  // object by SD-ID of objects; a list where a name repeats
  message,
  peer,         // address it came from, as the network says
  sequence,     // Cisco's number
  format,       // rfc5424, rfc3164, bare
  parse_error,  // what could not be understood; missing when all was
  parse_flags,  // deviations that were tolerated; missing when there are none
};

// Name and type of each, in the order of the enum. Closed.
Schema syslog_schema();
// What every message could have: null where this one has not, so that `app == "sshd"` is false and
// not an error.
bool is_null_without(SyslogField field);
std::optional<SyslogField> syslog_field_of(std::string_view name);

// Makes values of messages. Keeps buffers; one thread.
class SyslogValues {
 public:
  // Missing where the message has none. Texts point into the message or into `arena`: what is no
  // UTF-8 is repaired (kSyslogBadUtf8 in m.flags says that there is such), texts of structured data
  // are unescaped.
  Value of(SyslogField field, const SyslogMessage& m, EventTime arrival, Arena& arena);

 private:
  Value text(std::string_view text, const SyslogMessage& m, Arena& arena);
  Value flags(const SyslogMessage& m, std::uint32_t mask, Arena& arena);
  Value data(const SyslogMessage& m, Arena& arena);
  void append_value(const SyslogParam& param);

  std::vector<SyslogParam> params_;
  std::string json_, plain_, repaired_;
};

}  // namespace streamd
