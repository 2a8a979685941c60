// SPDX-License-Identifier: Apache-2.0
#include "sinks/http_answer.h"

#include "tests/support/catch.h"

namespace streamd {
namespace {

using Kind = delivery::Answer::Kind;

std::optional<delivery::Answer> answer(int status) {
  http::Response response;
  response.status = status;
  return usual_answer(response, "its words");
}

TEST_CASE("A status means the same for every service, where it can") {
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 520, 599})
    CHECK(answer(status)->kind == Kind::again);
  for (const int status : {401, 403}) CHECK(answer(status)->kind == Kind::blocked);
  CHECK(answer(413)->kind == Kind::split);
  for (const int status : {200, 204, 301, 400, 404, 409, 422, 501}) CHECK_FALSE(answer(status));
  CHECK(answer(503)->message == "it answers 503: its words");
}

TEST_CASE("Retry-After is kept to") {
  http::Response response;
  response.status = 429;
  response.retry_after = Duration::from_seconds(7);
  CHECK(usual_answer(response, "")->pause == Duration::from_seconds(7));
}

TEST_CASE("Without a response time may heal it, or a person has to") {
  Error error{ErrorKind::external, Retry::backoff, "connection refused", "hint"};
  CHECK(no_response(error).kind == Kind::again);
  error.retry = Retry::never;
  const auto blocked = no_response(error);
  CHECK(blocked.kind == Kind::blocked);
  CHECK(blocked.message == "connection refused");
  CHECK(blocked.hint == "hint");
}

TEST_CASE("What comes from outside is shown on one line, without control characters") {
  CHECK(excerpt("  a\r\n\tb\x1b[31mc ") == "a b [31mc");
  CHECK(excerpt("") == "");
  CHECK(excerpt("\n\n") == "");
  CHECK(excerpt("<html><HEAD><Title>502 Bad Gateway</title>") == "a web page 502 Bad Gateway");
  CHECK(excerpt("<html>") == "a web page");
  CHECK(excerpt(std::string(1000, 'x')).size() < 310);
}

}  // namespace
}  // namespace streamd
