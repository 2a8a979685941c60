// SPDX-License-Identifier: Apache-2.0
#include "sources/builtin_sources.h"
#include "tests/contract/source_contract.h"
#include "tests/engine/io/http/test_server.h"

#include <map>
#include <mutex>
#include <set>

using namespace streamd;
using namespace streamd::test;
using http::Peer;
using http::TestServer;

namespace {

// Answers by target; keeps what was asked.
struct Site {
  std::mutex mutex;
  std::map<std::string, std::string> answers;  // complete responses
  std::vector<std::string> heads;              // requests, in order
  std::unique_ptr<TestServer> server = std::make_unique<TestServer>([this](Peer& peer) {
    for (std::string head = peer.request(); !head.empty(); head = peer.request()) {
      std::string answer;
      {
        const std::lock_guard lock(mutex);
        heads.push_back(head);
        const std::size_t begin = head.find(' ') + 1;
        const auto found = answers.find(head.substr(begin, head.find(' ', begin) - begin));
        answer = found == answers.end() ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                                        : found->second;
      }
      if (!peer.send(answer)) return;
    }
  });

  ~Site() { server.reset(); }
  void put(const std::string& target, const std::string& body, const std::string& more = {}) {
    const std::lock_guard lock(mutex);
    answers[target] = TestServer::response(body, more);
  }
  void put_status(const std::string& target, const std::string& status) {
    const std::lock_guard lock(mutex);
    answers[target] = "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
  }
  std::size_t asked(std::string_view part = {}) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count_if(heads.begin(), heads.end(), [&](const auto& h) {
      return h.find(part) != std::string::npos;
    }));
  }
};

