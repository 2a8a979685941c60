// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"
#include "sinks/blocklist/formats.h"
#include "sinks/builtin_sinks.h"
#include "tests/contract/component.h"

#include <filesystem>
#include <sys/stat.h>

using namespace streamd;
using namespace streamd::test;
using blocklist::Entries;
using blocklist::Format;

namespace {

constexpr EventTime kNow{1'704'067'200'000'000};  // 2024-01-01
constexpr Duration kMinute = Duration::from_seconds(60);

IpNetwork net(const char* text) { return parse_network(text).value(); }

Entries some() {
  Entries entries(10);
  REQUIRE(entries.tell(net("2001:db8::/32"), kNow, kMinute, {}, ""));
  REQUIRE(entries.tell(net("192.0.2.10"), kNow, kMinute, 7.5, "flood (5); \"errors\", 2"));
  REQUIRE(entries.tell(net("192.0.2.9"), kNow, kMinute, 2, "=cmd|' /C calc'!A0\n\x01"));
  REQUIRE(entries.tell(net("192.0.2.0/24"), kNow, kMinute, {}, ""));
  return entries;
}

// The sink with a clock, a folder and a list of what is allowed.
struct Bench {
  TempDir dir;
  ManualClock clock{kNow};
  std::shared_ptr<ListSlot> allowed = std::make_shared<ListSlot>("ours", IndicatorFields{});
  std::unique_ptr<SinkPlan> plan;
  Collector out;

  explicit Bench(std::vector<std::pair<std::string, ConfigNode>> more = {},
                 const char* expire = "1m") {
    more.insert(
        more.end(),
        {{"field", scalar("ip")}, {"expire", scalar(expire)}, {"allow", list_of({"ours"})}});
    if (more.front().first != "path") more.emplace_back("path", scalar(dir.file("blocked")));
    Registry registry;
    add_blocklist_sink(registry);
    Diagnostics problems;
    plan = make_plan(registry.sinks(), "blocklist", map_of(std::move(more)), problems);
    REQUIRE(plan);
    Schema in;
    in.open = true;
    in.fields = {{"ip", Type::any, true}, {"score", Type::any, true}};
    auto scope = std::make_shared<ListScope>();
    scope->add(allowed);
    in.lists = scope;
    plan->bind(in, problems);
    for (const auto& problem : problems.all()) UNSCOPED_INFO(problem.message);
    REQUIRE(problems.errors() == 0);
  }
  std::unique_ptr<Sink> open(const std::string& restored = "") {
    SinkContext context;
    context.node = "block";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.restored = restored;
    auto sink = plan->open(std::move(context));
    if (!sink) {
      error = sink.error().message;
      return nullptr;
    }
    return std::move(*sink);
  }
  void allow(const std::vector<std::string>& values) {
    IndicatorListBuilder builder(1);
    for (const auto& value : values) REQUIRE(builder.add({.value = value}).empty());
    allowed->put(builder.build(), &clock);
  }
  void tell(Sink& sink, const std::vector<std::string>& addresses) {
    Column ips, scores;
    for (const auto& address : addresses) {
      ips.push_back(Value::string(address));
      scores.push_back(Value::float64(1));
    }
    REQUIRE(sink.write(batch_of({ips, scores}), out));
    pass(sink, Duration::from_seconds(1));
  }
  void pass(Sink& sink, Duration time) {
    clock.advance(time);
    REQUIRE(sink.tick(out));
  }
  std::string checkpoint(Sink& sink, Epoch epoch) {
    REQUIRE(sink.barrier(epoch));
    REQUIRE(sink.prepared(epoch).value());
    std::string state = sink.state(epoch);
    sink.committed(epoch);
    return state;
  }
  std::string file() const { return read_file(dir.file("blocked")); }
  std::string error;
};

}  // namespace

TEST_CASE("entries are written in order, for each of those who read them") {
  const Entries entries = some();
  CHECK(written(entries, Format::plain, "") ==
        "192.0.2.0/24\n192.0.2.9\n192.0.2.10\n2001:db8::/32\n");
  CHECK(written(entries, Format::nginx, "") ==
        "deny 192.0.2.0/24;\ndeny 192.0.2.9;\ndeny 192.0.2.10;\ndeny 2001:db8::/32;\n");
  CHECK(written(entries, Format::nftables, "bad") ==
        "add table inet streamd\n"
        "add set inet streamd bad4 { type ipv4_addr; flags interval; auto-merge; }\n"
        "flush set inet streamd bad4\n"
        "add element inet streamd bad4 {\n  192.0.2.0/24,\n  192.0.2.9,\n  192.0.2.10\n}\n"
        "add set inet streamd bad6 { type ipv6_addr; flags interval; auto-merge; }\n"
        "flush set inet streamd bad6\n"
        "add element inet streamd bad6 {\n  2001:db8::/32\n}\n");
  const std::string times = "2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,2024-01-01T00:01:00Z\n";
  CHECK(written(entries, Format::csv, "") ==
        "address,score,reasons,first_told,last_told,expires\n"
        "192.0.2.0/24,,," +
            times + "192.0.2.9,2,\"'=cmd|' /C calc'!A0  \"," + times +
            "192.0.2.10,7.5,\"flood (5); \"\"errors\"\", 2\"," + times + "2001:db8::/32,,," +
            times);
  CHECK(written(Entries(1), Format::nftables, "x").find("add element") == std::string::npos);
}

TEST_CASE("an entry ends when it was not told for so long") {
  Entries entries(2);
  REQUIRE(entries.tell(net("192.0.2.1"), kNow, kMinute, {}, ""));
  REQUIRE(entries.tell(net("192.0.2.2"), kNow, kMinute, {}, ""));
  CHECK_FALSE(entries.tell(net("192.0.2.3"), kNow, kMinute, {}, ""));
  REQUIRE(entries.tell(net("192.0.2.1"), kNow + Duration::from_seconds(30), kMinute, {}, ""));
  CHECK_FALSE(entries.remove_ended(kNow + Duration::from_seconds(59)));
  CHECK(entries.remove_ended(kNow + kMinute));
  CHECK(written(entries, Format::plain, "") == "192.0.2.1\n");
}

TEST_CASE("what was kept comes back whole, and damage shows") {
  const Entries entries = some();
  const std::string text = entries.encode();
  Entries back(10);
  REQUIRE(back.decode(text));
  CHECK(back.encode() == text);
  CHECK(written(back, Format::csv, "") == written(entries, Format::csv, ""));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string turned = text;
    turned[i] = static_cast<char>(turned[i] ^ 1);
    Entries damaged(10);
    INFO(i);
    CHECK_FALSE(damaged.decode(turned));
  }
  CHECK_FALSE(Entries(1).decode(""));
  CHECK_FALSE(Entries(10).decode(text.substr(0, text.size() - 4)));
}

