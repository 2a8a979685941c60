// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/echo.h"

#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::http;

namespace {

std::string after(const Request& request, std::string text, const Url* proxy = nullptr) {
  hide_echo(request, proxy, text);
  return text;
}

}  // namespace

TEST_CASE("what an answer repeats of a request's credentials is hidden") {
  Request request;
  request.url =
      *Url::parse("https://me:pa%2Fss@h/api/webhooks/11/a-long-secret-token?key=another-long-one");
  request.headers.set("Authorization", "Bearer sesame-open");
  request.headers.set("X-Token", "tok en");
  CHECK(after(request, "Cannot POST /api/webhooks/11/a-long-secret-token?key=another-long-one") ==
        "Cannot POST /api/webhooks/11/***?key=***");
  CHECK(after(request, "you sent Authorization: Bearer sesame-open and X-Token: tok en") ==
        "you sent Authorization: *** and X-Token: ***");
  CHECK(after(request, "the token sesame-open is unknown") == "the token *** is unknown");
  CHECK(after(request, "pa/ss pa%2Fss tok%20en") == "*** *** ***");
}

TEST_CASE("a proxy repeats its own credentials, and nobody sees them") {
  const Url proxy = *Url::parse("http://me:sesame@proxy:3128");
  CHECK(after({}, "Proxy-Authorization: Basic bWU6c2VzYW1l is wrong for me: sesame", &proxy) ==
        "Proxy-Authorization: Basic *** is wrong for me: ***");
}

TEST_CASE("a short value in the query is a secret, a short part of the path is a word") {
  Request request;
  request.url = *Url::parse("https://h/webhooks/alerts?refresh=true&key=hunter2&next");
  CHECK(after(request, "no such page: /webhooks/alerts?refresh=true&key=hunter2&next") ==
        "no such page: /webhooks/alerts?refresh=true&key=***&next");
  request.url = *Url::parse("https://h/?key=hunter2=/x");
  CHECK(after(request, "?key=hunter2=/x") == "?key=***");
}

TEST_CASE("words of an answer that say what is wrong stay") {
  Request request;
  request.url = *Url::parse("https://h/_bulk?refresh=true");
  request.headers.set("Content-Type", "application/json");
  request.headers.set("User-Agent", "streamd");
  request.headers.set("X-Team", "red");
  const std::string words = "streamd: _bulk with refresh=true wants application/json, team red";
  CHECK(after(request, words) == words);
  CHECK(after(Request{}, words) == words);
}
