// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/codec/support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::test;
using namespace std::string_literals;

namespace {

const std::vector<std::string> kAll = {"remote_addr",
                                       "remote_user",
                                       "time_local",
                                       "request",
                                       "request_method",
                                       "request_uri",
                                       "path",
                                       "query",
                                       "server_protocol",
                                       "status",
                                       "body_bytes_sent",
                                       "http_referer",
                                       "http_user_agent",
                                       "vhost"};
enum Column : std::size_t {
  addr,
  user,
  time_local,
  request,
  method,
  uri,
  path,
  query,
  protocol,
  status,
  bytes,
  referer,
  agent,
  vhost
};

One combined(std::string line) { return access_log("combined", std::move(line), kAll); }
// A combined line of this client with this request.
One with_request(const std::string& text) {
  return combined("192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"" + text +
                  "\" 400 150 \"-\" \"-\"");
}
One with_head(const std::string& head) {
  return combined(head + " [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200 1 \"-\" \"curl\"");
}

}  // namespace

TEST_CASE("A combined line gives typed columns") {
  const One r = combined(
      "203.0.113.9 - frank [02/Jan/2024:03:04:05 +0100] \"GET /a/b?c=d&e=%20 HTTP/1.1\" 200 2326 "
      "\"https://example.com/start\" \"Mozilla/5.0 (X11)\"");
  REQUIRE(r.good());
  CHECK(r.show(addr) == "string:203.0.113.9");
  CHECK(r.show(user) == "string:frank");
  CHECK(r.show(time_local) == "timestamp:\"2024-01-02T02:04:05Z\"");
  CHECK(r.show(request) == "string:GET /a/b?c=d&e=%20 HTTP/1.1");
  CHECK(r.show(method) == "string:GET");
  CHECK(r.show(uri) == "string:/a/b?c=d&e=%20");
  CHECK(r.show(path) == "string:/a/b");
  CHECK(r.show(query) == "string:c=d&e=%20");
  CHECK(r.show(protocol) == "string:HTTP/1.1");
  CHECK(r.show(status) == "int:200");
  CHECK(r.show(bytes) == "int:2326");
  CHECK(r.show(referer) == "string:https://example.com/start");
  CHECK(r.show(agent) == "string:Mozilla/5.0 (X11)");
  CHECK(r.show(vhost) == "missing");
}

TEST_CASE("A dash is null, and zero for bytes") {
  const One r = combined("::1 - - [02/Jan/2024:03:04:05 +0000] \"-\" 408 - \"-\" \"-\"");
  REQUIRE(r.good());
  CHECK(r.show(addr) == "string:::1");
  CHECK(r.show(user) == "null");
  CHECK(r.show(request) == "string:-");
  CHECK(r.show(method) == "missing");
  CHECK(r.show(status) == "int:408");
  CHECK(r.show(bytes) == "int:0");
  CHECK(r.show(referer) == "null");
  CHECK(r.show(agent) == "null");
}

