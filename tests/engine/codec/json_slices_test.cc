// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_slices.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

std::vector<std::string> items(std::string_view text) {
  std::vector<std::string_view> slices;
  if (!slice_json(text, slices)) return {"(refused)"};
  return {slices.begin(), slices.end()};
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("A JSON array is cut into its items as they are written") {
  CHECK(items("[]") == Texts{});
  CHECK(items(" [ ] ") == Texts{});
  CHECK(items(R"([{"a":1}, {"b":[2,3]} ,"x,]" , 4,null,[ ]])") ==
        Texts{R"({"a":1})", R"({"b":[2,3]})", R"("x,]")", "4", "null", "[ ]"});
  CHECK(items("[\n {\"a\": \"\\\"}\"},\n {}\n]\n") == Texts{"{\"a\": \"\\\"}\"}", "{}"});
}

TEST_CASE("A JSON object is the one record of its text") {
  CHECK(items(" {\"a\": [1]}\r\n") == Texts{"{\"a\": [1]}"});
}

TEST_CASE("Text that ends early or is something else gives no records") {
  for (const char* text :
       {"",          " ",     "[",      "[{\"a\":1}", "[{\"a\":1},", "[{\"a\":1},]",
        "[1 2]",     "[\"x]", "[\"x\\", "{",          "{\"a\"",      "{\"a\":1",
        "{\"a\":1,", "{a:1}", "3",      "\"text\"",   "null",        "<html>",
        "]",         "}",     "[,1]",   "[1] 2",      "[]\n[3]",     "[]]",
        "{}{}",      "{} x"}) {
    INFO(text);
    CHECK(items(text) == Texts{"(refused)"});
  }
}

TEST_CASE("A refused text leaves what was cut before") {
  std::vector<std::string_view> slices{"before"};
  CHECK(!slice_json("[1,2", slices));
  CHECK(slices == std::vector<std::string_view>{"before"});
}

TEST_CASE("A value is found by the keys on the way to it") {
  const std::string_view text = R"( {"a":{"b":[1]},"a.b":2,"\u0063":{"d":"x"},"e":1,"e":2} )";
  CHECK(find_json(text, "a.b") == "[1]");
  CHECK(find_json(text, "a") == R"({"b":[1]})");
  CHECK(find_json(text, "c.d") == "\"x\"");
  CHECK(find_json(text, "e") == "2");
  CHECK(find_json(text, "") == text.substr(1, text.size() - 2));
  for (const char* path : {"b", "a.c", "a.b.c", "e.f", ".", "a."}) CHECK(!find_json(text, path));
  CHECK(!find_json(R"({"a":1)", "a"));
  CHECK(!find_json("[1]", "a"));
  CHECK(!find_json(R"({"a":1} {"a":2})", "a"));
  CHECK(!find_json("", "a"));
}

TEST_CASE("Scalars of JSON are read as plain text") {
  CHECK(json_scalar_text(R"( "a\"\u00e9\n" )") == "a\"\xC3\xA9\n");
  CHECK(json_scalar_text("\"\"") == "");
  CHECK(json_scalar_text("-1.5e3") == "-1.5e3");
  CHECK(json_scalar_text("true") == "true");
  for (const char* text : {"", "null", "{}", "[]", "\"", "\"\\\"", "\"\\x\"", "nonsense", "1x"})
    CHECK(!json_scalar_text(text));
}
