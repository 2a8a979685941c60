// SPDX-License-Identifier: Apache-2.0
#include "sources/builtin_sources.h"
#include "sources/shodan_answer.h"
#include "sources/shodan_config.h"
#include "tests/contract/source_contract.h"
#include "tests/engine/io/http/test_server.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <set>

using namespace streamd;
using namespace streamd::test;
using http::Peer;
using http::TestServer;

namespace {

constexpr const char* kKey = "planted key&/+";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// One source against a server; the clock goes on while somebody waits for records.
struct Bench {
  ManualClock clock{EventTime{1'700'000'000'000'000}};
  TestServer server;
  std::unique_ptr<SourcePlan> plan;
  std::mutex mutex;
  std::vector<std::string> told;

  Bench(TestServer::Script script, std::vector<std::pair<std::string, ConfigNode>> fields)
      : server(std::move(script)) {
    for (const char* name : {"url", "stream_url"})
      fields.emplace_back(name, scalar(server.url("/base")));
    fields.emplace_back("key", scalar(kKey));
    fields.emplace_back("proxy", scalar("none"));
    Registry registry;
    add_shodan_source(registry);
    Diagnostics problems;
    plan = make_plan(registry.sources(), "shodan", map_of(std::move(fields)), problems);
    for (const auto& p : problems.all()) UNSCOPED_INFO(p.message);
    REQUIRE(plan);
  }
  std::unique_ptr<Source> open(const Positions& at = {}) {
    SourceContext context;
    context.node = "in";
    context.clock = &clock;
    context.resume_at = at;
    context.log = [this](int, const std::string& text) {
      const std::lock_guard lock(mutex);
      told.push_back(text);
    };
    auto source = plan->open(std::move(context));
    REQUIRE(source);
    return std::move(*source);
  }
  bool was_told(std::string_view part) {
    const std::lock_guard lock(mutex);
    return std::any_of(told.begin(), told.end(), [&](const auto& t) { return has(t, part); });
  }
};

class PatientReader final : public Reader {
 public:
  PatientReader(Source& source, std::unique_ptr<Reader> reader, ManualClock& clock)
      : source_(source), reader_(std::move(reader)), clock_(clock) {}
  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    for (int turn = 0; turn < 2000; ++turn) {
      auto pulled = reader_->pull({limits.max_records, Duration::from_millis(5)}, out);
      (void)source_.acknowledge(1, positions_of(*reader_));
      if (!pulled || *pulled != Pull::idle) return pulled;
      clock_.advance(Duration::from_seconds(1));
    }
    return Pull::idle;
  }
  void partitions(std::vector<PartitionState>& out) override { reader_->partitions(out); }
  std::string partition_name(std::uint32_t p) const override { return reader_->partition_name(p); }

 private:
  Source& source_;
  std::unique_ptr<Reader> reader_;
  ManualClock& clock_;
};

class PatientSource final : public Source {
 public:
  PatientSource(std::unique_ptr<Source> source, ManualClock& clock)
      : source_(std::move(source)), clock_(clock) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return std::make_unique<PatientReader>(*source_, std::move(*source_->reader(worker)), clock_);
  }
  void close() noexcept override { source_->close(); }

 private:
  std::unique_ptr<Source> source_;
  ManualClock& clock_;
};

// Three pages of two banners; every search finds the same.
TestServer::Script search(std::shared_ptr<std::atomic<int>> pages = nullptr) {
  return [pages](Peer& peer) {
    for (std::string head = peer.request(); !head.empty(); head = peer.request()) {
      std::string body = R"({"plan":"dev","query_credits":50})";
      if (has(head, "/base/shodan/host/search?")) {
        if (pages) ++*pages;
        const char page = head[head.find("page=") + 5];
        body = std::string(R"({"total":250,"matches":[{"port":1)") + page +
               R"(}, {"port":2}],"facets":{}})";
      }
      if (!peer.send(TestServer::response(body))) return;
    }
  };
}
std::vector<std::pair<std::string, ConfigNode>> searching(
    std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.emplace_back("mode", scalar("search"));
  more.emplace_back("query", scalar("port:1"));
  more.emplace_back("pages", scalar("10"));
  return more;
}

std::vector<std::uint64_t> numbers(const std::vector<SeenRecord>& seen) {
  std::vector<std::uint64_t> out;
  for (const auto& r : seen) out.push_back(r.position);
  return out;
}
std::size_t different(const std::vector<std::uint64_t>& n) {
  return std::set<std::uint64_t>(n.begin(), n.end()).size();
}

// Sends `bytes` as one endless chunked answer and stays.
TestServer::Script stream(std::vector<std::string> of_each_connection) {
  return [of_each_connection](Peer& peer) {
    if (peer.request().empty()) return;
    const auto n = static_cast<std::size_t>(peer.number);
    const std::string& bytes = of_each_connection[std::min(n, of_each_connection.size() - 1)];
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.send(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes));
    if (n + 1 >= of_each_connection.size()) peer.wait_for_close();
  };
}

}  // namespace