TEST_CASE("Common lines have no referer and no agent") {
  const One r =
      access_log("common", "host.example - - [2/Jan/2024:3:4:5 -0130] \"HEAD / HTTP/1.0\" 304 -",
                 {"remote_addr", "time_local", "status", "http_referer"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:host.example");
  CHECK(r.show(1) == "timestamp:\"2024-01-02T04:34:05Z\"");
  CHECK(r.show(2) == "int:304");
  CHECK(r.show(3) == "missing");
  CHECK_FALSE(decoded_schema({DecodeConfig::Kind::access_log, "common"}).find("http_referer"));
}

TEST_CASE("Both servers' escapes are undone") {
  CHECK(with_request(R"(GET /\"x\\y\t HTTP/1.0)").show(uri) == "string:/\"x\\y\t");
  CHECK(with_request(R"(GET /\x22\x5Cq HTTP/1.0)").show(uri) == "string:/\"\\q");
  CHECK(with_request(R"(GET /caf\xC3\xA9 HTTP/1.0)").show(path) == "string:/caf\u00e9");
  CHECK(with_request(R"(GET /caf\xc3\xa9 HTTP/1.0)").show(path) == "string:/caf\u00e9");
  // What is no UTF-8 once unescaped stays as it was logged.
  CHECK(with_request(R"(GET /caf\xe9 HTTP/1.0)").show(path) == "string:/caf\\xe9");
  // Bytes that no server should write today.
  CHECK(with_request("GET /caf\xE9 HTTP/1.0").show(path) == "string:/caf\uFFFD");
  CHECK(with_request(R"(GET /\\" HTTP/1.0)").good());
}

TEST_CASE("Odd requests all give a record") {
  for (const char* text :
       {"", "-", R"(\x16\x03\x01\x02\x00\x01)", R"(\x03\x00\x00/*\xE0\x00)", "SSH-2.0-Go",
        R"(\x05\x01\x00)", "GET  HTTP/1.1", "GET /", "PRI * HTTP/2.0", "CONNECT host:443 HTTP/1.1",
        "GET http://host/x?y HTTP/1.1", "OPTIONS * HTTP/1.0", "GET /a b\"c d HTTP/1.1",
        "GET /a\" x"}) {
    const One r = with_request(text);
    INFO(text << ": " << r.reason());
    REQUIRE(r.good());
    CHECK(r.show(addr) == "string:192.0.2.1");
    CHECK(r.show(status) == "int:400");
    CHECK(r.show(bytes) == "int:150");
  }
  CHECK(with_request("GET  HTTP/1.1").show(uri) == "string:");
  CHECK(with_request("GET  HTTP/1.1").show(protocol) == "string:HTTP/1.1");
  CHECK(with_request("GET /").show(path) == "string:/");
  CHECK(with_request("GET /").show(protocol) == "missing");
  CHECK(with_request("GET /a b HTTP/3.0").show(uri) == "string:/a b");
  CHECK(with_request("GET /a b\"c d HTTP/1.1").show(uri) == "string:/a b\"c d");
  CHECK(with_request("GET http://host/x?y HTTP/1.1").show(path) == "string:/x");
  CHECK(with_request("GET http://host/x?y HTTP/1.1").show(query) == "string:y");
  CHECK(with_request("CONNECT host:443 HTTP/1.1").show(uri) == "string:host:443");
  CHECK(with_request("CONNECT host:443 HTTP/1.1").show(path) == "missing");
  CHECK(with_request("PRI * HTTP/2.0").show(protocol) == "string:HTTP/2.0");
  CHECK(with_request(R"(\x16\x03 x)").show(method) == "missing");
  CHECK(with_request("").show(request) == "string:");
}

TEST_CASE("First columns of every kind are understood") {
  CHECK(with_head("192.0.2.1 - John Q Smith").show(user) == "string:John Q Smith");
  CHECK(with_head("192.0.2.1 - a [b]").show(user) == "string:a [b]");
  CHECK(with_head("192.0.2.1 - \"\"").show(user) == "string:");
  CHECK(with_head("192.0.2.1 - ").show(user) == "string:");
  CHECK(with_head("unix: - -").show(addr) == "string:unix:");
  const One list = with_head("10.0.0.2, 10.0.0.1, 127.0.0.1 - -");
  CHECK(list.show(addr) == "string:10.0.0.2");
  CHECK(list.show(user) == "null");
  const One quoted = with_head("\"10.5.102.222, 199.96.1.1\" 10.2.1.185 - -");
  CHECK(quoted.show(addr) == "string:10.2.1.185");
  CHECK(quoted.show(agent) == "string:curl");
  CHECK(quoted.show(vhost) == "missing");
  CHECK(with_head("2a03:1::8000, 10.225.192.17 10.2.2.121 - -").show(addr) == "string:10.2.2.121");
  const One host = with_head("www.example.com:443 192.0.2.1 - bob");
  CHECK(host.show(vhost) == "string:www.example.com");
  CHECK(host.show(addr) == "string:192.0.2.1");
  CHECK(host.show(user) == "string:bob");
  CHECK(with_head("vhost.example client.example - -").show(addr) == "string:client.example");
  CHECK(with_head("192.0.2.1 - 10.0.0.1").show(addr) == "string:192.0.2.1");
}

TEST_CASE("Lines may be quoted as a whole, end in CR, lack their tail or have more columns") {
  const std::string core = "192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200 1";
  const One quoted = combined("\"" + core + " \"-\" \"curl\"\"");
  REQUIRE(quoted.good());
  CHECK(quoted.show(addr) == "string:192.0.2.1");
  CHECK(quoted.show(agent) == "string:curl");
  CHECK(combined(core + " \"-\" \"curl\"\r").show(agent) == "string:curl");
  CHECK(combined(core).show(agent) == "missing");
  CHECK(combined(core).show(bytes) == "int:1");
  CHECK(combined(core + " \"-\" \"Mozilla/5.0 (X1").show(agent) == "string:Mozilla/5.0 (X1");
  CHECK(combined(core + " \"-\" \"curl\" \"10.0.0.1\" 12 34").show(agent) == "string:curl");
  CHECK(combined("\0\0\0"s + core).show(addr) == "string:192.0.2.1");
  CHECK(
      combined("192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200").show(status) ==
      "int:200");
  CHECK(combined("192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 000 0")
            .show(status) == "int:0");
  CHECK(
      combined("192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" - -").show(status) ==
      "null");
}

TEST_CASE("Lines that are no access log are refused with the byte") {
  for (const char* line : {"hello", "192.0.2.1 - - [yesterday] \"GET / HTTP/1.1\" 200 1",
                           " [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200 1",
                           "192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HT",
                           "192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"",
                           "192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" abc 1",
                           "192.0.2.1 - - [02/Jan/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200 x1",
                           "192.0.2.1 - - [32/Foo/2024:03:04:05 +0100] \"GET / HTTP/1.1\" 200 1"}) {
    const One r = combined(line);
    INFO(line);
    CHECK(r.code() == "bad-line");
    CHECK(r.reason().find("byte") != std::string::npos);
  }
  CHECK(combined("").code() == "empty");
  CHECK(combined("\r").code() == "empty");
}

TEST_CASE("An nginx log_format becomes typed columns") {
  const std::string format =
      "$remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent "
      "\"$http_user_agent\" rt=$request_time ut=\"$upstream_response_time\" ${msec}|$time_iso8601";
  const std::string line =
      "2001:db8::1 - a [b [02/Jan/2024:03:04:05 +0100] \"POST /x?y HTTP/2.0\" 201 12 \"q\\\"z\" "
      "rt=0.250 ut=\"0.001, 0.250 : 0.010\" 1704160000.123|2024-01-02T03:04:05+01:00";
  const std::vector<std::string> fields = {"remote_user",
                                           "time_local",
                                           "status",
                                           "bytes_sent",
                                           "http_user_agent",
                                           "request_time",
                                           "upstream_response_time",
                                           "msec",
                                           "time_iso8601",
                                           "request_method",
                                           "path",
                                           "query"};
  const One r = access_log(format, line, fields);
  INFO(r.reason());
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:a [b");
  CHECK(r.show(1) == "timestamp:\"2024-01-02T02:04:05Z\"");
  CHECK(r.show(2) == "int:201");
  CHECK(r.show(3) == "int:12");
  CHECK(r.show(4) == "string:q\"z");
  CHECK(r.at(5).as_double() == 0.25);
  CHECK(r.show(6) == "string:0.001, 0.250 : 0.010");
  CHECK(r.at(7).as_double() == 1704160000.123);
  CHECK(r.show(8) == "timestamp:\"2024-01-02T02:04:05Z\"");
  CHECK(r.show(9) == "string:POST");
  CHECK(r.show(10) == "string:/x");
  CHECK(r.show(11) == "string:y");

  const Schema schema = decoded_schema({DecodeConfig::Kind::access_log, format});
  CHECK_FALSE(schema.open);
  CHECK(schema.fields[*schema.find("request_time")].type == Type::float64);
  CHECK(schema.fields[*schema.find("upstream_response_time")].type == Type::string);
}

TEST_CASE("The name that a client gives does not end before a time, however that is written") {
  const auto user = [](const char* time, const char* line) {
    const One r =
        access_log("$remote_user [$" + std::string(time) + "] $status", line, {"remote_user"});
    INFO(r.reason());
    REQUIRE(r.good());
    return r.show(0);
  };
  CHECK(user("time_local", "a [b [02/Jan/2024:03:04:05 +0100] 200") == "string:a [b");
  CHECK(user("time_iso8601", "a [b [2024-01-02T03:04:05+01:00] 200") == "string:a [b");
  CHECK(user("time_iso8601", "a [2024- [2024-01-02T03:04:05+01:00] 200") == "string:a [2024-");
  CHECK(access_log("$remote_user [$time_iso8601]", "a [b]", {"time_iso8601"}).code() == "bad-line");
}

TEST_CASE("A line that does not fit its log_format says where") {
  const std::string format = "[$remote_addr] $status;";
  CHECK(access_log(format, "[1.2.3.4] 200;", {"status"}).show(0) == "int:200");
  CHECK(access_log(format, "[1.2.3.4] -;", {"status"}).show(0) == "null");
  CHECK(access_log(format, "1.2.3.4] 200;", {"status"}).reason() == "expected \"[\" behind byte 0");
  CHECK(access_log(format, "[1.2.3.4 200;", {"status"}).reason() ==
        "expected \"] \" behind byte 1");
  CHECK(access_log(format, "[1.2.3.4] 200", {"status"}).reason() ==
        "expected \";\" behind byte 10");
  CHECK(access_log(format, "[1.2.3.4] 2x0;", {"status"}).reason() == "status is no int at byte 10");
}

TEST_CASE("nginx JSON with broken UTF-8 is repaired, and the repaired text is handed out") {
  const One r =
      access_log("json", "{\"agent\":\"caf\xE9 x\",\"status\":\"200\"}", {"agent", "status"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:caf\uFFFD x");
  REQUIRE(r.out.repaired.size() == 1);
  CHECK(r.out.repaired[0].second == "{\"agent\":\"caf\uFFFD x\",\"status\":\"200\"}");
  CHECK(access_log("json", R"({"agent":"x"})", {"agent"}).out.repaired.empty());
  const One broken = access_log("json", "{\"agent\":\"\xE9\",\"t\":,}", {"agent"});
  CHECK(broken.code() == "bad-json");
  CHECK(broken.out.repaired.empty());
  CHECK(decoded_schema({DecodeConfig::Kind::access_log, "json"}).open);
}
