// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/syslog_fields.h"
#include "tests/engine/codec/support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::test;

namespace {

One syslog(std::string text, std::vector<std::string> fields, EventTime arrival = {1'000'000}) {
  One one{std::make_shared<std::string>(std::move(text)), {}};
  RawBatch in;
  in.records.push_back({*one.text, 0, arrival});
  make_decoder({DecodeConfig::Kind::syslog, "UTC"}, std::move(fields))->decode(in, one.out);
  return one;
}

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
ConfigNode map(std::string key, ConfigNode value) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  node.entries.emplace_back(scalar(std::move(key)), std::move(value));
  return node;
}

}  // namespace

TEST_CASE("A syslog message gives typed fields") {
  const One r = syslog(
      "\x01"
      "192.0.2.7\x02<165>1 2024-01-02T03:04:05.123456Z web nginx 12 ID7 "
      "[b@1 k=\"x\\\"\" k=\"2\"][a] text",
      {"timestamp", "facility", "severity", "facility_code", "severity_code", "host", "app",
       "procid", "msgid", "structured_data", "message", "peer", "format", "parse_error",
       "parse_flags", "sequence", "nothing"});
  REQUIRE(r.good());
  const std::vector<std::string> expected = {"timestamp:\"2024-01-02T03:04:05.123456Z\"",
                                             "string:local4",
                                             "string:notice",
                                             "int:20",
                                             "int:5",
                                             "string:web",
                                             "string:nginx",
                                             "string:12",
                                             "string:ID7",
                                             "json:{\"a\":{},\"b@1\":{\"k\":[\"x\\\"\",\"2\"]}}",
                                             "string:text",
                                             "string:192.0.2.7",
                                             "string:rfc5424",
                                             "missing",
                                             "missing",
                                             "missing",
                                             "missing"};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(r.show(i) == expected[i]);
}

TEST_CASE("What can't be parsed is a record with its reason") {
  const One r = syslog("what is this\xFF",
                       {"message", "parse_error", "parse_flags", "timestamp", "severity", "host"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:what is this\xEF\xBF\xBD");
  CHECK(r.show(1) == "string:no-syslog");
  CHECK(r.show(2) == "string:no-priority no-time bad-utf8");
  CHECK(r.show(3) == "timestamp:\"1970-01-01T00:00:01Z\"");
  CHECK(r.show(4) == "string:notice");
  CHECK(r.show(5) == "null");
  CHECK(syslog("", {"message", "parse_error"}).show(1) == "string:empty");
}

TEST_CASE("Structured data that is no UTF-8 is repaired") {
  const One r = syslog("<13>1 - h a - - [a x=\"\xFF\"] y", {"structured_data", "message"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "json:{\"a\":{\"x\":\"\xEF\xBF\xBD\"}}");
  CHECK(r.show(1) == "string:y");
}

TEST_CASE("Cisco's number is the sequence") {
  CHECK(syslog("<189>123: host: *Mar  1 18:46:11: %SYS-5-X: y", {"sequence"}).show(0) == "int:123");
  CHECK(syslog("<189>99999999999999999999: host: *Mar  1 18:46:11: %SYS-5-X: y", {"sequence"})
            .show(0) == "missing");
}

TEST_CASE("The decoder is configured with a zone") {
  DecodeConfig config;
  Diagnostics problems;
  using F = FieldType<DecodeConfig>;
  REQUIRE(F::read(scalar("syslog"), config, problems));
  CHECK(F::show(config) == "syslog");
  REQUIRE(F::read(map("syslog", map("zone", scalar("Europe/Zurich"))), config, problems));
  CHECK(config.format == "Europe/Zurich");
  CHECK(F::show(config) == "{syslog: {zone: \"Europe/Zurich\"}}");
  CHECK(problems.errors() == 0);
  CHECK_FALSE(F::read(map("syslog", map("zone", scalar("Mars/Base"))), config, problems));
  CHECK_FALSE(F::read(map("syslog", map("place", scalar("UTC"))), config, problems));
  CHECK_FALSE(F::read(map("syslog", scalar("UTC")), config, problems));
  REQUIRE(problems.all().size() == 3);
  CHECK(problems.all()[0].message == "\"Mars/Base\" is no time zone");
  CHECK(problems.all()[1].code == "type-mismatch");
}

TEST_CASE("The schema of syslog is closed and its fields are known by name") {
  const Schema schema = decoded_schema({DecodeConfig::Kind::syslog, "UTC"});
  CHECK_FALSE(schema.open);
  CHECK(schema.fields.size() == 16);
  for (std::size_t i = 0; i < schema.fields.size(); ++i)
    CHECK(syslog_field_of(schema.fields[i].name) == static_cast<SyslogField>(i));
  CHECK_FALSE(syslog_field_of("messages"));
}