TEST_CASE("each address is in the file once, until it ends") {
  Bench bench;
  const auto sink = bench.open();
  bench.pass(*sink, {});
  CHECK(bench.file().empty());
  bench.tell(*sink, {"192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7", "2001:DB8::1"});
  CHECK(bench.file() == "192.0.2.7\n2001:db8::1\n");
  bench.pass(*sink, Duration::from_seconds(30));
  bench.tell(*sink, {"192.0.2.7"});
  bench.pass(*sink, Duration::from_seconds(30));
  CHECK(bench.file() == "192.0.2.7\n");
  bench.pass(*sink, Duration::from_seconds(31));
  CHECK(bench.file().empty());
}

TEST_CASE("the file is replaced when it says something else, and when it is gone") {
  Bench bench;
  const auto sink = bench.open();
  struct stat first {
  }, second{};
  bench.tell(*sink, {"192.0.2.7"});
  REQUIRE(::stat(bench.dir.file("blocked").c_str(), &first) == 0);
  bench.tell(*sink, {"192.0.2.7"});
  REQUIRE(::stat(bench.dir.file("blocked").c_str(), &second) == 0);
  CHECK(second.st_ino == first.st_ino);
  bench.pass(*sink, Duration::from_seconds(58));
  CHECK(bench.file() == "192.0.2.7\n");
  bench.tell(*sink, {"192.0.2.7", "192.0.2.8"});
  CHECK(bench.file() == "192.0.2.7\n192.0.2.8\n");
  std::filesystem::remove(bench.dir.file("blocked"));
  bench.tell(*sink, {"192.0.2.7"});
  CHECK(bench.file() == "192.0.2.7\n192.0.2.8\n");
}

