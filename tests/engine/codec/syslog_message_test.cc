// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/syslog_message.h"

#include "engine/codec/time_format.h"
#include "tests/support/catch.h"

#include <string>
#include <string_view>
#include <vector>

using namespace streamd;
using namespace std::string_literals;

namespace {

constexpr EventTime kArrival{1'704'200'000'000'000};  // 2024-01-02T12:53:20Z

struct Parsed {
  SyslogMessage m;
  std::string time() const {
    std::string out;
    if (m.has_time) format_rfc3339(m.time, m.nanos, out);
    return out;
  }
  std::string flags() const {
    std::string out;
    append_syslog_flags(m.flags, ~0u, out);
    return out;
  }
};

Parsed parse(std::string_view text, EventTime arrival = kArrival, const std::string& zone = "UTC") {
  Parsed out;
  SyslogParser parser(zone);
  parser.parse(text, arrival, out.m);
  return out;
}

std::vector<std::string> params(std::string_view data) {
  std::vector<std::string> out;
  SyslogParams walk(data);
  for (SyslogParam p; walk.next(p);) {
    std::string plain(p.value.size(), '\0');
    plain.resize(unescape_syslog(p.value, plain.data()));
    out.push_back(std::string(p.id) + "." + std::string(p.name) + "=" + plain);
  }
  return out;
}

struct Row {
  std::string_view text;
  SyslogFormat format;
  std::string_view time, host, app, procid, msgid, message, flags;
};
constexpr auto k5424 = SyslogFormat::rfc5424;
constexpr auto k3164 = SyslogFormat::rfc3164;
constexpr auto kBare = SyslogFormat::bare;

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.text);
    const Parsed p = parse(row.text);
    CHECK(syslog_format_name(p.m.format) == syslog_format_name(row.format));
    CHECK(p.time() == row.time);
    CHECK(p.m.host == row.host);
    CHECK(p.m.app == row.app);
    CHECK(p.m.procid == row.procid);
    CHECK(p.m.msgid == row.msgid);
    CHECK(p.m.message == row.message);
    CHECK(p.flags() == row.flags);
  }
}

}  // namespace

TEST_CASE("A message of RFC 5424 is taken apart") {
  const Parsed p = parse(
      "<165>1 2024-01-02T03:04:05.123456+02:00 web1.example.org nginx 1234 ID47 "
      "[ex@32473 k=\"a\\\"b\\]c\" k2=\"x\\y\"][origin ip=\"192.0.2.1\"] \xEF\xBB\xBFtext \xC3\xA4");
  CHECK(p.m.facility == 20);
  CHECK(p.m.severity == 5);
  CHECK(p.time() == "2024-01-02T01:04:05.123456Z");
  CHECK(p.m.host == "web1.example.org");
  CHECK(p.m.app == "nginx");
  CHECK(p.m.procid == "1234");
  CHECK(p.m.msgid == "ID47");
  CHECK(p.m.message == "text \xC3\xA4");
  CHECK(p.flags().empty());
  CHECK(params(p.m.structured_data) ==
        std::vector<std::string>{"ex@32473.k=a\"b]c", "ex@32473.k2=x\\y", "origin.ip=192.0.2.1"});
}

