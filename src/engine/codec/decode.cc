// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decode.h"

#include "engine/codec/decoders.h"
#include "engine/codec/log_format.h"
#include "engine/codec/syslog_fields.h"

#include <fmt/format.h>

namespace streamd {
namespace {

using Shape = ConfigNode::Shape;

bool is_known_format(std::string_view format) {
  return format == "combined" || format == "common" || format == "json";
}

bool read_format(const ConfigNode& node, DecodeConfig& into, Diagnostics& problems) {
  if (node.shape != Shape::scalar) {
    report_type(node, "combined, common, json or an nginx log_format string", problems);
    return false;
  }
  into.kind = DecodeConfig::Kind::access_log;
  into.format = node.text;
  if (is_known_format(node.text)) return true;
  if (node.text.find('$') == std::string::npos) {
    report_choice(node, {"combined", "common", "json", "an nginx log_format string"}, problems);
    return false;
  }
  const auto parsed = parse_log_format(node.text);
  if (parsed.trouble.empty()) return true;
  problems.error("bad-log-format", node.place_at(parsed.trouble_at), parsed.trouble,
                 "Write it as in nginx: '$remote_addr [$time_local] \"$request\" $status'.");
  return false;
}

bool read_syslog(const ConfigNode& node, DecodeConfig& into, Diagnostics& problems) {
  into.kind = DecodeConfig::Kind::syslog;
  into.format = "UTC";
  if (node.shape != Shape::map || node.entries.size() != 1 ||
      node.entries[0].first.text != "zone") {
    problems.error("type-mismatch", node.place, "syslog takes only the key \"zone\"",
                   "Write for example decode: {syslog: {zone: Europe/Zurich}}.");
    return false;
  }
  const ConfigNode& zone = node.entries[0].second;
  if (!FieldType<std::string>::read(zone, into.format, problems)) return false;
  if (SyslogParser::is_zone(into.format)) return true;
  problems.error("unknown-zone", zone.place,
                 zone.substituted ? std::string("zone: no such time zone")
                                  : fmt::format("\"{}\" is no time zone", into.format),
                 "Write UTC, a name such as Europe/Zurich, or an offset such as +01:00.");
  return false;
}

}  // namespace

bool FieldType<DecodeConfig>::read(const ConfigNode& node, DecodeConfig& into,
                                   Diagnostics& problems) {
  into = {};
  if (node.shape == Shape::map) {
    if (node.entries.size() == 1 && node.entries[0].first.text == "access_log") {
      return read_format(node.entries[0].second, into, problems);
    }
    if (node.entries.size() == 1 && node.entries[0].first.text == "syslog") {
      return read_syslog(node.entries[0].second, into, problems);
    }
    const ConfigNode& wrong = node.entries.empty() ? node : node.entries.back().first;
    problems.error("unknown-key", wrong.place,
                   "decode takes only the key \"access_log\" or \"syslog\"",
                   "Write for example decode: {access_log: combined}.");
    return false;
  }
  if (node.shape == Shape::scalar && node.text == "json") return true;
  if (node.shape == Shape::scalar && node.text == "text") {
    into.kind = DecodeConfig::Kind::text;
    return true;
  }
  if (node.shape == Shape::scalar && node.text == "syslog") {
    into.kind = DecodeConfig::Kind::syslog;
    into.format = "UTC";
    return true;
  }
  if (node.shape == Shape::scalar && node.text == "access_log") {
    problems.error("type-mismatch", node.place, "access_log needs a format",
                   "Write decode: {access_log: combined}.");
    return false;
  }
  report_choice(node, {"json", "text", "syslog", "{access_log: combined}"}, problems);
  return false;
}

std::string FieldType<DecodeConfig>::name() {
  return "json, text, syslog, {syslog: {zone: ZONE}} or {access_log: FORMAT}";
}

std::string FieldType<DecodeConfig>::json_schema() {
  return R"({"anyOf":[{"enum":["json","text","syslog"]},{"type":"object","properties":{"syslog":)"
         R"({"type":"object","properties":{"zone":{"type":"string"}},"required":["zone"],)"
         R"("additionalProperties":false}},"required":["syslog"],"additionalProperties":false},)"
         R"({"type":"object","properties":{"access_log":)"
         R"({"type":"string","description":"combined, common, json or an nginx log_format string"}},)"
         R"("required":["access_log"],"additionalProperties":false}]})";
}

std::string FieldType<DecodeConfig>::show(const DecodeConfig& value) {
  switch (value.kind) {
    case DecodeConfig::Kind::json: return "json";
    case DecodeConfig::Kind::text: return "text";
    case DecodeConfig::Kind::syslog:
      if (value.format == "UTC") return "syslog";
      return fmt::format("{{syslog: {{zone: {}}}}}", json_quote(value.format));
    case DecodeConfig::Kind::access_log: break;
  }
  const bool plain = is_known_format(value.format);
  return fmt::format("{{access_log: {}}}", plain ? value.format : json_quote(value.format));
}

Schema decoded_schema(const DecodeConfig& config) {
  if (config.kind == DecodeConfig::Kind::text) {
    Schema schema;
    schema.fields.push_back({"message", Type::string});
    return schema;
  }
  if (config.kind == DecodeConfig::Kind::syslog) return syslog_schema();
  if (config.kind == DecodeConfig::Kind::json || config.format == "json") {
    Schema schema;
    schema.open = true;
    return schema;
  }
  return access_log_schema(config.format);
}

std::unique_ptr<Decoder> make_decoder(const DecodeConfig& config, std::vector<std::string> fields) {
  if (config.kind == DecodeConfig::Kind::text) return make_text_decoder(std::move(fields));
  if (config.kind == DecodeConfig::Kind::json) return make_json_decoder(std::move(fields), false);
  if (config.kind == DecodeConfig::Kind::syslog)
    return make_syslog_decoder(config.format, std::move(fields));
  if (config.format == "json") return make_json_decoder(std::move(fields), true);
  return make_access_log_decoder(config.format, std::move(fields));
}

void prepare(const RawBatch& in, std::size_t fields, Decoded& out) {
  out.records.clear();
  out.records.reserve(in.records.size());
  out.bad.clear();
  out.repaired.clear();
  out.columns.clear();
  for (std::size_t i = 0; i < fields; ++i) {
    out.columns.push_back(std::make_shared<Column>(in.records.size()));
  }
  out.arena = std::make_shared<Arena>();
}

void finish(Decoded& out) {
  for (auto& column : out.columns) column->resize(out.records.size());
}

}  // namespace streamd