TEST_CASE("an allowed address is never written, also when it is allowed later") {
  Bench bench;
  bench.allow({"192.0.2.0/28", "2001:db8::/48"});
  const auto sink = bench.open();
  bench.tell(*sink, {"192.0.2.7", "192.0.2.16", "192.0.2.0/24", "192.0.2.16/28", "2001:db8:0:1::9",
                     "2001:db8::/32", "203.0.113.0/24", "::/0"});
  CHECK(bench.file() == "192.0.2.16/28\n192.0.2.16\n203.0.113.0/24\n");
  CHECK(bench.out.dropped[DropReason::filtered] == 5);
  bench.allow({"192.0.2.0/24"});
  bench.pass(*sink, Duration::from_seconds(1));
  CHECK(bench.file() == "203.0.113.0/24\n");
}

TEST_CASE(
    "an allowed one that ended hides none that lies behind it, and time that goes back counts") {
  Bench bench;
  IndicatorListBuilder builder(1);
  const EventTime soon = kNow + Duration::from_seconds(10);
  for (int i = 0; i < 1500; ++i) {  // more than are kept in mind when they have ended
    const std::string value = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    REQUIRE(builder.add({.value = value, .expires = soon}).empty());
  }
  REQUIRE(builder.add({.value = "10.0.200.0/24"}).empty());
  bench.allowed->put(builder.build(), &bench.clock);
  const auto sink = bench.open();
  bench.tell(*sink, {"10.0.0.0/17"});
  CHECK(bench.file().empty());
  bench.clock.advance(Duration::from_seconds(10));
  for (int i = 0; i < 3; ++i) {
    bench.tell(*sink, {"10.0.0.0/17", "10.0.0.0/16", "10.0.200.9", "10.0.201.0/24"});
    CHECK(bench.file() == "10.0.0.0/17\n10.0.201.0/24\n");
  }
  bench.clock.jump(kNow);
  REQUIRE(sink->tick(bench.out));
  bench.pass(*sink, Duration::from_seconds(1));
  CHECK(bench.file() == "10.0.201.0/24\n");
}