TEST_CASE("Messages of RFC 5424 and what breaks its rules") {
  check({
      {"<0>1 - - - - - -", k5424, "", "", "", "", "", "", "no-time"},
      {"<34>1 2024-01-02T03:04:05Z h su - ID47 - 'su root' failed", k5424, "2024-01-02T03:04:05Z",
       "h", "su", "", "ID47", "'su root' failed", ""},
      {"<34>1 2024-01-02T03:04:05.123456789Z h a p m -", k5424, "2024-01-02T03:04:05.123456789Z",
       "h", "a", "p", "m", "", "loose-header"},
      {"<34>1 2024-01-02T03:04:05.5z h a p m - x", k5424, "2024-01-02T03:04:05.5Z", "h", "a", "p",
       "m", "x", "loose-header"},
      {"<34>1 2024-01-02T03:04:05+0100 h a p m - x", k5424, "2024-01-02T02:04:05Z", "h", "a", "p",
       "m", "x", "loose-header"},
      {"<34>1 2024-01-02T03:04:05Z h a p m the data is left out", k5424, "2024-01-02T03:04:05Z",
       "h", "a", "p", "m", "the data is left out", "loose-header"},
      {"<34>1 2024-01-02T03:04:05Z h a p m [] x", k5424, "2024-01-02T03:04:05Z", "h", "a", "p", "m",
       "x", "loose-header"},
      {"<34>1 2024-01-02T03:04:05Z h a p m [id k=\"v x", k5424, "2024-01-02T03:04:05Z", "h", "a",
       "p", "m", "[id k=\"v x", "loose-header bad-structured-data"},
      {"<34>1 2024-01-02T03:04:05Z h my app 7 M [id k=\"v\"] x", k5424, "2024-01-02T03:04:05Z", "h",
       "my", "app 7", "M", "x", "loose-header"},
      {"<34>1 2024-01-02T03:04:05Z h", k5424, "2024-01-02T03:04:05Z", "h", "", "", "", "",
       "loose-header"},
      {"<34>1 2024-02-30T03:04:05Z h a p m - x", k5424, "", "h", "a", "p", "m", "x", "bad-time"},
      {"<34>1 2024-01-02T03:04 h a p m - x", k5424, "", "h", "a", "p", "m", "x",
       "no-time bad-time"},
      {"<034>1 2024-01-02T03:04:05Z h a p m - x", k5424, "2024-01-02T03:04:05Z", "h", "a", "p", "m",
       "x", "loose-header"},
      {"<34>1 2024-01-02T03:04:05Z h a p m -  two blanks\n", k5424, "2024-01-02T03:04:05Z", "h",
       "a", "p", "m", "two blanks", ""},
      {"<34>1 2024-01-02T03:04:05Z 2001:db8::1 a p m - x\r\n", k5424, "2024-01-02T03:04:05Z",
       "2001:db8::1", "a", "p", "m", "x", ""},
  });
}

TEST_CASE("Elements with blanks between, quotes and brackets inside are read") {
  const auto of = [](std::string_view data) {
    return params(parse("<13>1 2024-01-02T03:04:05Z h a p m "s + std::string(data) + " end")
                      .m.structured_data);
  };
  CHECK(of("[a x=\"1\"] [b y=\"2\"]") == std::vector<std::string>{"a.x=1", "b.y=2"});
  CHECK(of("[a x=\"one \"two\" three\" y=\"4\"]") ==
        std::vector<std::string>{"a.x=one \"two\" three", "a.y=4"});
  CHECK(of("[a x=\"[1]\"]") == std::vector<std::string>{"a.x=[1]"});
  CHECK(of("[a]") == std::vector<std::string>{"a.="});
  CHECK(of("[a][b x=\"\"]") == std::vector<std::string>{"a.=", "b.x="});
  CHECK(of("[a x=\"1\" x=\"2\"]") == std::vector<std::string>{"a.x=1", "a.x=2"});
  CHECK(of("[a x=\"\\\\\"]") == std::vector<std::string>{"a.x=\\"});
  CHECK(of("[a  x=\"1\" ]") == std::vector<std::string>{"a.x=1"});
}

