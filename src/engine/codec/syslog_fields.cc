// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/syslog_fields.h"

#include "engine/codec/encode.h"
#include "engine/codec/utf8.h"

#include <algorithm>
#include <array>

namespace streamd {
namespace {

struct Known {
  std::string_view name;
  Type type;
};
constexpr std::array<Known, 16> kKnown = {{{"timestamp", Type::timestamp},
                                           {"facility", Type::string},
                                           {"severity", Type::string},
                                           {"facility_code", Type::int64},
                                           {"severity_code", Type::int64},
                                           {"host", Type::string},
                                           {"app", Type::string},
                                           {"procid", Type::string},
                                           {"msgid", Type::string},
                                           {"structured_data", Type::json},
                                           {"message", Type::string},
                                           {"peer", Type::string},
                                           {"sequence", Type::int64},
                                           {"format", Type::string},
                                           {"parse_error", Type::string},
                                           {"parse_flags", Type::string}}};

}  // namespace

Schema syslog_schema() {
  Schema schema;
  for (const Known& known : kKnown) schema.fields.push_back({std::string(known.name), known.type});
  return schema;
}

bool is_null_without(SyslogField field) {
  return field == SyslogField::host || field == SyslogField::app || field == SyslogField::procid ||
         field == SyslogField::msgid || field == SyslogField::peer;
}

std::optional<SyslogField> syslog_field_of(std::string_view name) {
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    if (kKnown[i].name == name) return static_cast<SyslogField>(i);
  }
  return std::nullopt;
}

Value SyslogValues::of(SyslogField field, const SyslogMessage& m, EventTime arrival, Arena& arena) {
  switch (field) {
    case SyslogField::timestamp:
      if (m.has_time) return Value::timestamp(m.time, m.nanos);
      return arrival.micros == 0 ? Value::missing() : Value::timestamp(arrival);
    case SyslogField::facility: return Value::string(syslog_facility_name(m.facility));
    case SyslogField::severity: return Value::string(syslog_severity_name(m.severity));
    case SyslogField::facility_code: return Value::int64(m.facility);
    case SyslogField::severity_code: return Value::int64(m.severity);
    case SyslogField::host: return text(m.host, m, arena);
    case SyslogField::app: return text(m.app, m, arena);
    case SyslogField::procid: return text(m.procid, m, arena);
    case SyslogField::msgid: return text(m.msgid, m, arena);
    case SyslogField::structured_data: return data(m, arena);
    case SyslogField::message:
      return m.message.empty() ? Value::string("") : text(m.message, m, arena);
    case SyslogField::peer: return text(m.peer, m, arena);
    case SyslogField::sequence:
      if (!m.has_sequence || m.sequence > INT64_MAX) return Value::missing();
      return Value::int64(static_cast<std::int64_t>(m.sequence));
    case SyslogField::format: return Value::string(syslog_format_name(m.format));
    case SyslogField::parse_error: return flags(m, kSyslogErrors, arena);
    case SyslogField::parse_flags: return flags(m, ~kSyslogErrors, arena);
  }
  return Value::missing();
}

Value SyslogValues::text(std::string_view text, const SyslogMessage& m, Arena& arena) {
  if (text.empty()) return Value::missing();
  if ((m.flags & kSyslogBadUtf8) == 0 || is_utf8(text)) return Value::string(text);
  repaired_.clear();
  append_repaired_utf8(text, repaired_);
  return Value::string(arena.copy(repaired_));
}

Value SyslogValues::flags(const SyslogMessage& m, std::uint32_t mask, Arena& arena) {
  if ((m.flags & mask) == 0) return Value::missing();
  plain_.clear();
  append_syslog_flags(m.flags, mask, plain_);
  return Value::string(arena.copy(plain_));
}

void SyslogValues::append_value(const SyslogParam& param) {
  plain_.resize(param.value.size());
  plain_.resize(unescape_syslog(param.value, plain_.data()));
  append_json_string(plain_, json_);
}

// Sorted, so that equal ids and names stand together: hostile data may repeat them thousands of
// times.
Value SyslogValues::data(const SyslogMessage& m, Arena& arena) {
  if (m.structured_data.empty()) return Value::missing();
  params_.clear();
  SyslogParam param;
  for (SyslogParams params(m.structured_data); params.next(param);) params_.push_back(param);
  std::sort(params_.begin(), params_.end(), [](const SyslogParam& a, const SyslogParam& b) {
    if (a.id != b.id) return a.id < b.id;
    if (a.name != b.name) return a.name < b.name;
    return a.value.data() < b.value.data();
  });
  json_.assign(1, '{');
  for (std::size_t i = 0; i < params_.size();) {
    const std::string_view id = params_[i].id;
    if (i > 0) json_ += ',';
    append_json_string(id, json_);
    json_ += ":{";
    for (bool first = true; i < params_.size() && params_[i].id == id;) {
      const std::string_view name = params_[i].name;
      std::size_t end = i + 1;
      while (end < params_.size() && params_[end].id == id && params_[end].name == name) ++end;
      if (name.empty()) {
        i = end;
        continue;
      }
      if (!first) json_ += ',';
      first = false;
      append_json_string(name, json_);
      json_ += ':';
      const bool several = end - i > 1;
      if (several) json_ += '[';
      for (bool item = false; i < end; ++i, item = true) {
        if (item) json_ += ',';
        append_value(params_[i]);
      }
      if (several) json_ += ']';
    }
    json_ += '}';
  }
  json_ += '}';
  if ((m.flags & kSyslogBadUtf8) == 0) return Value::json(arena.copy(json_));
  repaired_.clear();
  append_repaired_utf8(json_, repaired_);
  return Value::json(arena.copy(repaired_));
}

}  // namespace streamd
