// SPDX-License-Identifier: Apache-2.0
#include "sinks/discord/webhook.h"

#include "tests/support/catch.h"

namespace streamd::discord {
namespace {

Result<http::Url> address(const std::string& text, const std::string& thread = "") {
  return webhook_url(http::Url::parse(text).value(), thread);
}

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

}  // namespace
}  // namespace streamd::discord
