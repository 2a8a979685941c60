// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/protocol.h"

#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::control;

TEST_CASE("a request comes back as it was written, whatever its values hold", "[control]") {
  const Request request{"tap",
                        {{"node", "busy"}, {"where", "a == 'x=\"\\n\"'\n&& b"}, {"limit", ""}}};
  const std::string bytes = encode(request);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto part = parse_request(bytes.substr(0, n));
    REQUIRE(part);
    CHECK_FALSE(*part);
  }
  const auto whole = parse_request(bytes);
  REQUIRE(whole);
  REQUIRE(*whole);
  CHECK((*whole)->verb == "tap");
  CHECK((*whole)->values == request.values);
  CHECK((*whole)->get("where") == request.values[1].second);
  CHECK((*whole)->get("nothing").empty());
}

TEST_CASE("what is no request is refused with a reason", "[control]") {
  const auto why = [](const std::string& bytes) {
    const auto parsed = parse_request(bytes);
    return parsed ? std::string("accepted") : parsed.error().message;
  };
  using namespace std::string_literals;
  CHECK(why("GET / HTTP/1.1\r\n") == "this is no request that this version of streamd understands");
  CHECK(why("streamd/2\0tap\0\0"s) ==
        "this is no request that this version of streamd understands");
  CHECK(why("\0"s) == "this is no request that this version of streamd understands");
  CHECK(why("streamd/1\0\0"s) == "the request asks for nothing");
  CHECK(why("streamd/1\0tap\0node\0\0"s) == "a word of the request has no value");
  CHECK(why("streamd/1\0tap\0"s + std::string(kMaxRequestBytes, 'x')) == "the request is too long");
  std::string many = "streamd/1\0tap\0"s;
  for (std::size_t i = 0; i < kMaxRequestWords; ++i) many += "a=b\0"s;
  CHECK(why(many + '\0') == "the request has too many words");
}

TEST_CASE("an answer is the lines that were put in, with their kinds and the exit code last",
          "[control]") {
  Answer answer;
  answer.out("one\ntwo");
  answer.err("error: wrong\n  = help: right\n");
  answer.finish(2);
  answer.finish(0);
  CHECK(answer.finished());
  AnswerLines lines;
  std::string seen;
  for (const char c : answer.bytes()) {  // byte by byte, as a slow process might say it
    lines.add({&c, 1});
    while (const auto line = lines.next()) seen += line->kind + ("[" + line->text + "]");
  }
  CHECK(seen == "o[one two]e[error: wrong]e[  = help: right]x[2]");
}