// Each of the networks against each of the allowed ones would take hours, and so would each entry
// at each tick.
TEST_CASE("long lists of what is allowed and of what is blocked cost no more than their sum") {
  Bench bench({{"expire", scalar("30d")}});
  std::vector<std::string> allowed, networks;
  for (int i = 0; i < 100'000; ++i) {
    const std::string middle = std::to_string(i / 250 / 250) + "." + std::to_string(i / 250 % 250) +
                               "." + std::to_string(i % 250);
    allowed.push_back("10." + middle);
    if (i % 2 == 0) networks.push_back("11." + middle + "/31");
  }
  bench.allow(allowed);
  const auto sink = bench.open();
  bench.tell(*sink, networks);
  REQUIRE(bench.out.dropped[DropReason::filtered] == 0);
  for (int i = 0; i < 100'000; ++i) bench.pass(*sink, Duration::from_seconds(1));
  bench.allow({"11.0.0.0/9"});
  bench.pass(*sink, Duration::from_seconds(1));
  CHECK(bench.file().empty());
}

TEST_CASE("a restart goes on from the checkpoint, and old state is cleared away") {
  Bench bench;
  auto sink = bench.open();
  bench.tell(*sink, {"192.0.2.1"});
  std::string state = bench.checkpoint(*sink, 1);
  CHECK(bench.checkpoint(*sink, 2) == state);  // nothing new
  bench.tell(*sink, {"192.0.2.2"});
  state = bench.checkpoint(*sink, 3);
  bench.tell(*sink, {"192.0.2.3"});
  REQUIRE(sink->barrier(4));  // never committed
  sink.reset();
  const auto files = [&] {
    const std::filesystem::directory_iterator all(bench.dir.file("blocklist"));
    return std::distance(begin(all), end(all));
  };
  CHECK(files() == 2);
  sink = bench.open(state);
  REQUIRE(sink);
  CHECK(files() == 1);
  bench.pass(*sink, {});
  CHECK(bench.file() == "192.0.2.1\n192.0.2.2\n");
  write_file(bench.dir.file("blocklist/" + state), "rubbish");
  CHECK_FALSE(bench.open(state));
  CHECK(bench.error.find("is damaged") != std::string::npos);
  std::filesystem::remove(bench.dir.file("blocklist/" + state));
  CHECK_FALSE(bench.open(state));
  CHECK(bench.error.find("is missing") != std::string::npos);
}

TEST_CASE("another time of expiry is that of the entries that are there, too") {
  Bench bench;
  std::string state;
  {
    const auto sink = bench.open();
    bench.tell(*sink, {"192.0.2.1"});
    state = bench.checkpoint(*sink, 1);
  }
  for (const auto& [expire, lasts] : {std::pair{"10s", 8}, std::pair{"10m", 598}}) {
    CAPTURE(expire);
    Bench other({{"path", scalar(bench.dir.file("other"))}}, expire);
    std::filesystem::copy(bench.dir.file("blocklist"), other.dir.file("blocklist"));
    other.clock.advance(Duration::from_seconds(1));
    const auto sink = other.open(state);
    REQUIRE(sink);
    other.pass(*sink, Duration::from_seconds(lasts));
    CHECK(read_file(bench.dir.file("other")) == "192.0.2.1\n");
    other.pass(*sink, Duration::from_seconds(2));
    CHECK(read_file(bench.dir.file("other")).empty());
  }
}

TEST_CASE("a record without an address is a dead letter, one too many is shed") {
  Bench bench({{"max_entries", scalar("1")}});
  const auto sink = bench.open();
  Column ips = {Value::string("not an address"), Value::missing(), Value::string("192.0.2.1"),
                Value::string("192.0.2.2")};
  REQUIRE(sink->write(batch_of({ips, Column(4)}), bench.out));
  REQUIRE(bench.out.rejected.size() == 2);
  CHECK(bench.out.rejected[0].code == "type");
  CHECK(bench.out.rejected[1].code == "missing-field");
  CHECK(bench.out.dropped[DropReason::shed] == 1);
}

TEST_CASE("what has ended makes room before the file is written again") {
  Bench bench({{"max_entries", scalar("1")}, {"every", scalar("1h")}});
  const auto sink = bench.open();
  bench.tell(*sink, {"192.0.2.1"});
  bench.pass(*sink, Duration::from_seconds(60));
  bench.tell(*sink, {"192.0.2.2"});
  CHECK(bench.out.dropped[DropReason::shed] == 0);
  bench.tell(*sink, {"192.0.2.3"});
  CHECK(bench.out.dropped[DropReason::shed] == 1);
}

TEST_CASE("fields inside what a node has made are refused, the score and the reasons, too") {
  for (const char* key : {"field", "score", "why"}) {
    CAPTURE(key);
    std::vector<std::pair<std::string, ConfigNode>> fields = {{"path", scalar("blocked")},
                                                              {key, scalar("one.x")}};
    if (std::string(key) != "field") fields.emplace_back("field", scalar("ip"));
    Registry registry;
    add_blocklist_sink(registry);
    Diagnostics problems;
    const auto plan = make_plan(registry.sinks(), "blocklist", map_of(std::move(fields)), problems);
    REQUIRE(plan);
    Schema in;
    in.open = true;
    in.fields = {{"ip", Type::any, true}, {"one", Type::any, true}};
    plan->bind(in, problems);
    REQUIRE(problems.errors() == 1);
    CHECK(problems.all()[0].message.find("\"one.x\" lies inside \"one\"") != std::string::npos);
  }
}

TEST_CASE("a folder that cannot be written to heals") {
  Bench bench;
  write_file(bench.dir.file("in-the-way"), "");
  Bench other({{"path", scalar(bench.dir.file("in-the-way/blocked"))}});
  const auto sink = other.open();
  const auto status = sink->tick(other.out);
  REQUIRE_FALSE(status);
  CHECK(status.error().retry == Retry::backoff);
  std::filesystem::remove(bench.dir.file("in-the-way"));
  other.pass(*sink, Duration::from_seconds(1));
  CHECK(std::filesystem::exists(bench.dir.file("in-the-way/blocked")));
}