TEST_CASE("Messages of RFC 3164 in their wild forms") {
  check({
      {"<34>Jan  2 03:04:05 web1 sshd[999]: Failed password for root from 203.0.113.9 port 22 ssh2",
       k3164, "2024-01-02T03:04:05Z", "web1", "sshd", "999", "",
       "Failed password for root from 203.0.113.9 port 22 ssh2", "year-guessed"},
      {"<34>Jan 2 03:04:05 web1 kernel: [12.3] x", k3164, "2024-01-02T03:04:05Z", "web1", "kernel",
       "", "", "[12.3] x", "year-guessed"},
      {"<134>Jan  2 03:04:05 filterlog[123]: 5,,,1000", k3164, "2024-01-02T03:04:05Z", "",
       "filterlog", "123", "", "5,,,1000", "year-guessed"},
      {"<34>Jan  2 03:04:05 h sshd(pam_unix)[19939]: x", k3164, "2024-01-02T03:04:05Z", "h",
       "sshd(pam_unix)", "19939", "", "x", "year-guessed"},
      {"<22>Jan  2 03:04:05 h postfix/smtpd[12]: x", k3164, "2024-01-02T03:04:05Z", "h",
       "postfix/smtpd", "12", "", "x", "year-guessed"},
      {"<13>2024-01-02T03:04:05.123456+01:00 host tag: msg", k3164, "2024-01-02T02:04:05.123456Z",
       "host", "tag", "", "", "msg", ""},
      {"<166>2024-01-02T03:04:05.123Z esx Hostd: info", k3164, "2024-01-02T03:04:05.123Z", "esx",
       "Hostd", "", "", "info", ""},
      {"2024-01-02T03:04:05.123456+01:00 host tag[7]: msg", k3164, "2024-01-02T02:04:05.123456Z",
       "host", "tag", "7", "", "msg", "no-priority"},
      {"Jan  2 03:04:05 host tag: msg", k3164, "2024-01-02T03:04:05Z", "host", "tag", "", "", "msg",
       "no-priority year-guessed"},
      {"<189>123: rtr1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured", k3164,
       "2023-03-01T18:46:11.123Z", "rtr1", "", "", "SYS-5-CONFIG_I", "Configured",
       "year-guessed clock-not-set"},
      {"<189>: 2024 Jan  2 03:04:05 CET: %ETHPORT-5-IF_UP: up", k3164, "2024-01-02T02:04:05Z", "",
       "", "", "ETHPORT-5-IF_UP", "up", ""},
      {"<166>Jan 02 2024 03:04:05 asa1 : %ASA-6-302013: Built outbound", k3164,
       "2024-01-02T03:04:05Z", "asa1", "", "", "ASA-6-302013", "Built outbound", ""},
      {"<166>Jan 02 2024 03:04:05: %ASA-6-302013: Built", k3164, "2024-01-02T03:04:05Z", "", "", "",
       "ASA-6-302013", "Built", ""},
      {"<166>%ASA-6-302013: Built", k3164, "", "", "", "", "ASA-6-302013", "Built", "no-time"},
      {"<189>45: %SYS-5-CONFIG_I: x", k3164, "", "", "", "", "SYS-5-CONFIG_I", "x", "no-time"},
      {"<187>1: RP/0/RSP0/CPU0:Jan  2 03:04:05.1 : proc[123]: %MGBL-SYS-5-X : up", k3164,
       "2024-01-02T03:04:05.1Z", "RP/0/RSP0/CPU0", "proc", "123", "MGBL-SYS-5-X", "up",
       "year-guessed"},
      {"<190>Jan  2 03:04:05 web nginx: 192.0.2.1 - - [02/Jan/2024] \"GET /\"", k3164,
       "2024-01-02T03:04:05Z", "web", "nginx", "", "", "192.0.2.1 - - [02/Jan/2024] \"GET /\"",
       "year-guessed"},
      {"<190>Jan  2 03:04:05 nginx: 192.0.2.1", k3164, "2024-01-02T03:04:05Z", "", "nginx", "", "",
       "192.0.2.1", "year-guessed"},
      {"<14>Jan  2 03:04:05 fw CEF:0|V|P|1|sig|name|5|src=192.0.2.1", k3164, "2024-01-02T03:04:05Z",
       "fw", "", "", "", "CEF:0|V|P|1|sig|name|5|src=192.0.2.1", "year-guessed"},
      {"<14>Jan  2 03:04:05 fw LEEF:2.0|V|P|1|id|^|src=192.0.2.1", k3164, "2024-01-02T03:04:05Z",
       "fw", "", "", "", "LEEF:2.0|V|P|1|id|^|src=192.0.2.1", "year-guessed"},
      {"<14>Jan  2 03:04:05 pa 1,2024/01/02 03:04:05,0011,TRAFFIC", k3164, "2024-01-02T03:04:05Z",
       "pa", "", "", "", "1,2024/01/02 03:04:05,0011,TRAFFIC", "year-guessed"},
      {"<13>Jan  2 03:04:05 win MSWinEventLog\t1\tSecurity", k3164, "2024-01-02T03:04:05Z", "win",
       "", "", "", "MSWinEventLog\t1\tSecurity", "year-guessed"},
      {"<13>Tue Jan  2 03:04:05 2024 h app: x", k3164, "2024-01-02T03:04:05Z", "h", "app", "", "",
       "x", ""},
      {"<13> Jan  2 03:04:05 h app: x", k3164, "2024-01-02T03:04:05Z", "h", "app", "", "", "x",
       "year-guessed"},
      {"<13>Jan  2 03:04:05 2001:db8::1 app: x", k3164, "2024-01-02T03:04:05Z", "2001:db8::1",
       "app", "", "", "x", "year-guessed"},
      {"<13>Jan  2 03:04:05 last message repeated 3 times", k3164, "2024-01-02T03:04:05Z", "", "",
       "", "", "last message repeated 3 times", "year-guessed"},
      {"<13>Jan  2 03:04:60 h app: leap", k3164, "2024-01-02T03:05:00Z", "h", "app", "", "", "leap",
       "year-guessed"},
      {"<13>JAN  2 03:04:05 h app: x", k3164, "2024-01-02T03:04:05Z", "h", "app", "", "", "x",
       "year-guessed"},
      {"<13>Jan  2 03:04:05 h http://example.com/ was asked", k3164, "2024-01-02T03:04:05Z", "h",
       "", "", "", "http://example.com/ was asked", "year-guessed"},
      {"<13>app[3]: no stamp", k3164, "", "", "app", "3", "", "no stamp", "no-time"},
      {"<134>1 1704164645.123456789 mx84 urls src=192.0.2.1", k3164,
       "2024-01-02T03:04:05.123456789Z", "mx84", "", "", "", "urls src=192.0.2.1", ""},
      {"<13>Jan  2 03:04:05 h @cee: {\"a\":1}", k3164, "2024-01-02T03:04:05Z", "h", "", "", "",
       "@cee: {\"a\":1}", "year-guessed"},
  });
}

