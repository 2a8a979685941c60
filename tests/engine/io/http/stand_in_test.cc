// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/stand_in.h"

#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::http;

namespace {

// A client whose StandIn gives `answer` and notes what it is asked.
struct Bench {
  ManualClock clock{EventTime{1'704'067'200'000'000}};
  Shared shared;
  StandIn::Answer answer;
  std::vector<StandIn::Question> asked;
  bool closed = false;

  std::unique_ptr<Client> client() {
    auto stand_in = std::make_shared<StandIn>();
    stand_in->service = [this](const StandIn::Question& question) {
      asked.push_back(question);
      return answer;
    };
    StandIn::put(shared, std::move(stand_in));
    SourceContext context;
    context.node = "in";
    context.clock = &clock;
    context.shared = &shared;
    auto made = client_for(HttpConfig{}, context);
    REQUIRE(made);
    return std::move(*made);
  }
};

Request request_to(const char* url) {
  Request request;
  request.method = "POST";
  request.url = *Url::parse(url);
  return request;
}

}  // namespace

TEST_CASE("A client that a stand-in answers opens no connection") {
  Bench bench;
  bench.answer = {.status = 503, .headers = {{"Retry-After", "7"}, {"ETag", "x"}}, .body = "no"};
  const auto client = bench.client();
  const auto response = client->send(request_to("https://user:secret@api.example/a?b=c"), {});
  REQUIRE(response);
  CHECK(response->status == 503);
  CHECK(response->body == "no");
  CHECK(response->headers.get("etag") == "x");
  CHECK(response->retry_after == Duration::from_seconds(7));
  CHECK(response->url.target == "/a?b=c");
  REQUIRE(bench.asked.size() == 1);
  CHECK(bench.asked[0].node == "in");
  CHECK(bench.asked[0].method == "POST");
  CHECK(bench.asked[0].target == "/a?b=c");
  CHECK(client->connections_made() == 0);
}

TEST_CASE("Where the stand-in does not answer, nobody does, and that may heal") {
  for (const bool known : {true, false}) {
    Bench bench;
    bench.answer.known = known;
    bench.answer.reachable = !known;
    const auto client = bench.client();
    const auto sent = client->send(request_to("https://user:secret@api.example/a?key=b"), {});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().retry == Retry::backoff);
    CHECK(sent.error().message == "POST api.example:443 can't be reached");
    CHECK_FALSE(client->open(request_to("https://api.example/"), {}));
  }
}

TEST_CASE("A stream gives its body in pieces, then signs of life, and ends when it is closed") {
  Bench bench;
  bench.answer.body = "abcdefg";
  bench.answer.closed = [&] { return bench.closed; };
  const auto client = bench.client();
  auto stream = client->open(request_to("https://api.example/"), {});
  REQUIRE(stream);
  CHECK((*stream)->status() == 200);
  char bytes[4] = {};
  CHECK((*stream)->read(bytes, 4, {})->bytes == 4);
  CHECK(std::string(bytes, 4) == "abcd");
  bench.closed = true;  // what was sent before comes all the same
  auto piece = (*stream)->read(bytes, 4, {});
  CHECK((piece->bytes == 3 && !piece->end));
  piece = (*stream)->read(bytes, 4, {});
  CHECK((piece->bytes == 0 && piece->end));
  bench.closed = false;
  piece = (*stream)->read(bytes, 4, {});
  CHECK((piece->bytes == 0 && !piece->end));
  bench.clock.advance(Duration::from_seconds(1));
  piece = (*stream)->read(bytes, 4, {});
  CHECK((piece->bytes == 1 && bytes[0] == '\n'));
  CHECK((*stream)->read(bytes, 4, {})->bytes == 0);

  stream = client->open(request_to("https://api.example/"), {});
  CHECK((*stream)->rest(3, {}) == "abc");
  CHECK((*stream)->rest(100, {}) == "defg");
}

TEST_CASE("Without a stand-in the client is a real one") {
  ManualClock clock{EventTime{}};
  Shared shared;
  SourceContext context;
  context.clock = &clock;
  context.shared = &shared;
  HttpConfig config;
  config.tls.ca = "/nonexistent/ca.pem";
  const auto made = client_for(config, context);
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("/nonexistent/ca.pem") != std::string::npos);
}
