// SPDX-License-Identifier: Apache-2.0
// What enrich does with a service's answers, on a fake one: nothing here opens a socket.
#include "enrich/enrich_operator.h"
#include "enrich/service_answers.h"
#include "tests/contract/component.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

using namespace streamd;
using namespace streamd::enrich;
using namespace streamd::test;

namespace {

// Texts are the answer itself; statuses as services use them.
class TextProtocol final : public Protocol {
 public:
  const std::string& far_side() const override { return name_; }
  std::optional<http::Url> url_of(const Batch&, Question& question) const override {
    if (question.key != "none of its business")
      return http::Url{.host = "far", .target = "/" + question.key};
    nothing(question);
    return std::nullopt;
  }
  Status read(const http::Response& response, EventTime, Question& question) const override {
    if (response.status == 404) return nothing(question);
    if (response.status == 403) return fail(ErrorKind::external, "no entry (403)", "show a pass");
    if (response.status >= 429)
      return fail_for_now("far answers " + std::to_string(response.status));
    if (response.status == 400) return refused(question, "it makes no sense");
    question.verdict = Verdict::found;
    question.values[0] = Value::string(question.arena.copy(response.body));
    question.values[1] = Value::int64(static_cast<std::int64_t>(response.body.size()));
    return {};
  }

 private:
  std::string name_ = "far";
};

struct Far {
  std::mutex mutex;
  std::vector<std::string> asked;
  std::map<std::string, int> statuses;  // others: 200
  int status = 200;                     // of all that are not in statuses
  std::optional<Duration> retry_after;
  std::optional<Error> broken;
  std::function<void()> inside;  // called while a request is under way, without the lock

  Result<http::Response> send(const http::Url& url) {
    if (inside) inside();
    const std::lock_guard lock(mutex);
    const std::string key = url.target.substr(1);
    asked.push_back(key);
    if (broken) return tl::unexpected(*broken);
    const auto own = statuses.find(key);
    http::Response response;
    response.status = own == statuses.end() ? status : own->second;
    response.retry_after = retry_after;
    response.body = "about " + key;
    return response;
  }
  std::vector<std::string> take() {
    std::vector<std::string> taken = std::exchange(asked, {});
    std::sort(taken.begin(), taken.end());
    return taken;
  }
};

using Keys = std::vector<std::string>;

struct Node {
  Far far;
  ManualClock clock;
  std::vector<std::string> log;
  std::mutex log_mutex;
  Shape shape;
  http::AskerOptions options;
  std::stop_source stop;
  Collector out;
  std::unique_ptr<Operator> op;

  Node() {
    shape.key.columns = {0};
    shape.to = {1, 2};
    shape.columns = 3;
    shape.what = "ip";
    shape.on_error = OnError::keep;
    shape.cache = 100;
    shape.ttl = Duration::from_seconds(300);
    shape.negative_ttl = Duration::from_seconds(60);
    options.far_side = "far";
    options.meanwhile = "records go on";
    options.concurrency = 1;
  }
  void make() {
    const auto log_line = [this](int, const std::string& text) {
      const std::lock_guard lock(log_mutex);
      log.push_back(text);
    };
    auto service = std::make_shared<Service>(
        options, clock, log_line, 7,
        [this](const http::Url& url, std::stop_token) { return far.send(url); });
    OperatorContext context;
    context.clock = &clock;
    context.stop = stop.get_token();
    op = make_enrich(shape, context,
                     make_service_answers(service, std::make_shared<TextProtocol>(), context.stop));
  }
  Status run(const std::vector<const char*>& keys) {
    if (!op) make();
    Column column;
    for (const char* key : keys) column.push_back(key ? Value::string(key) : Value::missing());
    return op->on_batch(batch_of({std::move(column)}), out);
  }
  // What the last batch says of each record.
  Keys last() const {
    Keys said;
    const Batch& batch = out.batches.back();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Value& v = batch.at(1, i);
      said.emplace_back(v.is(Kind::string) ? v.text() : kind_name(v.kind()));
    }
    return said;
  }
  std::size_t told(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [&](const auto& line) {
      return line.find(part) != std::string::npos;
    }));
  }
};

Error refused_connection() {
  return {ErrorKind::external, Retry::backoff, "far: connection refused", "is it running?"};
}

}  // namespace