TEST_CASE("What has no header is all message") {
  check({
      {"<189>date=2024-01-02 time=03:04:05 devname=\"fw1\" tz=\"+0100\" type=traffic", kBare,
       "2024-01-02T02:04:05Z", "fw1", "", "", "",
       "date=2024-01-02 time=03:04:05 devname=\"fw1\" tz=\"+0100\" type=traffic", "no-header"},
      {"<13>{\"a\": 1}", kBare, "", "", "", "", "", "{\"a\": 1}", "no-time no-header"},
      {"{\"a\": 1}\n", kBare, "", "", "", "", "", "{\"a\": 1}", "no-priority no-time no-header"},
      {"hello there", kBare, "", "", "", "", "", "hello there", "no-priority no-time no-syslog"},
      {"", kBare, "", "", "", "", "", "", "no-priority no-time empty"},
      {"<13>", kBare, "", "", "", "", "", "", "no-time empty"},
      {"<13", kBare, "", "", "", "", "", "<13", "no-priority no-time no-syslog"},
      {"<abc>x", kBare, "", "", "", "", "", "<abc>x", "no-priority no-time no-syslog"},
      {"<192>x y", kBare, "", "", "", "", "", "x y", "no-time bad-priority"},
      {"<99999>Jan  2 03:04:05 h a: x", k3164, "2024-01-02T03:04:05Z", "h", "a", "", "", "x",
       "year-guessed bad-priority"},
      {"<13>Feb 30 03:04:05 h a: x", k3164, "", "h", "a", "", "", "x", "bad-time"},
      {"<13>Jan  2 25:04:05 h a: x", k3164, "", "h", "a", "", "", "x", "bad-time"},
      {"\xEF\xBB\xBF<13>\xC3\x9C"
       "ber: text",
       k3164, "", "",
       "\xC3\x9C"
       "ber",
       "", "", "text", "no-time"},
  });
  CHECK(parse("<192>x").m.facility == 1);
  CHECK(parse("<192>x").m.severity == 5);
}

TEST_CASE("Binary rubbish is a message") {
  std::string rubbish;
  for (int i = 0; i < 4096; ++i) rubbish += static_cast<char>((i * 131) ^ (i >> 3));
  const Parsed p = parse(rubbish);
  CHECK((p.m.flags & kSyslogErrors) != 0);
  CHECK_FALSE(p.m.message.empty());
  CHECK(parse("<13>"s + rubbish).m.facility == 1);
  CHECK(parse("\0\0\0"s).m.message.empty());
}

TEST_CASE("The year of a stamp without one is chosen from the time of arrival") {
  const auto at = [](const char* text) { return parse_rfc3339(text)->time; };
  struct {
    const char* arrival;
    const char* stamp;
    const char* time;
  } const rows[] = {
      {"2024-01-01T00:00:10Z", "Dec 31 23:59:59", "2023-12-31T23:59:59Z"},
      {"2023-12-31T23:59:50Z", "Jan  1 00:00:05", "2024-01-01T00:00:05Z"},
      {"2024-06-01T12:00:00Z", "Jun  2 11:00:00", "2024-06-02T11:00:00Z"},
      {"2024-06-01T12:00:00Z", "Jun  3 11:00:00", "2023-06-03T11:00:00Z"},
      {"2024-06-01T12:00:00Z", "Feb 29 11:00:00", "2024-02-29T11:00:00Z"},
      {"2025-01-01T12:00:00Z", "Feb 29 11:00:00", "2024-02-29T11:00:00Z"},
      {"2026-06-01T12:00:00Z", "Feb 29 11:00:00", ""},
  };
  for (const auto& row : rows) {
    INFO(row.arrival << " " << row.stamp);
    const Parsed p = parse("<13>"s + row.stamp + " h a: x", at(row.arrival));
    CHECK(p.time() == row.time);
    CHECK(p.flags() == (*row.time == '\0' ? "bad-time" : "year-guessed"));
  }
  CHECK(parse("<13>Jan  2 03:04:05 h a: x", EventTime{0}).flags() == "bad-time");
}

