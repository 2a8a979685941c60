// SPDX-License-Identifier: Apache-2.0
#include "lists/url_loader.h"

#include "engine/codec/gzip.h"
#include "lists/list_copy.h"
#include "tests/lists/list_fixture.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

// A server that says what the test tells it, and the loader that asks it.
struct Served {
  TempDir dir;
  ManualClock clock{{1'795'219'200'000'000}};
  Result<Download> answer = Download{200, "192.0.2.7\n", "\"1\"", "", "", {}};
  std::vector<std::string> asked;  // the etags
  std::vector<std::string> log;
  UrlLoaderSettings settings;
  std::unique_ptr<ListLoader> loader;

  Served() {
    settings.shown = "feeds.example:443";
    settings.address = 7;
    settings.max_size = 1 << 20;
    open();
  }
  void open(bool offline = false) {
    ListContext context;
    context.name = "l";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.offline = offline;
    context.log = [this](int, const std::string& text) { log.push_back(text); };
    loader = make_url_loader(
        settings,
        [this](const std::string& etag, const std::string&, std::stop_token) {
          asked.push_back(etag);
          return answer;
        },
        std::move(context));
  }
  void say(std::string body, std::string etag = "", std::string type = "text/plain") {
    answer = Download{200, std::move(body), std::move(etag), "", std::move(type), {}};
  }
  void say(int status) { answer = Download{status, "", "", "", "", {}}; }
  ListUpdate load() {
    auto update = loader->load({});
    if (!update) FAIL(update.error().message);
    return std::move(*update);
  }
  std::string error() {
    auto update = loader->load({});
    REQUIRE_FALSE(update);
    return update.error().message;
  }
};

std::string addresses(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += fmt::format("192.0.2.{}\n", i);
  return out;
}

}  // namespace

TEST_CASE("a list on a server is fetched once and then asked for changes") {
  Served s;
  CHECK(has(*s.load().list, "192.0.2.7"));
  s.say(304);
  CHECK_FALSE(s.load().list);
  s.say("192.0.2.8\n", "\"2\"");
  const auto update = s.load();
  CHECK(has(*update.list, "192.0.2.8"));
  CHECK(update.notice == "fetched again: 1 entries");
  s.say(304);
  s.load();
  CHECK(s.asked == std::vector<std::string>{"", "\"1\"", "\"1\"", "\"2\""});
}

TEST_CASE("a restart asks with what the copy says and uses it when nothing has changed") {
  Served s;
  s.load();
  s.say(304);
  s.open();
  const auto update = s.load();
  REQUIRE(update.list);
  CHECK(has(*update.list, "192.0.2.7"));
  CHECK_FALSE(update.trouble);
  CHECK(s.asked.back() == "\"1\"");
}

TEST_CASE("a restart without the server goes on with the copy and heals") {
  Served s;
  s.load();
  s.answer = fail_for_now("GET feeds.example:443: refused");
  s.open();
  const auto update = s.load();
  CHECK(has(*update.list, "192.0.2.7"));
  REQUIRE(update.trouble);
  CHECK(update.trouble->message ==
        "GET feeds.example:443: refused; the copy of the last run is used");
  CHECK(s.error() == "GET feeds.example:443: refused");
  s.say(304);
  CHECK_FALSE(s.load().list);
  CHECK(s.asked.back() == "\"1\"");
}

TEST_CASE("without a copy the first failure is the loader's error") {
  Served s;
  s.say(503);
  CHECK(s.error() == "feeds.example:443: the server does not give the list (503)");
  s.say(404);
  CHECK(s.error() == "feeds.example:443: there is no such list (404)");
  s.say(403);
  CHECK(s.error() == "feeds.example:443: the server refuses the download (403)");
  s.say("192.0.2.9\n");
  CHECK(has(*s.load().list, "192.0.2.9"));
}

TEST_CASE("an answer that is empty, a page, an archive or broken keeps the list of before") {
  Served s;
  s.load();
  const auto refused = [&](std::string body, std::string type = "text/plain") {
    s.say(std::move(body), "\"bad\"", std::move(type));
    return s.error();
  };
  CHECK(refused("") == "feeds.example:443: the answer is empty");
  CHECK(refused("  <!DOCTYPE html><p>log in") ==
        "feeds.example:443: the answer is a web page, no list");
  CHECK(refused("10.0.0.1\n", "text/html; charset=utf-8").ends_with("no list"));
  CHECK(refused("PK\x03\x04") == "feeds.example:443: it is a zip archive, no text");
  CHECK(refused(std::string("\0\1\2", 3)) == "feeds.example:443: it is no text");
  CHECK(refused("10.0.0.300\n1.2.3\n").starts_with("feeds.example:443: 2 of 2 lines could not"));
  std::string packed;
  append_gzip(addresses(200), 6, packed);
  CHECK(refused(packed.substr(0, packed.size() / 2)) == "feeds.example:443: truncated gzip");
  s.say(304);
  s.load();
  CHECK(s.asked.back() == "\"1\"");
}

TEST_CASE("a text packed with gzip is unpacked, up to a limit") {
  Served s;
  std::string packed;
  append_gzip(addresses(200), 6, packed);
  s.say(packed);
  CHECK(s.load().list->size() == 200);
  std::string bomb;
  append_gzip(std::string(2 << 20, '\n'), 6, bomb);
  s.say(bomb);
  CHECK(s.error().find("more than 1MiB, which is max_size") != std::string::npos);
}

TEST_CASE("a download that has shrunk suspiciously is not believed, also after a restart") {
  Served s;
  s.say(addresses(100), "\"1\"");
  s.load();
  s.say(addresses(49), "\"2\"");
  CHECK(s.error() ==
        "feeds.example:443: the download has 49 entries instead of 100, which looks like a broken "
        "one");
  s.open();
  const auto update = s.load();
  CHECK(update.list->size() == 100);
  REQUIRE(update.trouble);
  CHECK(s.asked.back() == "\"1\"");
  s.say(addresses(50), "\"3\"");
  CHECK(s.load().list->size() == 50);
  s.settings.max_shrink = 1;
  s.open();
  s.say(addresses(1), "\"4\"");
  CHECK(s.load().list->size() == 1);
}

TEST_CASE("entries that have ended by their own time are not missing from a download") {
  Served s;
  s.settings.format.format = ListFormat::csv;
  s.settings.format.columns = {.value = "1", .expires = "2"};
  s.settings.max_shrink = 0.5;
  s.open();
  std::string feed;
  for (int i = 0; i < 100; ++i)
    feed += fmt::format("192.0.2.{},{}\n", i, i < 60 ? "2026-11-21T01:00:00Z" : "");
  s.say(feed, "\"1\"");
  auto list = s.load().list;
  CHECK(list->size() == 100);
  s.clock.advance(Duration::from_seconds(3600));
  s.say(feed + "198.51.100.1,\n", "\"2\"");
  list = s.load().list;
  REQUIRE(list);
  CHECK(list->size() == 41);
  CHECK(has(*list, "198.51.100.1"));

  // The same when what was there before is in the copy only.
  s.clock.jump({1'795'219'200'000'000});
  s.say(feed, "\"3\"");
  s.load();
  s.clock.advance(Duration::from_seconds(3600));
  s.open();
  s.say(feed + "198.51.100.2,\n", "\"4\"");
  list = s.load().list;
  CHECK(has(*list, "198.51.100.2"));
  s.say("192.0.2.99,\n", "\"5\"");
  CHECK(s.error() ==
        "feeds.example:443: the download has 1 entries instead of 41, which looks like a broken "
        "one");
}

TEST_CASE("a copy of another address or a damaged one is not used") {
  Served s;
  s.load();
  s.answer = fail_for_now("away");
  s.settings.address = 8;
  s.open();
  CHECK(s.error() == "away");
  CHECK(s.asked.back().empty());
  s.settings.address = 7;
  const std::string path = download_copy_path(s.dir.path(), "l");
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_file(path, whole.substr(0, size));
    CHECK_FALSE(read_download_copy(path));
  }
  write_file(path, whole);
  CHECK(read_download_copy(path)->text == "192.0.2.7\n");
  write_file(path, "streamd-list-1 {}\n10.0.0.1\n");
  s.open();
  CHECK(s.error() == "away");
}

TEST_CASE("a copy that the format of now cannot read is fetched anew") {
  Served s;
  s.load();
  s.settings.format.format = ListFormat::json;
  s.open();
  s.say("[\"192.0.2.9\"]");
  CHECK(has(*s.load().list, "192.0.2.9"));
}

TEST_CASE("a server that asks for a pause is left alone for so long") {
  Served s;
  s.load();
  s.answer = Download{429, "", "", "", "", Duration::from_seconds(60)};
  CHECK(s.error() == "feeds.example:443: the server does not give the list (429)");
  const std::size_t asked = s.asked.size();
  s.clock.advance(Duration::from_seconds(59));
  s.error();
  CHECK(s.asked.size() == asked);
  s.clock.advance(Duration::from_seconds(1));
  s.say(304);
  s.load();
  CHECK(s.asked.size() == asked + 1);
}

TEST_CASE("an indicator that begins later is there when its time has come") {
  Served s;
  s.settings.format.format = ListFormat::stix;
  s.open();
  s.say(R"({"objects":[{"type":"indicator","id":"indicator--1",)"
        R"("pattern":"[ipv4-addr:value = '192.0.2.7']","valid_from":"2026-11-21T01:00:00Z"}]})",
        "\"1\"");
  CHECK_FALSE(has(*s.load().list, "192.0.2.7"));
  s.clock.advance(Duration::from_seconds(3600));
  CHECK(has(*s.load().list, "192.0.2.7"));
  CHECK(s.asked.back().empty());
}

TEST_CASE("a copy that cannot be written is told once and the list is used") {
  Served s;
  write_file(s.dir.file("lists"), "in the way");
  CHECK(s.load().list);
  s.say("192.0.2.9\n");
  CHECK(s.load().list);
  REQUIRE(s.log.size() == 1);
  CHECK(s.log[0].find("a restart will need the server") != std::string::npos);
}

TEST_CASE("offline there is the copy or an error, and nobody is asked") {
  Served s;
  s.open(true);
  CHECK(s.error() == "there is no copy of an earlier run");
  s.open();
  s.load();
  const std::size_t asked = s.asked.size();
  s.open(true);
  CHECK(has(*s.load().list, "192.0.2.7"));
  CHECK(s.asked.size() == asked);
}

TEST_CASE("the same broken lines are told once") {
  Served s;
  s.say("192.0.2.7\n10.0.0\n");
  CHECK(s.load().remark ==
        "1 of 2 lines could not be used: line 2: \"10.0.0\" is no address or network");
  s.say("192.0.2.8\n10.0.0\n");
  CHECK(s.load().remark.empty());
}

TEST_CASE("Settings of a list on a server are checked") {
  const auto errors = [](std::vector<std::pair<std::string, ConfigNode>> fields) {
    fields.emplace_back("url", scalar("https://feeds.example/x"));
    return ListFixture("url", map_of(std::move(fields)), TempDir().path()).problems.errors();
  };
  const auto columns = [](const char* value) { return map_of({{"value", scalar(value)}}); };
  CHECK(errors({}) == 0);
  CHECK(errors({{"refresh", scalar("1ms")}}) == 1);
  CHECK(errors({{"max_shrink", scalar("50%")}}) == 1);
  CHECK(errors({{"max_size", scalar("0")}}) == 1);
  CHECK(errors({{"format", scalar("xml")}}) == 1);
  CHECK(errors({{"format", scalar("csv")}}) == 1);
  CHECK(errors({{"format", scalar("csv")}, {"columns", columns("3")}}) == 0);
  CHECK(errors({{"columns", columns("3")}}) == 1);
  CHECK(errors({{"format", scalar("csv")}, {"columns", map_of({{"score", scalar("3")}})}}) == 2);
  CHECK(
      errors({{"format", scalar("csv")}, {"columns", columns("3")}, {"separator", scalar("::")}}) ==
      1);
  CHECK(errors({{"separator", scalar(";")}}) == 1);
  CHECK(errors({{"items", scalar("a[]")}}) == 1);
  CHECK(errors({{"format", scalar("json")}, {"items", scalar("a[].b")}}) == 0);
  CHECK(errors({{"format", scalar("json")}, {"items", scalar("a[0]")}}) == 1);
  CHECK(errors({{"format", scalar("stix")}, {"entries", scalar("ip")}}) == 1);
  CHECK(errors({{"basic", map_of({{"user", scalar("a")}})}, {"bearer", scalar("b")}}) >= 1);
}