TEST_CASE("A search goes on after every batch that was handed out") {
  Bench bench(search(), searching());
  for (const std::size_t max_records : {1u, 2u})
    check_resume(
        [&](const Positions& at) {
          return std::make_unique<PatientSource>(bench.open(at), bench.clock);
        },
        max_records);
}

TEST_CASE("A page again after a crash has the same numbers, another pass others") {
  Bench bench(search(), searching({{"every", scalar("1m")}}));
  const auto read = [&](std::size_t count) {
    PatientSource source(bench.open(), bench.clock);
    auto reader = std::move(*source.reader(0));
    std::vector<SeenRecord> seen;
    while (seen.size() < count) {
      pull_once(*reader, seen);
      bench.clock.advance(Duration::from_seconds(60));
    }
    return numbers(seen);
  };
  const auto first = read(6);
  CHECK(first == read(6));
  // {"port":2} is on each page: one observation, wherever it is found.
  CHECK(different(first) == 4);
  const auto two_passes = read(12);
  CHECK(different(two_passes) == 8);
  CHECK(std::equal(first.begin(), first.end(), two_passes.begin()));
}

TEST_CASE("Chosen fields may be equal on two pages and are two records") {
  Bench bench(search(), searching({{"fields", list_of({"port"})}}));
  PatientSource source(bench.open(), bench.clock);
  auto reader = std::move(*source.reader(0));
  CHECK(different(numbers(drain(*reader))) == 6);
}

TEST_CASE("A changed search begins anew and with other numbers") {
  Bench bench(search(), searching());
  PatientSource source(bench.open(), bench.clock);
  auto reader = std::move(*source.reader(0));
  auto all = numbers(drain(*reader));
  Bench other(search(), searching({{"minify", scalar("true")}}));
  PatientSource again(other.open(positions_of(*reader)), other.clock);
  auto reader_again = std::move(*again.reader(0));
  const auto more = numbers(drain(*reader_again));
  CHECK(more.size() == 6);
  all.insert(all.end(), more.begin(), more.end());
  CHECK(different(all) == 8);
  CHECK(other.was_told("the search was changed"));
}

TEST_CASE("One answer that it was asked too often is the network's, two are told") {
  const int answers = GENERATE(1, 2);
  const auto left = std::make_shared<std::atomic<int>>(answers);
  Bench bench(
      [left, found = search()](Peer& peer) {
        while (*left > 0) {
          const std::string head = peer.request();
          if (head.empty()) return;
          const bool page = has(head, "/base/shodan/host/search?");
          *left -= page ? 1 : 0;
          if (!peer.send(TestServer::response(
                  page ? R"x({"error": "Request rate limit reached (1 request/ second)"})x"
                       : R"({"plan":"dev","query_credits":50})")))
            return;
        }
        found(peer);
      },
      searching());
  PatientSource source(bench.open(), bench.clock);
  auto reader = std::move(*source.reader(0));
  CHECK(drain(*reader).size() == 6);
  CHECK(*left == 0);
  CHECK(bench.was_told("asked too often") == (answers == 2));
}

TEST_CASE("A search that is due in an hour is not made at a restart") {
  const auto pages = std::make_shared<std::atomic<int>>(0);
  Bench bench(search(pages), searching({{"every", scalar("1h")}}));
  Positions at;
  {
    PatientSource source(bench.open(), bench.clock);
    auto reader = std::move(*source.reader(0));
    std::vector<SeenRecord> seen;
    while (seen.size() < 6) pull_once(*reader, seen);
    at = positions_of(*reader);
  }
  CHECK(*pages == 3);
  auto source = bench.open(at);
  auto reader = std::move(*source->reader(0));
  for (int i = 0; i < 20; ++i) {
    RawBatch none;
    CHECK(reader->pull({10, Duration::from_millis(5)}, none).value() == Pull::idle);
    bench.clock.advance(Duration::from_seconds(10));
  }
  CHECK(*pages == 3);
  bench.clock.advance(Duration::from_seconds(3600));
  std::vector<SeenRecord> seen;
  PatientReader patient(*source, std::move(reader), bench.clock);
  CHECK(pull_once(patient, seen) == Pull::data);
  CHECK(*pages >= 4);
}

