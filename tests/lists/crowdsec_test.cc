// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/time_text.h"
#include "lists/crowdsec_loader.h"
#include "lists/list_copy.h"
#include "tests/lists/list_fixture.h"

#include <fmt/format.h>

#include <deque>
#include <vector>

using namespace streamd;
using namespace streamd::test;
using namespace streamd::crowdsec;

namespace {

constexpr EventTime kNow{1'000'000'000'000};

std::string decision(const std::string& value, const std::string& duration = "1h",
                     const std::string& scope = "Ip", const std::string& type = "ban",
                     const std::string& origin = "cscli") {
  return fmt::format(
      R"({{"id":7,"origin":"{}","type":"{}","scope":"{}","value":"{}","duration":"{}",)"
      R"("scenario":"manual 'ban' from 'host'"}})",
      origin, type, scope, value, duration);
}

std::string body(const std::vector<std::string>& added,
                 const std::vector<std::string>& deleted = {}) {
  return fmt::format(R"({{"new":[{}],"deleted":[{}]}})", fmt::join(added, ","),
                     fmt::join(deleted, ","));
}

// A local API that says what it is told to, and remembers what it was asked.
struct Api {
  std::deque<Result<Answer>> answers;
  std::vector<std::string> asked;
  Ask ask() {
    return [this](const std::string& target, std::stop_token) -> Result<Answer> {
      asked.push_back(target);
      REQUIRE_FALSE(answers.empty());
      auto answer = std::move(answers.front());
      answers.pop_front();
      return answer;
    };
  }
  void says(const std::string& text) { answers.emplace_back(Answer{200, text}); }
  void says_status(int status) { answers.emplace_back(Answer{status, "no"}); }
  void is_away() { answers.emplace_back(fail_for_now("connection refused")); }
};

struct Case {
  TempDir dir;
  ManualClock clock{kNow};
  Api api;
  std::vector<std::string> log;
  std::unique_ptr<ListLoader> loader;
  std::shared_ptr<const IndicatorList> list;

  Case() { start(); }
  void start(Filter filter = {{"ip", "range"}, {}, {}}) {
    ListContext context;
    context.name = "cs";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.hash_seed = 3;
    context.log = [this](int, const std::string& text) { log.push_back(text); };
    loader = make_loader({std::move(filter)}, api.ask(), std::move(context));
  }
  ListUpdate load() {
    auto update = loader->load({});
    if (!update) FAIL(update.error().message);
    if (update->list) list = update->list;
    return std::move(*update);
  }
  Error error() {
    const auto update = loader->load({});
    REQUIRE_FALSE(update);
    return update.error();
  }
  bool has(const std::string& value) const { return list->find(value, clock.wall()) != 0; }
  std::string last() const { return api.asked.back(); }
};

constexpr const char* kAll = "v1/decisions/stream?startup=true&scopes=ip,range";
constexpr const char* kChanges = "v1/decisions/stream?startup=false&scopes=ip,range";

}  // namespace

