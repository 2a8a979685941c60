// SPDX-License-Identifier: Apache-2.0
#include "sinks/discord/webhook.h"

#include "engine/core/clock.h"
#include "sinks/discord/message.h"
#include "tests/support/catch.h"

namespace streamd::discord {
namespace {

Result<http::Url> address(const std::string& text, const std::string& thread = "") {
  return webhook_url(http::Url::parse(text).value(), thread);
}

// Answers the messages in turn with what a test has set, and keeps them.
struct Channel final : http::Answerer {
  struct Reply {
    int status = 200;
    std::string body = R"({"id":"1"})";
    Duration retry_after{};
  };
  std::vector<Reply>& replies;
  std::vector<std::string>& posted;
  Channel(std::vector<Reply>& the_replies, std::vector<std::string>& the_posted)
      : replies(the_replies), posted(the_posted) {}

  Result<http::Response> send(const http::Request& request) override {
    posted.push_back(request.body);
    REQUIRE(posted.size() <= replies.size());
    const Reply& reply = replies[posted.size() - 1];
    http::Response response;
    response.status = reply.status;
    response.body = reply.body;
    if (reply.retry_after > Duration{}) response.retry_after = reply.retry_after;
    return response;
  }
  Result<std::unique_ptr<http::Stream>> open(const http::Request&) override {
    return fail(ErrorKind::external, "no stream");
  }
};

struct Called {
  std::vector<Channel::Reply> replies;
  std::vector<std::string> posted;
  ManualClock clock;

  delivery::Answer send(const std::vector<std::string>& texts) {
    std::vector<std::string> encoded;
    for (const auto& text : texts) encoded.push_back(encode({.text = text}));
    clock.advance(Duration::from_seconds(100));
    Webhook webhook(address("https://discord.com/api/webhooks/12/t").value(), {},
                    http::Client::answered_by(std::make_unique<Channel>(replies, posted)), clock,
                    std::make_shared<GlobalPause>());
    return webhook.send({encoded.begin(), encoded.end()}, {});
  }
};

TEST_CASE("A webhook is called by the version in which seconds are seconds") {
  for (const char* text : {"https://discord.com/api/webhooks/12/tok_en-1",
                           "https://discord.com/api/v6/webhooks/12/tok_en-1",
                           "https://discord.com/api/v10/webhooks/12/tok_en-1?wait=false"})
    CHECK(address(text).value().target == "/api/v10/webhooks/12/tok_en-1?wait=true");
  CHECK(address("https://discord.com/api/webhooks/12/t", "99").value().target ==
        "/api/v10/webhooks/12/t?wait=true&thread_id=99");
}

TEST_CASE("What is no webhook is refused without repeating it") {
  for (const char* text :
       {"https://discord.com/", "https://discord.com/api/webhooks/12", "https://x/api/webhooks/12/",
        "https://discord.com/api/webhooks/name/secret", "https://discord.com/api/vx/webhooks/12/t",
        "https://discord.com/api/webhooks/12/t/slack", "https://discord.com/channels/1/2"}) {
    INFO(text);
    const auto url = address(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().message.find("secret") == std::string::npos);
    CHECK(url.error().hint.find("Integrations") != std::string::npos);
  }
}

TEST_CASE("Five messages may go at once, then one every two seconds") {
  Pace pace;
  Duration now = Duration::from_seconds(100);
  for (int i = 0; i < 5; ++i) CHECK(pace.ask(now) == Duration{});
  CHECK(pace.ask(now) == Duration::from_seconds(2));
  CHECK(pace.ask(now + Duration::from_seconds(1)) == Duration::from_seconds(1));
  now = now + Duration::from_seconds(2);
  CHECK(pace.ask(now) == Duration{});
  CHECK(pace.ask(now) == Duration::from_seconds(2));
  int sent = 0;
  for (int ms = 0; ms < 60'000; ms += 100)
    if (pace.ask(now + Duration::from_millis(ms)) == Duration{}) ++sent;
  CHECK(sent <= 30);
  CHECK(sent >= 29);
}

const Channel::Reply kTaken{}, kSpoilt{400, R"({"code":50006,"message":"empty"})"},
    kLimited{429, R"({"message":"slow","retry_after":3.0,"global":false})",
             Duration::from_seconds(3)},
    kBroken{500, ""};

std::size_t taken(const delivery::Answer& answer) {
  std::size_t done = 0;
  for (const auto& verdict : answer.items)
    if (verdict.kind == delivery::Verdict::Kind::done) ++done;
  return done;
}

TEST_CASE("Halves of a spoilt message go no further than the first that is not taken") {
  Called limited;
  limited.replies = {kSpoilt, kTaken, kLimited};
  const auto part = limited.send({"a", "b", "c", "d"});
  CHECK(limited.posted.size() == 3);
  CHECK(part.kind == delivery::Answer::Kind::each);
  REQUIRE(part.items.size() == 4);
  CHECK(taken(part) == 2);
  CHECK(part.items[2].kind == delivery::Verdict::Kind::unsent);
  CHECK(part.items[3].kind == delivery::Verdict::Kind::unsent);
  CHECK(part.pause == Duration::from_seconds(3));
  CHECK(part.message == "too many messages (429)");

  Called at_once;
  at_once.replies = {kSpoilt, kLimited};
  const auto none = at_once.send({"a", "b", "c", "d"});
  CHECK(at_once.posted.size() == 2);
  CHECK(none.kind == delivery::Answer::Kind::again);
  CHECK(none.pause == Duration::from_seconds(3));
  CHECK(none.message == "too many messages (429)");

  // The half of a half that is not taken without a pause ends the message, too.
  Called broken;
  broken.replies = {kSpoilt, kSpoilt, kTaken, kBroken};
  const auto quarter = broken.send({"a", "b", "c", "d", "e", "f", "g", "h"});
  CHECK(broken.posted.size() == 4);
  REQUIRE(quarter.items.size() == 8);
  CHECK(taken(quarter) == 2);
  CHECK(quarter.message == "it answers 500");
}

}  // namespace
}  // namespace streamd::discord