TEST_CASE("Two runs of a stream never give two banners the same number") {
  const std::string banners =
      "\n{\"a\":1}\n{\"a\":2}\r\n\n{\"event\":\"debug\",\"discarded\":41}\n"
      "{\"a\":3}\n{\"half";
  Bench bench(stream({banners}), {{"mode", scalar("stream")}});
  std::vector<std::uint64_t> all;
  Positions committed;
  for (int run = 0; run < 4; ++run) {
    PatientSource source(bench.open(committed), bench.clock);
    auto reader = std::move(*source.reader(0));
    std::vector<SeenRecord> seen;
    pull_once(*reader, seen, 1);
    // The rest is never committed.
    committed = positions_of(*reader);
    while (seen.size() < 3) pull_once(*reader, seen);
    CHECK(seen[2].data == "{\"a\":3}");
    for (const auto n : numbers(seen)) all.push_back(n);
    // Behind the last crash: the clock is put back.
    if (run == 1) bench.clock.jump(EventTime{1'600'000'000'000'000});
  }
  CHECK(all.size() == 12);
  CHECK(different(all) == 12);
  CHECK(bench.was_told("discarded 41 banners"));
}

TEST_CASE("What a cut leaves of a banner is no banner, and the stream goes on") {
  Bench bench(stream({"{\"a\":1}\n{\"a\":", "2}\n{\"b\":1}\n"}), {{"mode", scalar("stream")}});
  PatientSource source(bench.open(), bench.clock);
  auto reader = std::move(*source.reader(0));
  std::vector<SeenRecord> seen;
  while (seen.size() < 3) pull_once(*reader, seen);
  CHECK(seen[0].data == "{\"a\":1}");
  CHECK(seen[1].data == "2}");
  CHECK(seen[2].data == "{\"b\":1}");
  CHECK(bench.was_told("in the middle of a banner: its first 5 bytes are dropped"));
  CHECK(!bench.was_told("planted"));
}

TEST_CASE("What Shodan says becomes an error that says what to do") {
  struct Case {
    int status;
    const char* body;
    const char* says;
    bool heals;
  };
  for (const Case& c : std::initializer_list<Case>{
           {401, R"({"error": "Invalid API key"})", "the API key is not valid", false},
           {401, "<html>401</html>", "the API key is not valid", false},
           {401, R"({"error": "Insufficient query credits, please upgrade your API plan"})",
            "no query credits are left", false},
           {401, R"({"error": "Please upgrade your API plan to use filters or paging."})",
            "does not allow filters", false},
           {403, R"x({"error": "Access denied (403 Forbidden)"})x", "access denied", false},
           {404, R"({"error": "No such alert"})", "No such alert", false},
           {400, R"({"error": "Invalid search\n query"})", "Invalid search  query", false},
           {302, "", "unexpected status 302", false},
           {429, R"x({"error": "Request rate limit reached (1 request/ second)"})x", "too often",
            true},
           {429, "<html>", "too often", true},
           {200, R"x({"error": "Request rate limit reached (1 request/ second)"})x", "too often",
            true},
           {200, R"({"error": "The search request timed out or your query was invalid."})",
            "timed out", true},
           {200, R"({"error": {"code": 7}})", "unknown error", true},
           {200, "<html>", "HTML instead of JSON", true},
           {200, R"({"matches": [{)", "no complete JSON", true},
           {502, "<html>", "status 502", true},
           {524, "", "no data came", true}}) {
    const Error error = shodan::refusal(c.status, c.body, "Shodan", "planted");
    INFO(c.status << ' ' << c.body);
    CHECK(has(error.message, c.says));
    CHECK((error.retry == Retry::backoff) == c.heals);
    CHECK((error.retry == Retry::backoff || !error.hint.empty()));
    CHECK(shodan::is_exhausted(error) == has(c.says, "credits"));
    CHECK(shodan::is_too_often(error) == has(c.says, "too often"));
  }
  const Error echo = shodan::refusal(400, R"({"error":"key a b and a%20b"})", "Shodan", "a b");
  CHECK(has(echo.message, "key *** and ***"));
}

TEST_CASE("A stream's filters become its path") {
  shodan::Config config;
  CHECK(shodan::stream_target(config).value() == "/shodan/banners");
  config.query = "port:22 country:DE";
  CHECK(shodan::stream_target(config).value() == "/shodan/custom?query=port%3A22%20country%3ADE");
  config.asn = {"AS3303", "32475"};
  CHECK(shodan::stream_target(config).value() == "/shodan/asn/3303,32475");
  config.alert = {"all"};
  CHECK(shodan::stream_target(config).value() == "/shodan/alert");
  config.alert = {"A1?x"};
  CHECK(shodan::stream_target(config).value() == "/shodan/alert/A1%3Fx");
  for (const char* bad : {"", "a/b", "a,b", "a b"}) {
    config.alert = {bad};
    CHECK(!shodan::stream_target(config));
  }
}

TEST_CASE("A key is asked about once a second, whoever asks") {
  Shared shared;
  const auto one = shodan::Pace::of(&shared, "k"), two = shodan::Pace::of(&shared, "k");
  const auto other = shodan::Pace::of(&shared, "other");
  const Duration now = Duration::from_seconds(5);
  CHECK(one->take(now) == Duration{});
  CHECK(two->take(now) == Duration::from_seconds(1));
  CHECK(other->take(now) == Duration{});
  CHECK(two->take(now + Duration::from_millis(400)) == Duration::from_millis(600));
  CHECK(two->take(now + Duration::from_seconds(1)) == Duration{});
  CHECK(one->take(now + Duration::from_seconds(1)) == Duration::from_seconds(1));
}