TEST_CASE("Each key of a batch is asked for once, and the order of records stays") {
  Node node;
  node.options.concurrency = 3;
  REQUIRE(node.run({"b", "a", "b", nullptr, "c", "a", "none of its business"}));
  CHECK(node.far.take() == Keys{"a", "b", "c"});
  CHECK(node.last() ==
        Keys{"about b", "about a", "about b", "missing", "about c", "about a", "missing"});
  CHECK(node.out.batches[0].at(2, 0).as_int() == 7);
  CHECK(node.log.empty());
}

TEST_CASE("Answers are remembered for their time, the lack of an entry for its own") {
  Node node;
  node.far.statuses["n"] = 404;
  REQUIRE(node.run({"a", "n"}));
  CHECK(node.far.take() == Keys{"a", "n"});
  REQUIRE(node.run({"n", "a"}));
  CHECK(node.far.take().empty());
  CHECK(node.last() == Keys{"missing", "about a"});
  node.clock.advance(Duration::from_seconds(61));
  REQUIRE(node.run({"n", "a"}));
  CHECK(node.far.take() == Keys{"n"});
  node.clock.advance(Duration::from_seconds(240));
  REQUIRE(node.run({"a"}));
  CHECK(node.far.take() == Keys{"a"});
  CHECK(node.out.batches[0].at(1, 0).text() == "about a");
}

TEST_CASE("The cache holds as many keys as it may") {
  Node node;
  node.shape.cache = 2;
  REQUIRE(node.run({"a", "b", "c", "d"}));
  CHECK(node.last() == Keys{"about a", "about b", "about c", "about d"});
  node.far.take();
  REQUIRE(node.run({"a", "b", "c", "d"}));
  CHECK(node.far.take().size() == 2);
}

