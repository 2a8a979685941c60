// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/source_common.h"

#include "engine/codec/time_format.h"

#include <fmt/format.h>

namespace streamd {
namespace {

constexpr const char* kAccessLogTime = "time_local";
constexpr const char* kSyslogTime = "timestamp";
// Stamps of RFC 3164 have whole seconds, and hosts' clocks differ.
constexpr Duration kSyslogDelay = Duration::from_seconds(5);
// All hosts share a reader's event time: one clock that is ahead, or one forged stamp, would make
// the messages of all others late for as long.
constexpr Duration kSyslogFuture = Duration::from_seconds(5);

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& field : schema.fields) names.push_back(field.name);
  return names;
}

// "a.b" may be column "a.b" or a part of column "a".
const Field* find_path(const Schema& schema, std::string_view path) {
  for (const auto& field : schema.fields)
    if (path == field.name || (path.size() > field.name.size() && path[field.name.size()] == '.' &&
                               path.substr(0, field.name.size()) == field.name))
      return &field;
  return nullptr;
}

void check_field(const ConfigNode& time, const TimeConfig& config, const Schema& schema,
                 Diagnostics& problems) {
  const ConfigNode* place = time.find("field");
  if (place == nullptr || schema.open || find_path(schema, config.field) != nullptr) return;
  const std::string guess = closest(config.field, names_of(schema));
  problems.error("unknown-field", place->place,
                 place->substituted ? std::string("time.field: no such field")
                                    : fmt::format("time.field: unknown field \"{}\"", config.field),
                 guess.empty()
                     ? fmt::format("the decoder gives {}", fmt::join(names_of(schema), ", "))
                     : fmt::format("did you mean \"{}\"?", guess));
}

}  // namespace

const Spec<TimeConfig>& NestedSpec<TimeConfig>::spec() {
  using C = TimeConfig;
  static const Spec<C> kSpec =
      Spec<C>("a map of time settings")
          .field(&C::field,
                 {.name = "field",
                  .help = "Field that holds the time at which the event happened; a dotted path "
                          "goes into objects. Access logs have `time_local` and syslog has "
                          "`timestamp`, which are their defaults.",
                  .examples = {"\"@timestamp\"", "event.created"}})
          .field(&C::format,
                 {.name = "format",
                  .help = "How the time is written: `unix` (seconds, fraction allowed), `unix_ms`, "
                          "`unix_us`, `unix_ns`, `rfc3339`, `clf` (02/Jan/2024:03:04:05 +0100) or "
                          "a pattern such as `%Y-%m-%d %H:%M:%S`, which means UTC unless it has "
                          "`%z`. Fields that the decoder reads as a time need none.",
                  .examples = {"unix", "\"%d.%m.%Y %H:%M:%S\""}})
          .field(&C::max_delay,
                 {.name = "max_delay",
                  .help = "How much older than the newest record of its partition a record may be "
                          "and still count in time. Windows close this much later.",
                  .examples = {"2s", "5m"}})
          .field(&C::idle_after,
                 {.name = "idle_after",
                  .help = "A partition that is read to its end and brings nothing for this long no "
                          "longer holds windows back.",
                  .advanced = true,
                  .examples = {"10s"}})
          .field(&C::max_future,
                 {.name = "max_future",
                  .help = "A time further ahead of the wall clock than this is set back to it and "
                          "counted. It moves event time only to the wall clock, so that one wrong "
                          "clock does not make all others late.",
                  .advanced = true,
                  .examples = {"1h"}})
          .field(&C::late,
                 {.name = "late",
                  .help = "What becomes of records that come after their window has closed: `drop` "
                          "counts them, `route` sends them to port `late` of the window, which "
                          "other nodes read as `input: name.late`.",
                  .examples = {"route"}})
          .rule("idle_after must be positive",
                [](const C& c) { return c.idle_after > Duration{}; });
  return kSpec;
}