struct Poll {
  Site site;
  ManualClock clock{EventTime{1'700'000'000'000'000}};
  std::unique_ptr<SourcePlan> plan;

  void make(std::vector<std::pair<std::string, ConfigNode>> fields,
            const std::string& target = "/") {
    fields.emplace_back("url", scalar(site.server->url(target)));
    fields.emplace_back("proxy", scalar("none"));
    Registry registry;
    add_http_source(registry);
    Diagnostics problems;
    plan = make_plan(registry.sources(), "http", map_of(std::move(fields)), problems);
    for (const auto& p : problems.all()) UNSCOPED_INFO(p.message);
    REQUIRE(plan);
  }
  std::unique_ptr<Source> open(const Positions& at = {}) {
    SourceContext context;
    context.node = "in";
    context.clock = &clock;
    context.resume_at = at;
    auto source = plan->open(std::move(context));
    REQUIRE(source);
    return std::move(*source);
  }
  // Pulls until so many records came, the end or an error; the clock goes on.
  Result<Pull> read(Reader& reader, std::size_t count, std::vector<SeenRecord>& into) {
    for (int i = 0; i < 20'000; ++i) {
      RawBatch batch;
      auto pulled = reader.pull({4096, Duration::from_millis(5)}, batch);
      if (!pulled || *pulled == Pull::end) return pulled;
      for (const auto& r : batch.records)
        into.push_back({"", r.position, std::string(r.data), std::string(r.fault)});
      if (into.size() >= count && count > 0) return Pull::data;
      clock.advance(Duration::from_millis(500));
    }
    FAIL("neither records nor an end");
    return Pull::idle;
  }
};

class PatientReader final : public Reader {
 public:
  explicit PatientReader(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    for (int turn = 0; turn < 1000; ++turn) {
      auto pulled = reader_->pull({limits.max_records, Duration::from_millis(20)}, out);
      if (!pulled || *pulled != Pull::idle) return pulled;
    }
    return Pull::idle;
  }
  void partitions(std::vector<PartitionState>& out) override { reader_->partitions(out); }
  std::string partition_name(std::uint32_t p) const override { return reader_->partition_name(p); }

 private:
  std::unique_ptr<Reader> reader_;
};

class PatientSource final : public Source {
 public:
  explicit PatientSource(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return std::make_unique<PatientReader>(std::move(*source_->reader(worker)));
  }
  void close() noexcept override { source_->close(); }

 private:
  std::unique_ptr<Source> source_;
};

std::vector<std::string> texts(const std::vector<SeenRecord>& seen) {
  std::vector<std::string> out;
  for (const auto& r : seen) out.push_back(r.data);
  return out;
}
using Texts = std::vector<std::string>;

ConfigNode cursor() {
  return map_of({{"cursor", map_of({{"path", scalar("next")}, {"param", scalar("c")}})}});
}

}  // namespace

TEST_CASE("Pages by cursor go on after every batch that was handed out") {
  Poll poll;
  poll.site.put("/", R"({"items":[1,2,3],"next":"x y"})");
  poll.site.put("/?c=x%20y", R"({"items":[4,4],"next":3})");
  poll.site.put("/?c=3", R"({"items":[5],"next":null})");
  poll.make({{"once", scalar("true")}, {"path", scalar("items")}, {"pagination", cursor()}});
  for (const std::size_t max_records : {1u, 2u, 100u})
    check_resume(
        [&](const Positions& at) { return std::make_unique<PatientSource>(poll.open(at)); },
        max_records);
}

TEST_CASE("Pages by number end with the one that is not full") {
  Poll poll;
  poll.site.put("/?a=b&p=0", "[1,2]");
  poll.site.put("/?a=b&p=1", "[3,4]");
  poll.site.put("/?a=b&p=2", "[5]");
  poll.make({{"once", scalar("true")},
             {"pagination", map_of({{"page", map_of({{"param", scalar("p")},
                                                     {"start", scalar("0")},
                                                     {"size", scalar("2")}})}})}},
            "/?a=b");
  auto source = poll.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  CHECK(poll.read(*reader, 0, seen).value() == Pull::end);
  CHECK(texts(seen) == Texts{"1", "2", "3", "4", "5"});
  CHECK(poll.site.asked() == 3);
}

TEST_CASE("Pages by link stay on the host") {
  Poll poll;
  poll.site.put("/", "[1]", "Link: </two?x=1>; rel=\"next\"\r\n");
  poll.site.put("/two?x=1", "[2]", "Link: <http://elsewhere.example/>; rel=\"next\"\r\n");
  poll.make({{"once", scalar("true")},
             {"bearer", scalar("secret")},
             {"pagination", map_of({{"link", scalar("true")}})}});
  auto source = poll.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  const auto ended = poll.read(*reader, 0, seen);
  REQUIRE(!ended);
  CHECK(ended.error().message.find("next page is on another host") != std::string::npos);
  CHECK(texts(seen) == Texts{"1"});
  CHECK(poll.site.asked("Authorization: Bearer secret") == 2);
}

TEST_CASE("What did not change is not read again") {
  Poll poll;
  poll.site.put("/", "[1,2]", "ETag: \"v1\"\r\nLast-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n");
  poll.make({{"every", scalar("10s")}});
  Positions at;
  std::vector<SeenRecord> seen;
  {
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    REQUIRE(poll.read(*reader, 2, seen).value() == Pull::data);
    at = positions_of(*reader);
  }
  poll.site.put_status("/", "304 Not Modified");
  auto source = poll.open(at);
  auto reader = std::move(*source->reader(0));
  for (int i = 0; i < 2000 && poll.site.asked("If-None-Match: \"v1\"") < 2; ++i) {
    CHECK(pull_once(*reader, seen) == Pull::idle);
    poll.clock.advance(Duration::from_millis(500));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(poll.site.asked("If-None-Match: \"v1\"") >= 2);
  CHECK(poll.site.asked("If-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT") >= 2);
  poll.site.put("/", "[3]", "ETag: \"v2\"\r\n");
  REQUIRE(poll.read(*reader, 3, seen).value() == Pull::data);
  CHECK(texts(seen) == Texts{"1", "2", "3"});
}

TEST_CASE("Each poll gives its records other numbers, and a poll again after a crash the same") {
  Poll poll;
  poll.site.put("/", "[1,1,2]");
  poll.make({{"every", scalar("10s")}});
  std::set<std::uint64_t> numbers;
  std::vector<SeenRecord> first, again;
  {
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    REQUIRE(poll.read(*reader, 9, first).value() == Pull::data);
  }
  for (const auto& r : first) numbers.insert(r.position);
  CHECK(numbers.size() == 9);
  auto source = poll.open();
  auto reader = std::move(*source->reader(0));
  REQUIRE(poll.read(*reader, 9, again).value() == Pull::data);
  CHECK(first == again);
}

TEST_CASE("An answer that will not heal ends the source, and says what to do") {
  for (const auto& [status, hint] :
       {std::pair{"401 Unauthorized", "wants a login"}, std::pair{"404 Not Found", "Check the URL"},
        std::pair{"300 Multiple Choices", "redirects"}}) {
    Poll poll;
    poll.site.put_status("/", status);
    poll.make({});
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    std::vector<SeenRecord> seen;
    const auto ended = poll.read(*reader, 1, seen);
    REQUIRE(!ended);
    CHECK(ended.error().retry == Retry::never);
    CHECK(ended.error().hint.find(hint) != std::string::npos);
  }
}

TEST_CASE("204 is a page without records") {
  for (const bool paged : {false, true}) {
    Poll poll;
    poll.site.put_status(paged ? "/?page=1" : "/", "204 No Content");
    std::vector<std::pair<std::string, ConfigNode>> fields = {{"once", scalar("true")},
                                                              {"path", scalar("items")}};
    if (paged) fields.emplace_back("pagination", map_of({{"page", map_of({})}}));
    poll.make(std::move(fields));
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    std::vector<SeenRecord> seen;
    CHECK(poll.read(*reader, 0, seen).value() == Pull::end);
    CHECK(seen.empty());
    CHECK(poll.site.asked() == 1);
  }
}

TEST_CASE("HTML, half an answer and a busy server heal") {
  Poll poll;
  poll.site.put("/", "<html>please wait</html>");
  poll.make({{"once", scalar("true")}});
  auto source = poll.open();
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> seen;
  const auto asked_again = [&] {
    const std::size_t before = poll.site.asked();
    for (int i = 0; i < 5000 && poll.site.asked() < before + 2; ++i) {
      CHECK(pull_once(*reader, seen) == Pull::idle);
      poll.clock.advance(Duration::from_seconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(poll.site.asked() >= before + 2);
  };
  asked_again();
  poll.site.put("/", R"([{"a":1},{"a)");
  asked_again();
  poll.site.put_status("/", "503 Service Unavailable");
  asked_again();
  poll.site.put("/", "[1]");
  CHECK(poll.read(*reader, 0, seen).value() == Pull::end);
  CHECK(texts(seen) == Texts{"1"});
}

TEST_CASE("Pages without end, and a page that names itself, are errors") {
  for (const char* next : {"\"1\"", "\"2\""}) {
    Poll poll;
    poll.site.put("/", R"({"items":[1],"next":"1"})");
    poll.site.put("/?c=1", std::string(R"({"items":[1],"next":)") + next + "}");
    poll.site.put("/?c=2", R"({"items":[1],"next":"1"})");
    poll.make({{"path", scalar("items")}, {"pagination", cursor()}, {"max_pages", scalar("5")}});
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    std::vector<SeenRecord> seen;
    const auto ended = poll.read(*reader, 1000, seen);
    REQUIRE(!ended);
    CHECK(ended.error().retry == Retry::never);
    CHECK(seen.size() <= 5);
  }
}

TEST_CASE("Other settings begin with the first page and with other numbers") {
  Poll poll;
  poll.site.put("/", "[1]");
  poll.site.put("/other", "[1]");
  poll.make({{"once", scalar("true")}});
  std::vector<SeenRecord> seen;
  Positions at;
  {
    auto source = poll.open();
    auto reader = std::move(*source->reader(0));
    CHECK(poll.read(*reader, 0, seen).value() == Pull::end);
    at = positions_of(*reader);
  }
  poll.make({{"once", scalar("true")}}, "/other");
  auto source = poll.open(at);
  auto reader = std::move(*source->reader(0));
  CHECK(poll.read(*reader, 0, seen).value() == Pull::end);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].position != seen[1].position);
}

TEST_CASE("Settings of the http source that contradict each other are refused") {
  const auto refused = [](std::vector<std::pair<std::string, ConfigNode>> fields) {
    fields.emplace_back("url", scalar("http://127.0.0.1/"));
    Registry registry;
    add_http_source(registry);
    Diagnostics problems;
    const auto plan = make_plan(registry.sources(), "http", map_of(std::move(fields)), problems);
    return problems.errors() > 0;
  };
  CHECK(!refused({}));
  CHECK(refused({{"method", scalar("PUT")}}));
  CHECK(refused({{"body", scalar("x")}}));
  CHECK(refused({{"path", scalar("a")}, {"format", scalar("csv")}}));
  CHECK(refused({{"separator", scalar("ab")}}));
  CHECK(refused({{"every", scalar("0s")}}));
  CHECK(refused({{"format", scalar("lines")}, {"pagination", cursor()}}));
  CHECK(refused({{"pagination", map_of({{"link", scalar("true")}, {"page", map_of({})}})}}));
}
