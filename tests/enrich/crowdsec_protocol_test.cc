// SPDX-License-Identifier: Apache-2.0
#include "enrich/crowdsec_protocol.h"

#include "tests/contract/component.h"

using namespace streamd;
using namespace streamd::enrich;
using namespace streamd::test;

namespace {

constexpr EventTime kNow{1'700'000'000'000'000};

Config config(const std::string& url = {}) {
  Config c;
  c.kind = EnrichKind::crowdsec;
  c.field = "ip";
  c.api_key = "sesame";
  c.fields = {{"t", "type"},  {"s", "scenario"}, {"o", "origin"}, {"sc", "scope"},
              {"v", "value"}, {"u", "until"},    {"n", "count"}};
  if (!url.empty()) c.url = TemplateText{url, {}};
  return c;
}

struct Read {
  Question question{"192.0.2.9", 0, 7};
  Status status;
  explicit Read(const std::string& body, int code = 200) {
    http::Response response;
    response.status = code;
    response.body = body;
    status = make_crowdsec_protocol(config())->read(response, kNow, question);
  }
  std::string text(std::size_t f) const { return std::string(question.values[f].text()); }
};

std::string decision(const std::string& type, const std::string& duration,
                     const std::string& more = {}) {
  return R"({"id":7,"origin":"cscli","type":")" + type +
         R"(","scope":"Ip","value":"192.0.2.9","duration":")" + duration +
         R"(","scenario":"manual")" + more + "}";
}

std::optional<std::string> asked(const std::string& key, const std::string& url = {}) {
  Question question(key, 0, 7);
  const auto got = make_crowdsec_protocol(config(url))->url_of({}, question);
  if (!got) {
    CHECK(question.verdict == Verdict::nothing);
    return std::nullopt;
  }
  return got->text();
}

}  // namespace

TEST_CASE("A decision's fields come from where they are") {
  const Read read("[" + decision("ban", "3h59m57.6s") + "]");
  REQUIRE(read.status);
  CHECK(read.question.verdict == Verdict::found);
  CHECK(read.text(0) == "ban");
  CHECK(read.text(1) == "manual");
  CHECK(read.text(2) == "cscli");
  CHECK(read.text(3) == "Ip");
  CHECK(read.text(4) == "192.0.2.9");
  CHECK(read.question.values[5].as_time() == kNow + Duration{14'397'600'000});
  CHECK(read.question.values[6].as_int() == 1);
}

TEST_CASE("Of several decisions a ban counts first, then the one that ends last") {
  const Read bans("[" + decision("captcha", "90h") + "," + decision("Ban", "1h") + "," +
                  decision("ban", "2h", R"(,"uuid":"x")") + "," + decision("ban", "30m") + "]");
  CHECK(bans.text(0) == "ban");
  CHECK(bans.question.values[5].as_time() == kNow + Duration::from_seconds(7200));
  CHECK(bans.question.values[6].as_int() == 4);
  const Read others("[" + decision("throttle", "1h") + "," + decision("captcha", "2h") + "]");
  CHECK(others.text(0) == "captcha");
}

TEST_CASE("Simulated and ended decisions are none") {
  CHECK(Read("[" + decision("ban", "1h", R"(,"simulated":true)") + "]").question.verdict ==
        Verdict::nothing);
  CHECK(Read("[" + decision("ban", "-1s") + "]").question.verdict == Verdict::nothing);
  const Read forever(R"([{"type":"ban"}])");
  CHECK(forever.question.verdict == Verdict::found);
  CHECK(forever.question.values[5].is(Kind::missing));
  CHECK(forever.question.values[4].is(Kind::missing));
}

TEST_CASE("No decision is null or an empty list") {
  for (const char* body : {"null", "[]", " null\n"}) {
    const Read read(body);
    REQUIRE(read.status);
    CHECK(read.question.verdict == Verdict::nothing);
  }
}

TEST_CASE("What is no list of decisions is the service's failure") {
  for (const char* body : {"", "{}", "<html><title>Login</title>", "[1]", "[{}]", "[null",
                           "\"\xff\"", R"({"new":[]})", R"([{"type":1}])"}) {
    INFO(body);
    const Read read(body);
    REQUIRE_FALSE(read.status);
    CHECK(read.status.error().retry == Retry::backoff);
    CHECK(read.status.error().message.starts_with("CrowdSec's local API at 127.0.0.1:8080: it"));
    CHECK(read.status.error().hint == "is url that of CrowdSec's local API?");
  }
}

TEST_CASE("Statuses of the local API") {
  const Read key(R"({"message":"access forbidden"})", 403);
  REQUIRE_FALSE(key.status);
  CHECK(key.status.error().retry == Retry::never);
  CHECK(key.status.error().message ==
        "CrowdSec's local API at 127.0.0.1:8080 refuses the key (403)");
  CHECK(key.status.error().hint.find("cscli bouncers add") != std::string::npos);
  CHECK(Read("", 404).status.error().retry == Retry::never);
  CHECK(Read("", 500).status.error().retry == Retry::backoff);
  CHECK(Read("slow down", 429).status.error().message ==
        "CrowdSec's local API at 127.0.0.1:8080 answers 429: slow down");
  const Read question("bad", 400);
  REQUIRE(question.status);
  CHECK(question.question.verdict == Verdict::refused);
}

TEST_CASE("Only addresses are asked for, in one form") {
  const std::string front = "http://127.0.0.1:8080/v1/decisions?ip=";
  CHECK(asked("192.0.2.9") == front + "192.0.2.9");
  CHECK(asked("2001:DB8:0:0::1") == front + "2001%3Adb8%3A%3A1");
  CHECK(asked("::ffff:192.0.2.9") == front + "192.0.2.9");
  for (const char* key :
       {"", "192.0.2", "192.0.2.9/32", "fe80::1%eth0", "example.com", "1.2.3.4&scopes=ip", "[::1]"})
    CHECK_FALSE(asked(key));
}

TEST_CASE("The URL may hold the version, a path and IPv6") {
  CHECK(asked("1.2.3.4", "https://cs.example/v1/") == "https://cs.example/v1/decisions?ip=1.2.3.4");
  CHECK(asked("1.2.3.4", "http://[::1]:8080/lapi/") ==
        "http://[::1]:8080/lapi/v1/decisions?ip=1.2.3.4");
}

TEST_CASE("What is no list of decisions shows nothing of the key that it repeats") {
  Question question("192.0.2.9", 0, 7);
  http::Response response;
  response.body = R"({"headers":{"X-Api-Key":"sesame"}})";
  response.status = 200;
  response.secrets = {"sesame"};
  const auto read = make_crowdsec_protocol(config())->read(response, kNow, question);
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find(R"({"headers":{"X-Api-Key":"***"}})") != std::string::npos);
}