const Spec<SourceCommon>& source_common_spec() {
  using C = SourceCommon;
  static const Spec<C> kSpec =
      Spec<C>("source")
          .summary("What every source can be told.")
          .field(&C::type, {.name = "type",
                            .help = "Kind of source; `streamd list` names them all.",
                            .required = true})
          .field(&C::decode,
                 {.name = "decode",
                  .help = "What a record is: `json` (one object), `text` (field `message`), an "
                          "access log line, `{access_log: combined}`, or a `syslog` message, with "
                          "the zone of stamps that name none: `{syslog: {zone: Europe/Zurich}}`. "
                          "Only fields that the pipeline uses are read. Without it the source's "
                          "own default counts.",
                  .examples = {"json", "{access_log: combined}", "syslog"}})
          .field(&C::time,
                 {.name = "time",
                  .help = "Which field is the event's time, and how much disorder to expect. "
                          "Without it, the time of arrival counts (access logs: `time_local`; "
                          "syslog: `timestamp` with max_delay 5s and max_future 5s).",
                  .examples = {"{field: \"@timestamp\", format: unix, max_delay: 2s}"}})
          .field(&C::max_record, {.name = "max_record",
                                  .help = "A longer record becomes a dead letter.",
                                  .advanced = true,
                                  .examples = {"1MiB"}})
          .rule("max_record must be from 1B to 1GiB", [](const C& c) {
            return c.max_record.bytes >= 1 && c.max_record.bytes <= (std::uint64_t{1} << 30);
          });
  return kSpec;
}

const Spec<ListCommon>& list_common_spec() {
  using C = ListCommon;
  static const Spec<C> kSpec = Spec<C>("list")
                                   .summary("What every list can be told.")
                                   .field(&C::type, {.name = "type",
                                                     .help = "Kind of list; `streamd list lists` "
                                                             "names them all.",
                                                     .required = true});
  return kSpec;
}

const Spec<NodeCommon>& node_common_spec() {
  using C = NodeCommon;
  static const Spec<C> kSpec =
      Spec<C>("node")
          .summary("What every operator and sink can be told.")
          .field(&C::type, {.name = "type",
                            .help = "Kind of node; `streamd list` names them all.",
                            .required = true})
          .field(&C::input,
                 {.name = "input",
                  .help = "Where its records come from: a source or operator, or several of them. "
                          "`name.late` are the records that came too late for window `name`, "
                          "`name.x` those that take route `x` of operator `name`.",
                  .examples = {"requests", "[requests, audit]", "busy_clients.late"}});
  return kSpec;
}

void settle_time(const ConfigNode* time, SourceCommon& common, Diagnostics& problems) {
  const Schema schema = decoded_schema(common.decode);
  const bool syslog = common.decode.kind == DecodeConfig::Kind::syslog;
  const char* const standard_name = syslog ? kSyslogTime : kAccessLogTime;
  const auto standard = schema.find(standard_name);
  const bool has_standard = standard && schema.fields[*standard].type == Type::timestamp;
  if (!common.time && time == nullptr && has_standard) {
    common.time.emplace();
    if (syslog) {
      common.time->max_delay = kSyslogDelay;
      common.time->max_future = kSyslogFuture;
    }
  }
  if (!common.time) return;
  if (common.time->field.empty()) {
    if (has_standard)
      common.time->field = standard_name;
    else
      problems.error("missing-key", time->place, "time: \"field\" is missing",
                     "name the field that holds the event's time");
  }
  if (time == nullptr) return;
  if (!common.time->field.empty()) check_field(*time, *common.time, schema, problems);
  if (const auto format = TimeFormat::parse(common.time->format); !format) {
    const ConfigNode* place = time->find("format");
    const bool secret = place == nullptr || place->substituted;
    problems.error("time-format", place == nullptr ? time->place : place->place,
                   secret ? std::string("time.format: not a time format")
                          : "time.format: " + format.error().message,
                   secret ? std::string() : format.error().hint);
  }
}

}  // namespace streamd