TEST_CASE("durations are Go's") {
  CHECK(expr::parse_nanos("3h51m57.363171728s") == 13'917'363'171'728);
  CHECK(expr::parse_nanos("-2h") == -7'200'000'000'000);
  CHECK(expr::parse_nanos("1.5ms") == 1'500'000);
  CHECK(expr::parse_nanos("0s") == 0);
  CHECK(expr::parse_nanos("10us") == 10'000);
  CHECK(expr::parse_nanos("10\xC2\xB5s") == 10'000);
  for (const char* text : {"", "s", "1", "1d", "1h-", "h1", "1.s.", "--1s"}) {
    INFO(text);
    CHECK_FALSE(expr::parse_nanos(text));
  }
}

TEST_CASE("replies of every version are read") {
  for (const char* text :
       {R"({"new":null,"deleted":null})", R"({"new":[],"deleted":[]})", R"({"new":[]})",
        R"({"deleted":null})", R"({"deleted":[],"new":null,"more":{"x":[1]}})"}) {
    INFO(text);
    const auto reply = read_reply(text, kNow);
    REQUIRE(reply);
    CHECK(reply->added.empty());
    CHECK(reply->deleted.empty());
  }
  for (const char* text : {"", "null", "[]", "{}", "<html>", R"({"message":"x"})", R"({"new":1})",
                           R"({"new":[)", R"({"new":[],"deleted":{}})", "{\"new\":[]} x"}) {
    INFO(text);
    CHECK_FALSE(read_reply(text, kNow));
  }
}

TEST_CASE("what is no decision is counted, and ended or simulated ones are left out") {
  const auto reply = read_reply(
      body({decision("192.0.2.1"), decision("192.0.2.2", "-1h"), decision("192.0.2.3", "x"), "1",
            R"({"value":"a"})", R"({"scope":"Ip","value":"b","type":"ban","duration":7})",
            R"({"scope":"Ip","value":"c","type":"ban","duration":"1h","simulated":true})"},
           {"null"}),
      kNow);
  REQUIRE(reply);
  REQUIRE(reply->added.size() == 1);
  CHECK(reply->added[0].first.scope == "ip");
  CHECK(reply->added[0].second.expires == kNow + Duration::from_seconds(3600));
  CHECK(reply->unusable == 5);
}

TEST_CASE("everything is asked for first, then what has changed, then everything once an hour") {
  Case c;
  c.api.says(body({decision("192.0.2.1"), decision("198.51.100.0/24", "2h", "Range")}));
  c.load();
  CHECK(c.last() == kAll);
  CHECK(c.has("192.0.2.1"));
  CHECK(c.has("198.51.100.77"));
  const Indicator found = c.list->at(c.list->find("198.51.100.77", kNow));
  CHECK(found.value == "198.51.100.0/24");
  CHECK(found.info->type == "ban");
  CHECK(found.info->scope == "Range");
  CHECK(found.info->origin == "cscli");
  CHECK(found.info->scenario == "manual 'ban' from 'host'");
  CHECK(found.expires == kNow + Duration::from_seconds(7200));

  c.api.says(body({decision("192.0.2.9")}, {decision("192.0.2.1", "-1s")}));
  c.load();
  CHECK(c.last() == kChanges);
  CHECK_FALSE(c.has("192.0.2.1"));
  CHECK(c.has("192.0.2.9"));
  CHECK(c.has("198.51.100.77"));

  c.api.says(R"({"new":null,"deleted":null})");
  CHECK_FALSE(c.load().list);

  c.clock.advance(Duration::from_seconds(3599));
  c.api.says(body({}));
  c.load();
  CHECK(c.last() == kChanges);
  c.clock.advance(Duration::from_seconds(1));
  c.api.says(body({decision("203.0.113.5")}));
  c.load();
  CHECK(c.last() == kAll);
  CHECK(c.has("203.0.113.5"));
  CHECK_FALSE(c.has("198.51.100.77"));
}

TEST_CASE("deletions may come twice, and mean one decision of one type") {
  Case c;
  c.api.says(body({decision("192.0.2.1"), decision("192.0.2.1", "1h", "ip", "captcha"),
                   decision("192.0.2.0/24", "1h", "Range")}));
  c.load();
  const auto gone = decision("192.0.2.1", "-3s", "IP");
  for (int i = 0; i < 2; ++i) {
    c.api.says(body({}, {gone, gone, decision("203.0.113.1")}));
    c.load();
    CHECK(c.list->at(c.list->find("192.0.2.1", kNow)).info->type == "captcha");
  }
  c.api.says(body({}, {decision("192.0.2.1", "-3s", "Ip", "captcha")}));
  c.load();
  CHECK(c.list->at(c.list->find("192.0.2.1", kNow)).value == "192.0.2.0/24");
}

TEST_CASE("what ended and began anew is there") {
  Case c;
  c.api.says(body({decision("192.0.2.1")}, {decision("192.0.2.1", "-1h")}));
  c.load();
  CHECK(c.has("192.0.2.1"));
  c.api.says(body({decision("192.0.2.1", "4h")}, {decision("192.0.2.1", "-1s")}));
  c.load();
  CHECK(c.has("192.0.2.1"));
}

TEST_CASE("decisions end by the clock here, without being told") {
  Case c;
  c.api.says(body({decision("192.0.2.1", "59.5s")}));
  c.load();
  c.clock.advance(Duration::from_seconds(59));
  CHECK(c.has("192.0.2.1"));
  c.clock.advance(Duration::from_seconds(1));
  CHECK_FALSE(c.has("192.0.2.1"));
}

TEST_CASE("after any failure everything is asked for") {
  Case c;
  c.api.says(body({decision("192.0.2.1")}));
  c.load();
  const auto fails = [&] {
    c.error();
    CHECK(c.last() == kChanges);
    c.api.says(body({decision("192.0.2.1")}));
    c.load();
    CHECK(c.last() == kAll);
  };
  c.api.is_away();
  fails();
  c.api.says_status(500);
  fails();
  c.api.says(R"({"new":[{"id":1,"ori)");
  fails();
  c.api.says("null");
  fails();
  CHECK(c.has("192.0.2.1"));
}

TEST_CASE("a refused key says what to do") {
  Case c;
  c.api.says_status(403);
  const Error error = c.error();
  CHECK(error.retry == Retry::never);
  CHECK(error.message == "the local API refuses the key (403)");
  CHECK(error.hint.find("cscli bouncers add") != std::string::npos);
}

TEST_CASE("a restart without the local API goes on with the copy") {
  Case c;
  c.api.says(body({decision("192.0.2.1", "10m"), decision("192.0.2.2", "1h"),
                   decision("\\u00e4\\\"\\n", "1h", "username")}));
  c.start({{"ip", "range", "username"}, {}, {}});
  c.load();
  c.clock.advance(Duration::from_seconds(1200));
  c.start({{"ip", "range", "username"}, {}, {}});
  c.api.is_away();
  const auto update = c.load();
  REQUIRE(update.trouble);
  CHECK(update.trouble->message.find("the copy of the last run is used") != std::string::npos);
  CHECK_FALSE(c.has("192.0.2.1"));
  CHECK(c.has("192.0.2.2"));
  CHECK(c.has("\xC3\xA4\"\n"));
  CHECK(c.list->at(c.list->find("192.0.2.2", c.clock.wall())).info->origin == "cscli");
  // From here on an error is one.
  c.api.is_away();
  c.error();
  CHECK(c.last().find("startup=true") != std::string::npos);
}

TEST_CASE("a copy without decisions is one, and so is one whose decisions have all ended") {
  for (const char* lasts : {"", "10m"}) {
    CAPTURE(lasts);
    Case c;
    c.api.says(*lasts == '\0' ? body({}) : body({decision("192.0.2.1", lasts)}));
    c.load();
    c.clock.advance(Duration::from_seconds(1200));
    c.start({{"ip"}, {}, {}});
    c.api.is_away();
    const auto update = c.load();
    REQUIRE(update.trouble);
    REQUIRE(update.list);
    CHECK(update.list->size() == 0);
  }
}

TEST_CASE("the copy has what came last, within half a minute or when the run ends") {
  Case c;
  const auto copy = [&] { return read_file(list_copy_path(c.dir.path(), "cs")); };
  c.api.says(body({decision("192.0.2.1")}));
  c.load();
  c.api.says(body({decision("192.0.2.2")}));
  c.load();
  CHECK(copy().find("192.0.2.2") == std::string::npos);
  c.clock.advance(Duration::from_seconds(30));
  c.api.says(body({}));
  c.load();
  CHECK(copy().find("192.0.2.2") != std::string::npos);
  c.api.says(body({decision("192.0.2.3")}));
  c.load();
  c.loader.reset();
  CHECK(copy().find("192.0.2.3") != std::string::npos);
}

TEST_CASE("the copy has what came last as soon as the local API is away") {
  Case c;
  const auto copy = [&] { return read_file(list_copy_path(c.dir.path(), "cs")); };
  c.api.says(body({decision("192.0.2.1")}));
  c.load();
  c.api.says(body({decision("192.0.2.2")}));
  c.load();
  REQUIRE(copy().find("192.0.2.2") == std::string::npos);
  c.api.is_away();
  c.error();
  CHECK(copy().find("192.0.2.2") != std::string::npos);
}

TEST_CASE("without a copy, or with a broken one, a restart needs the local API") {
  Case c;
  c.api.is_away();
  CHECK(c.error().retry == Retry::backoff);
  REQUIRE(write_list_copy(list_copy_path(c.dir.path(), "cs"), "{\"new\":[{\"sc"));
  c.api.is_away();
  CHECK(c.error().message == "connection refused");
}

TEST_CASE("a copy that cannot be written is told once and hurts nobody") {
  Case c;
  write_file(c.dir.file("lists"), "a file where a folder should be");
  for (int i = 0; i < 2; ++i) {
    c.clock.advance(Duration::from_seconds(3600));
    c.api.says(body({decision("192.0.2.1", "9h")}));
    c.load();
  }
  CHECK(c.has("192.0.2.1"));
  CHECK(c.log.size() == 1);
}

TEST_CASE("a full answer that looks cut off is believed when it comes again") {
  Case c;
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(decision(fmt::format("192.0.2.{}", i), "9h"));
  c.api.says(body(many));
  c.load();
  c.clock.advance(Duration::from_seconds(3600));
  c.api.says(body({many[0]}));
  CHECK(c.error().message.find("1 decisions instead of 100") != std::string::npos);
  CHECK(c.has("192.0.2.50"));
  c.api.says(body({many[0]}));
  c.load();
  CHECK_FALSE(c.has("192.0.2.50"));
}

TEST_CASE("origins and types are looked at here, not asked for") {
  Case c;
  c.start({{"ip", "country"}, {"CSCLI"}, {"ban"}});
  c.api.says(body({decision("192.0.2.1"), decision("192.0.2.2", "1h", "Ip", "ban", "CAPI"),
                   decision("192.0.2.3", "1h", "Ip", "captcha"), decision("DE", "1h", "Country"),
                   decision("bob", "1h", "username")}));
  c.load();
  CHECK(c.last() == "v1/decisions/stream?startup=true&scopes=ip,country");
  CHECK(c.has("192.0.2.1"));
  CHECK_FALSE(c.has("192.0.2.2"));
  CHECK_FALSE(c.has("192.0.2.3"));
  CHECK(c.has("DE"));
  CHECK_FALSE(c.has("bob"));
}

TEST_CASE("addresses that are none are told once") {
  Case c;
  c.api.says(body({decision("192.0.2.1"), decision("not an address")}));
  CHECK(c.load().remark == "1 decisions could not be used");
  c.api.says(body({decision("192.0.2.2")}));
  CHECK(c.load().remark.empty());
}

TEST_CASE("settings of a crowdsec list are checked, and the key is never shown") {
  const auto with = [](const char* key, const std::string& value) {
    auto fields = map_of({{"key", scalar("hunter2")}, {key, scalar(value)}});
    if (std::string(key) == "key") fields = map_of({{key, scalar(value)}});
    return ListFixture("crowdsec", fields).problems.errors();
  };
  CHECK(with("refresh", "1ms") == 1);
  CHECK(with("scopes", "ip,range") == 1);
  CHECK(with("url", "nonsense") == 1);
  CHECK(with("key", "a\nb") == 1);
  CHECK(with("key", "") == 1);
  ListFixture good("crowdsec", map_of({{"key", scalar("hunter2")},
                                       {"url", scalar("http://crowdsec.example:8080/v1/")}}));
  CHECK(good.problems.errors() == 0);
  CHECK(good.plan->describe().find("hunter2") == std::string::npos);
  CHECK(good.plan->describe().find("crowdsec.example:8080") != std::string::npos);
}
