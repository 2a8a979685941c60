// SPDX-License-Identifier: Apache-2.0
#include "sources/builtin_sources.h"
#include "sources/nginx_traffic.h"
#include "tests/contract/source_contract.h"

#include <map>
#include <set>

using namespace streamd;
using namespace streamd::test;

namespace {

struct Generate {
  ManualClock clock;
  Registry registry;
  std::unique_ptr<SourcePlan> plan;
  explicit Generate(std::vector<std::pair<std::string, ConfigNode>> fields) {
    add_generate_source(registry);
    Diagnostics problems;
    plan = make_plan(registry.sources(), "generate", map_of(std::move(fields)), problems);
    REQUIRE(plan);
  }
  std::unique_ptr<Source> open(const Positions& at, unsigned workers = 1) const {
    SourceContext context;
    context.clock = &clock;
    context.resume_at = at;
    context.workers = workers;
    return std::move(*plan->open(std::move(context)));
  }
};

std::string record(const NginxTraffic& traffic, std::uint64_t n) {
  std::string text(NginxTraffic::kMaxBytes, '\0');
  text.resize(traffic.write(n, text.data()));
  return text;
}

std::string member(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":\"");
  REQUIRE(at != std::string::npos);
  const auto from = at + name.size() + 4;
  return json.substr(from, json.find('"', from) - from);
}

}  // namespace

TEST_CASE("The generator can be resumed from every position") {
  Generate generate(
      {{"count", scalar("5000")}, {"partitions", scalar("3")}, {"clients", scalar("100")}});
  CHECK(generate.plan->bounded());
  check_resume([&](const Positions& at) { return generate.open(at); }, 500);
}

TEST_CASE("However many workers there are, the records are the same") {
  Generate generate(
      {{"count", scalar("1000")}, {"partitions", scalar("4")}, {"clients", scalar("100")}});
  const auto read = [&](unsigned workers) {
    std::multiset<std::string> all;
    auto source = generate.open({}, workers);
    for (unsigned w = 0; w < workers; ++w)
      for (const auto& r : drain(**source->reader(w))) all.insert(r.data);
    return all;
  };
  CHECK(read(1).size() == 1000);
  CHECK(read(1) == read(3));
}

TEST_CASE("A record has the members of an nginx event, all of them text") {
  TrafficConfig config;
  config.clients = 1000;
  const NginxTraffic traffic(config);
  const std::string text = record(traffic, 1500);
  CHECK(text.size() <= NginxTraffic::kMaxBytes);
  for (const char* name :
       {"server", "client_ip", "method", "status", "request_time", "host", "country"})
    CHECK_FALSE(member(text, name).empty());
  CHECK(member(text, "@timestamp") == "1704067201.500000");
  CHECK(text.front() == '{');
  CHECK(text.back() == '}');
  CHECK(record(NginxTraffic(config), 1500) == text);
  config.seed = 2;
  CHECK(record(NginxTraffic(config), 1500) != text);
}

TEST_CASE("Attackers exceed ten requests in 20 s and stormy hosts fifteen 4xx in 30 s") {
  TrafficConfig config;
  config.clients = 20'000;
  const NginxTraffic traffic(config);
  std::map<std::string, int> attackers, storms;
  for (std::uint64_t n = 0; n < 180'000; ++n) {
    const std::string text = record(traffic, n);
    if (member(text, "client_ip").starts_with("203.0.113.")) ++attackers[member(text, "client_ip")];
    if (member(text, "status")[0] == '4') ++storms[member(text, "host")];
  }
  CHECK(attackers.size() == 3);
  for (const auto& [address, count] : attackers) CHECK(count > 20);
  int stormy = 0;
  for (const auto& [host, count] : storms) stormy += count > 100 ? 1 : 0;
  CHECK(stormy >= 1);
  CHECK(stormy <= 2);
}

TEST_CASE("Disorder moves times back, by no more than it says") {
  TrafficConfig config;
  config.clients = 10;
  config.disorder = Duration::from_seconds(2);
  const NginxTraffic traffic(config);
  bool moved = false;
  for (std::uint64_t n = 5000; n < 6000; ++n) {
    const double at = std::stod(member(record(traffic, n), "@timestamp"));
    const double due = static_cast<double>(traffic.time(n).micros) / 1e6;
    CHECK(at <= due + 1e-6);
    CHECK(at >= due - 2.000002);
    moved = moved || at < due - 0.5;
  }
  CHECK(moved);
}

TEST_CASE("With a speed the generator keeps pace with the clock") {
  Generate generate({{"rate", scalar("100")}, {"speed", scalar("2")}, {"clients", scalar("10")}});
  CHECK_FALSE(generate.plan->bounded());
  auto source = generate.open({});
  auto reader = std::move(*source->reader(0));
  CHECK(drain(*reader).empty());
  generate.clock.advance(Duration::from_seconds(3));
  CHECK(drain(*reader).size() == 600);
  CHECK(drain(*reader).empty());
}

TEST_CASE("Wrong settings of the generator are reported") {
  Registry registry;
  add_generate_source(registry);
  for (const auto& [field, value] :
       {std::pair{"rate", "0"}, {"start", "yesterday"}, {"kind", "apache"}, {"speed", "-1"}}) {
    Diagnostics problems;
    CHECK_FALSE(
        make_plan(registry.sources(), "generate", map_of({{field, scalar(value)}}), problems));
    CHECK(problems.errors() == 1);
  }
}
