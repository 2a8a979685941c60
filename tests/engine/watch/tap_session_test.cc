// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/tap_session.h"

#include "tests/engine/watch/json_batch.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

using namespace streamd;
using namespace streamd::test;

namespace {

// Every look at it takes `step`.
class TickingClock final : public Clock {
 public:
  EventTime wall() const override { return {now_.micros}; }
  Duration monotonic() const override { return now_ = now_ + step; }
  void advance(Duration d) { now_ = now_ + d; }
  Duration step{};

 private:
  mutable Duration now_ = Duration::from_seconds(1000);
};

struct Case {
  Taps taps;
  TickingClock clock;
  SecretMask mask{{"hunter2"}};
  control::Answer answer;
  std::unique_ptr<TapSession> session;

  TapRequest request() {
    TapRequest r;
    r.node = "in";
    r.port = "out";
    r.schema.open = true;
    r.schema.fields = {{"n", Type::int64, false}};
    return r;
  }
  void open(TapRequest r) {
    session = std::make_unique<TapSession>(taps.open(0, Port::out), std::move(r), mask, clock);
  }
  void pass(std::vector<std::string> records) {
    Column column;
    for (std::size_t i = 0; i < records.size(); ++i)
      column.push_back(Value::int64(static_cast<std::int64_t>(i)));
    taps.offer(0, Port::out, json_batch(std::move(records), std::move(column)));
  }
  void pass(std::size_t count) {
    std::vector<std::string> records;
    for (std::size_t i = 0; i < count; ++i) records.push_back(fmt::format(R"({{"n":{}}})", i));
    pass(std::move(records));
  }
  // The lines since the last call, of one kind.
  std::vector<std::string> said(char kind) {
    control::AnswerLines lines;
    lines.add(answer.bytes());
    std::vector<std::string> found;
    while (const auto line = lines.next())
      if (line->kind == kind) found.push_back(line->text);
    return found;
  }
  void forget() { answer.sent(answer.bytes().size()); }
};

}  // namespace

TEST_CASE("records are shown as a line with their time and place", "[watch]") {
  Case c;
  c.open(c.request());
  c.pass({R"({"n":0,"host":"a"})", R"({"n":1,"token":"hunter2"})"});
  c.session->work(c.answer);
  CHECK(c.said('o') ==
        std::vector<std::string>{R"(1970-01-01T00:00:00Z  topic/3@0  {"n":0,"host":"a"})",
                                 R"(1970-01-01T00:00:01Z  topic/3@1  {"n":1,"token":"***"})"});
  CHECK(c.said('e').empty());
}

TEST_CASE("as JSON each record is an object with its place", "[watch]") {
  Case c;
  auto request = c.request();
  request.json = true;
  c.open(std::move(request));
  c.pass({R"({"n":0})"});
  c.session->work(c.answer);
  CHECK(c.said('o') ==
        std::vector<std::string>{
            R"({"node":"in","port":"out","time":"1970-01-01T00:00:00Z","source":"in",)"
            R"("partition":"topic/3","position":0,"record":{"n":0}})"});
}

TEST_CASE("a terminal is told nothing that it would obey", "[watch]") {
  Case c;
  c.open(c.request());
  c.pass({"{\"a\":\"\x7f\xC2\x9B\x31mä\"}"});
  c.session->work(c.answer);
  CHECK(c.said('o').at(0).ends_with("{\"a\":\"\\u007f\\u009b1mä\"}"));
}

