// SPDX-License-Identifier: Apache-2.0
#include "lists/format/stix_pattern.h"
#include "tests/lists/read_fixture.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

std::string indicator(std::string_view id, std::string_view pattern, std::string_view more = "") {
  return fmt::format(R"({{"type":"indicator","spec_version":"2.1","id":"indicator--{}",)"
                     R"("pattern_type":"stix","pattern":"{}","valid_from":"2026-05-01T00:00:00Z",)"
                     R"("modified":"2026-05-02T00:00:00.000Z"{}}})",
                     id, pattern, more);
}
Read read(const std::string& objects) {
  return Read(format_of(ListFormat::stix),
              R"({"type":"bundle","id":"bundle--1","objects":[)" + objects + "]}");
}

std::string values_of(std::string_view pattern) {
  const auto values = format::read_stix_pattern(pattern);
  if (!values) return "?";
  std::string out;
  for (const auto& value : *values) out += (out.empty() ? "" : " ") + value.value;
  return out;
}

}  // namespace

TEST_CASE("a STIX pattern that compares a value is understood") {
  CHECK(values_of("[ipv4-addr:value = '192.0.2.7']") == "192.0.2.7");
  CHECK(values_of(" [ ipv4-addr:value='192.0.2.7' OR ipv6-addr:value = '::1' ] ") ==
        "192.0.2.7 ::1");
  CHECK(values_of("[ipv4-addr:value = '192.0.2.7'] OR [domain-name:value = 'a.example']") ==
        "192.0.2.7 a.example");
  CHECK(values_of("[ipv4-addr:value ISSUBSET '10.0.0.0/8']") == "10.0.0.0/8");
  CHECK(values_of("[domain-name:value IN ('a.example', 'b.example')]") == "a.example b.example");
  CHECK(values_of("[url:value = 'http://x.example/it\\'s']") == "http://x.example/it's");
  CHECK(values_of("[file:hashes.'SHA-256' = 'ABCDEF' AND file:hashes.MD5 = '0A']") == "abcdef 0a");
  CHECK(values_of("[network-traffic:dst_ref.type = 'ipv4-addr' AND "
                  "network-traffic:dst_ref.value = '192.0.2.7']") == "192.0.2.7");
  CHECK(values_of("([ipv4-addr:value = '192.0.2.7'])") == "192.0.2.7");
}

TEST_CASE("a STIX pattern that says more than a value is not understood") {
  for (const char* pattern :
       {"", "[]", "[ipv4-addr:value = '192.0.2.7'", "[ipv4-addr:value != '192.0.2.7']",
        "[ipv4-addr:value = '192.0.2.7' AND domain-name:value = 'a.example']",
        "[ipv4-addr:value = '192.0.2.7'] AND [domain-name:value = 'a.example']",
        "[ipv4-addr:value = '192.0.2.7'] REPEATS 5 TIMES", "[url:value LIKE 'http%']",
        "[url:value MATCHES '^x']", "[ipv4-addr:value NOT = '192.0.2.7']", "[file:size = 7]",
        "[file:name = 'x.exe']", "[ipv4-addr:value = 192]", "[ipv4-addr:value = '']",
        "[network-traffic:dst_ref.type = 'ipv4-addr']", "[domain-name:value ISSUBSET 'x']",
        "[ipv4-addr:value = '192.0.2.7'] [", "[domain-name:value INX ('a')]"}) {
    INFO(pattern);
    CHECK(values_of(pattern) == "?");
  }
  CHECK(values_of(std::string(100'000, '(')) == "?");
  CHECK(values_of("[" + std::string(100'000, '(')) == "?");
}

TEST_CASE("indicators of a STIX bundle come with what is known of them") {
  const Read found = read(
      R"({"type":"identity","id":"identity--1","name":"CERT Example"},)" +
      indicator("1", "[ipv4-addr:value = '192.0.2.7']",
                R"(,"name":"C2 of x","labels":["a","b"],"indicator_types":["malicious-activity"],)"
                R"("confidence":85,"created_by_ref":"identity--1",)"
                R"("valid_until":"2027-01-01T00:00:00Z")"));
  const Indicator entry = found.at("192.0.2.7");
  CHECK(entry.comment == "C2 of x");
  CHECK(entry.info->tags == "a,b");
  CHECK(entry.info->type == "malicious-activity");
  CHECK(entry.info->score == 85);
  CHECK(entry.info->source == "CERT Example");
  CHECK(entry.info->first_seen == EventTime{1'777'593'600'000'000});
  CHECK(entry.info->last_seen == EventTime{1'777'680'000'000'000});
  CHECK(entry.expires == EventTime{1'798'761'600'000'000});
}

TEST_CASE("indicators that are revoked, over, or not yet valid do not count") {
  const Read found = read(
      indicator("1", "[ipv4-addr:value = '192.0.2.1']", R"(,"revoked":true)") + "," +
      indicator("2", "[ipv4-addr:value = '192.0.2.2']",
                R"(,"valid_until":"2026-06-01T00:00:00Z")") +
      "," + indicator("3", "[ipv4-addr:value = '192.0.2.3']") + "," +
      R"({"type":"indicator","id":"indicator--4","pattern":"[ipv4-addr:value = '192.0.2.4']",)"
      R"("valid_from":"2026-12-01T00:00:00Z"},)"
      // An older version of number 3 and a newer one of 5.
      R"({"type":"indicator","id":"indicator--3","pattern":"[ipv4-addr:value = '192.0.2.33']",)"
      R"("modified":"2026-01-01T00:00:00.000Z"},)" +
      indicator("5", "[ipv4-addr:value = '192.0.2.5']") + "," +
      R"({"type":"indicator","id":"indicator--5","pattern":"[ipv4-addr:value = '192.0.2.55']",)"
      R"("modified":"2026-06-01T00:00:00.000Z"})");
  CHECK(found.list->size() == 2);
  CHECK(found.has("192.0.2.3"));
  CHECK(found.has("192.0.2.55"));
  CHECK(found.reading.next_begin == EventTime{1'796'083'200'000'000});
}

TEST_CASE("what is not understood of a STIX bundle is counted and told") {
  const Read found =
      read(indicator("1", "[file:name = 'x']") + "," +
           indicator("2", "[ipv4-addr:value = '192.0.2.300']") + "," +
           R"({"type":"indicator","id":"indicator--3","pattern_type":"snort","pattern":"alert"},)" +
           indicator("4", "[domain-name:value = 'evil.example']") + R"(,{"type":"malware"},7)");
  CHECK(found.list->size() == 1);
  CHECK(found.reading.remark() ==
        "1 of 4 indicators could not be used: indicator 2: \"192.0.2.300\" is no address or "
        "network; 2 of 4 indicators have a pattern that no list can hold");
}

TEST_CASE("a document that is no STIX bundle is an error") {
  const FormatConfig stix = format_of(ListFormat::stix);
  CHECK(read_error(stix, R"({"error":"no"})") ==
        "the document is no STIX bundle: it has no objects");
  CHECK(read_error(stix, R"({"type":"bundle","objects":[)") ==
        "the text is no JSON, or not all of it is there");
  CHECK(Read(stix, R"({"type":"bundle","id":"bundle--1"})").list->size() == 0);
  CHECK(Read(stix, "[" + indicator("1", "[domain-name:value = 'evil.example']") + "]")
            .has("www.evil.example"));
}
