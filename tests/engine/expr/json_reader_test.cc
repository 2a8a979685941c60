// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/json_reader.h"

#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

#include <string>

using namespace streamd;

TEST_CASE("JSON becomes values") {
  Arena arena;
  CHECK(expr_test::shown(expr::read_json(R"( {"a":[1,-2.5,"x\u00e9\n",null,true]} )", arena)) ==
        "map {\"a\":[1,-2.5,\"x\xC3\xA9\\n\",null,true]}");
  CHECK(expr::read_json("9223372036854775808", arena).is(Kind::uint64));
  CHECK(expr::read_json("18446744073709551616", arena).is(Kind::float64));
  CHECK(expr::read_json("1e2", arena).is(Kind::float64));
  CHECK(expr::read_json(R"("\ud83d\ude00")", arena).text() == "\xF0\x9F\x98\x80");
}

TEST_CASE("broken JSON is an error value") {
  Arena arena;
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "-", "nul", "\"a",
                           "\"\\x\"", "\"\\ud800\"", "[1] 2", "\"\n\"", "+1", "1e", "{\"a\":1,}"}) {
    INFO(text);
    CHECK(expr::read_json(text, arena).is(Kind::error));
  }
  CHECK(expr::read_json(std::string(100000, '['), arena).is(Kind::error));
}