TEST_CASE("An entry that is too large is used and not remembered") {
  Node node;
  const std::string large(20'000, 'x');
  REQUIRE(node.run({large.c_str()}));
  CHECK(node.last()[0].size() == large.size() + 6);
  REQUIRE(node.run({large.c_str()}));
  CHECK(node.far.take().size() == 2);
}

TEST_CASE("Records without an answer go where on_error says") {
  for (const OnError on_error : {OnError::keep, OnError::null, OnError::dead_letter}) {
    Node node;
    node.shape.on_error = on_error;
    node.shape.on_missing = OnMissing::drop;
    node.far.statuses = {{"bad", 400}, {"gone", 404}};
    REQUIRE(node.run({"bad", "gone", "a", "bad"}));
    CHECK(node.out.dropped[DropReason::filtered] == 1);
    if (on_error == OnError::dead_letter) {
      CHECK(node.last() == Keys{"about a"});
      REQUIRE(node.out.rejected.size() == 2);
      CHECK(node.out.rejected[1].row == 3);
      CHECK(node.out.rejected[0].code == "bad-answer");
      CHECK(node.out.rejected[0].reason == "it makes no sense");
    } else {
      const std::string said = on_error == OnError::null ? "null" : "missing";
      CHECK(node.last() == Keys{said, "about a", said});
      CHECK(kind_name(node.out.batches[0].at(2, 0).kind()) == said);
    }
  }
}

TEST_CASE("A question that has no usable answer is not asked again for a time, and told once") {
  Node node;
  node.shape.on_error = OnError::dead_letter;
  node.far.statuses = {{"bad", 400}, {"worse", 400}};
  REQUIRE(node.run({"bad"}));
  REQUIRE(node.run({"bad", "worse", "a"}));
  CHECK(node.far.take() == Keys{"a", "bad", "worse"});
  CHECK(node.out.rejected.size() == 3);
  CHECK(node.out.rejected[1].reason == "it makes no sense");
  node.clock.advance(Duration::from_seconds(61));
  REQUIRE(node.run({"bad"}));
  CHECK(node.far.take() == Keys{"bad"});
  CHECK(node.log.size() == 1);
  CHECK(node.told("a question got no answer that can be used: it makes no sense") == 1);
}

TEST_CASE("A service that fails is asked once per back-off, told once, and healed once") {
  Node node;
  node.shape.on_error = OnError::dead_letter;
  node.far.broken = refused_connection();
  REQUIRE(node.run({"a", "b", "c"}));
  CHECK(node.far.take().size() == 1);
  REQUIRE(node.out.rejected.size() == 3);
  CHECK(node.out.rejected[2].code == "no-answer");
  CHECK(node.out.rejected[2].reason == "far: connection refused");
  REQUIRE(node.run({"a", "d"}));
  CHECK(node.far.take().empty());
  for (int second = 0; second < 50; ++second) {
    node.clock.advance(Duration::from_seconds(1));
    REQUIRE(node.run({"a", "b"}));
  }
  const std::size_t tries = node.far.take().size();
  CHECK(tries >= 3);
  CHECK(tries <= 10);
  node.far.broken.reset();
  node.clock.advance(Duration::from_seconds(31));
  REQUIRE(node.run({"a", "b"}));
  CHECK(node.last() == Keys{"about a", "about b"});
  CHECK(node.told("far: connection refused; records go on until it answers again "
                  "(is it running?)") == 1);
  CHECK(node.told("healed: far answers again after") == 1);
  CHECK(node.log.size() == 2);
}

TEST_CASE("What is in the cache is known while the service fails") {
  Node node;
  REQUIRE(node.run({"a"}));
  node.far.broken = refused_connection();
  REQUIRE(node.run({"b", "a"}));
  CHECK(node.last() == Keys{"missing", "about a"});
}

TEST_CASE("A service that fails now and then is told once a minute") {
  Node node;
  node.shape.ttl = Duration{1};
  for (int turn = 0; turn < 100; ++turn) {
    node.far.status = turn % 2 == 0 ? 503 : 200;
    REQUIRE(node.run({"x"}));
    node.clock.advance(Duration::from_seconds(6));
  }
  CHECK(node.far.take().size() == 100);
  CHECK(node.told("far answers 503") == 10);
  CHECK(node.told("healed") == 10);
}

TEST_CASE("Retry-After is obeyed") {
  Node node;
  node.far.status = 429;
  node.far.retry_after = Duration::from_seconds(100);
  REQUIRE(node.run({"a"}));
  node.far.take();
  node.far.status = 200;
  node.clock.advance(Duration::from_seconds(99));
  REQUIRE(node.run({"a"}));
  CHECK(node.far.take().empty());
  node.clock.advance(Duration::from_seconds(12));
  REQUIRE(node.run({"a"}));
  CHECK(node.last() == Keys{"about a"});
}

TEST_CASE("A refusal for good ends the run at its start and is a failure like others later") {
  Node start;
  start.far.status = 403;
  const Status status = start.run({"a", "b"});
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "no entry (403)");
  CHECK(status.error().hint == "show a pass");
  CHECK(status.error().retry == Retry::never);

  Node later;
  REQUIRE(later.run({"a"}));
  later.far.status = 403;
  REQUIRE(later.run({"b"}));
  CHECK(later.last() == Keys{"missing"});
  CHECK(later.told("no entry (403); records go on until it answers again (show a pass)") == 1);
  later.far.take();
  later.clock.advance(Duration::from_seconds(29));
  REQUIRE(later.run({"b"}));
  CHECK(later.far.take().empty());
}

TEST_CASE("Questions go side by side, and no more of them than is allowed") {
  Node node;
  node.options.concurrency = 3;
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0, most = 0;
  bool met = false;
  node.far.inside = [&] {
    std::unique_lock lock(mutex);
    most = std::max(most, ++inside);
    met = met || inside == 3;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(60), [&] { return met; });
    --inside;
  };
  REQUIRE(node.run({"a", "b", "c", "d", "e", "f", "g"}));
  CHECK(met);
  CHECK(most == 3);
  CHECK(node.far.take().size() == 7);
}

TEST_CASE("A run that is given up does not wait for answers and emits nothing") {
  Node node;
  node.far.inside = [&] { node.stop.request_stop(); };
  REQUIRE(node.run({"a", "b", "c"}));
  CHECK(node.out.batches.empty());
  CHECK(node.out.rejected.empty());
  CHECK(node.far.take().size() == 1);
  CHECK(node.log.empty());
}

TEST_CASE("An answer that is too large is a matter of that question alone") {
  Node node;
  node.shape.on_error = OnError::dead_letter;
  node.far.broken = Error{ErrorKind::data, Retry::never, "far: the answer is larger than 1MiB", ""};
  REQUIRE(node.run({"a"}));
  node.far.broken.reset();
  REQUIRE(node.run({"b"}));
  REQUIRE(node.out.rejected.size() == 1);
  CHECK(node.out.rejected[0].code == "bad-answer");
  CHECK(node.out.rejected[0].reason == "far: the answer is larger than 1MiB; raise max_answer");
  CHECK(node.last() == Keys{"about b"});
}