TEST_CASE("Stamps without a zone are local time of the given zone") {
  const auto in = [](const char* stamp) {
    return parse("<13>"s + stamp + " h a: x", kArrival, "Europe/Zurich").time();
  };
  CHECK(in("Jan  2 03:04:05") == "2024-01-02T02:04:05Z");
  CHECK(in("2023-07-02T03:04:05") == "2023-07-02T01:04:05Z");
  CHECK(in("2023-07-02T03:04:05Z") == "2023-07-02T03:04:05Z");
  CHECK(in("Mar 26 2023 02:30:00") == "2023-03-26T01:30:00Z");  // never shown: goes forward
  CHECK(in("Oct 29 2023 02:30:00") == "2023-10-29T00:30:00Z");  // shown twice: the first
  CHECK(in("Jan  2 2024 03:04:05 UTC") == "2024-01-02T03:04:05Z");
  CHECK(SyslogParser::is_zone("Europe/Zurich"));
  CHECK(SyslogParser::is_zone("-03:30"));
  CHECK_FALSE(SyslogParser::is_zone("Europe/Nowhere"));
}

TEST_CASE("One parser keeps zones apart from quarter to quarter") {
  SyslogParser parser("Europe/Zurich");
  Parsed p;
  for (const auto& [stamp, time] : {std::pair{"2023-03-26T01:59:59", "2023-03-26T00:59:59Z"},
                                    std::pair{"2023-03-26T03:00:00", "2023-03-26T01:00:00Z"},
                                    std::pair{"2023-03-26T01:59:59", "2023-03-26T00:59:59Z"}}) {
    parser.parse("<13>"s + stamp + " h a: x", kArrival, p.m);
    CHECK(p.time() == time);
  }
}

TEST_CASE("The envelope of a socket names the sender") {
  const Parsed p = parse(
      "\x01"
      "192.0.2.7\x02<13>1 - h a - - - x");
  CHECK(p.m.peer == "192.0.2.7");
  CHECK(p.m.message == "x");
  CHECK(parse("\x01no end<13>x").m.peer.empty());
}

TEST_CASE("Names of facilities and severities go both ways") {
  for (int i = 0; i < 24; ++i)
    CHECK(syslog_facility_of(syslog_facility_name(static_cast<unsigned>(i))) == i);
  for (int i = 0; i < 8; ++i)
    CHECK(syslog_severity_of(syslog_severity_name(static_cast<unsigned>(i))) == i);
  CHECK(syslog_severity_of("error") == 3);
  CHECK(syslog_severity_of("loud") == -1);
  CHECK(syslog_facility_of("") == -1);
}

TEST_CASE("A hostile message costs no more than its length") {
  // Each of these would take minutes if a part were read again from every place of it.
  const std::string head = "<13>1 2024-01-02T03:04:05Z h a p m ";
  const std::size_t n = 1 << 20;
  CHECK_FALSE(parse(head + "[a x=\"" + std::string(n, '\\')).m.message.empty());
  CHECK_FALSE(parse(head + "[a x=\"" + std::string(n, '"')).m.message.empty());
  std::string quotes;
  for (std::size_t i = 0; i < n / 4; ++i) quotes += "\" b=";
  CHECK_FALSE(parse(head + "[a x=\"" + quotes).m.message.empty());
  CHECK_FALSE(parse(head + std::string(n, '[')).m.message.empty());
  CHECK_FALSE(parse("<13>" + std::string(n, ' ')).m.flags == 0);
  std::string many = "[a";
  for (std::size_t i = 0; i < n / 8; ++i) many += " x=\"1\"";
  CHECK(params(parse(head + many + "]").m.structured_data).size() == n / 8);
}