TEST_CASE("a record that is too long is cut between characters", "[watch]") {
  Case c;
  auto request = c.request();
  request.json = true;
  c.open(std::move(request));
  std::string text = R"({"a":")";
  text += std::string(kTapRecordBytes - text.size() - 1, 'x') + "ä\"}";
  c.pass({text});
  c.session->work(c.answer);
  const std::string line = c.said('o').at(0);
  CHECK(line.find(fmt::format(R"("bytes":{},"beginning":"{{\"a\":\"xxx)", text.size())) !=
        std::string::npos);
  CHECK(line.ends_with("xx\"}"));
  CHECK(line.size() < kTapRecordBytes + 400);
}

TEST_CASE("it ends after as many records as were asked for", "[watch]") {
  Case c;
  auto request = c.request();
  request.limit = 3;
  c.open(std::move(request));
  c.pass(2);
  c.session->work(c.answer);
  CHECK_FALSE(c.answer.finished());
  c.pass(5);
  c.session->work(c.answer);
  CHECK(c.answer.finished());
  CHECK(c.said('o').size() == 3);
  CHECK(c.said('e') == std::vector<std::string>{"3 records shown; 0 of 7 records were skipped"});
  CHECK(c.said('x') == std::vector<std::string>{"0"});
}

TEST_CASE("no more records a second are shown than a tap may, and the rest is told", "[watch]") {
  Case c;
  c.open(c.request());
  c.pass(1000);
  c.session->work(c.answer);
  CHECK(c.said('o').size() == kTapRecordsPerSecond);
  c.clock.advance(Duration::from_seconds(1));
  c.session->work(c.answer);
  CHECK(c.said('e') == std::vector<std::string>{"800 of 1000 records were skipped so far"});
  c.forget();
  c.clock.advance(Duration::from_millis(500));
  c.pass(1000);
  c.session->work(c.answer);
  CHECK(c.said('o').size() == kTapRecordsPerSecond);  // a second and a half fill one second's
}

TEST_CASE("no more bytes a second are shown than a tap may", "[watch]") {
  Case c;
  c.open(c.request());
  c.pass(std::vector<std::string>(100, R"({"a":")" + std::string(60'000, 'x') + R"("})"));
  c.session->work(c.answer);
  CHECK(c.said('o').size() <= kTapBytesPerSecond / 60'000 + 1);
  CHECK(c.said('o').size() >= kTapBytesPerSecond / 60'000);
}

TEST_CASE("it spends a tenth of its time", "[watch]") {
  Case c;
  c.open(c.request());
  c.clock.step = Duration::from_millis(4);  // so long every piece of a batch takes
  c.pass(5000);
  c.session->work(c.answer);
  const std::size_t shown = c.said('o').size();
  CHECK(shown > 0);
  CHECK(shown < kTapRecordsPerSecond);
  c.clock.step = {};
  c.session->work(c.answer);
  CHECK(c.said('o').size() == shown);  // it rests
  c.clock.advance(Duration::from_millis(12 * 9 + 4));
  c.session->work(c.answer);
  CHECK(c.said('o').size() > shown);
}

TEST_CASE("only what the condition is true for is shown, and failures are told", "[watch]") {
  Case c;
  auto request = c.request();
  Diagnostics problems;
  request.filter = TapFilter::make("n % 2 == 1 && host == 'a'", request.schema, problems);
  REQUIRE(request.filter);
  c.open(std::move(request));
  c.pass({R"({"host":"a"})", R"({"host":"a"})", R"({"host":"b"})", R"({"n":3})"});
  c.session->work(c.answer);
  CHECK(c.said('o') ==
        std::vector<std::string>{R"(1970-01-01T00:00:01Z  topic/3@1  {"host":"a"})"});
  c.session->end(c.answer);
  const auto told = c.said('e');
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "the pipeline has ended");
  CHECK(told[1].starts_with(
      "1 records shown; 0 of 4 records were skipped; 1 have no answer to --where, the first as "));
  CHECK(c.said('x') == std::vector<std::string>{"0"});
}

TEST_CASE("at the end what has passed by then is shown", "[watch]") {
  Case c;
  c.open(c.request());
  c.pass(3);
  c.session->end(c.answer);
  CHECK(c.said('o').size() == 3);
  CHECK(c.answer.finished());
  CHECK(c.taps.any());
  c.session.reset();
  CHECK_FALSE(c.taps.any());
}
