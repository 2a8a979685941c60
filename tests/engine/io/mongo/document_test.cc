// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/document.h"

#include "tests/support/catch.h"

#include <bson/bson.h>

#include <string>

namespace streamd::mongo {
namespace {

constexpr auto kFlags =
    static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL);

// In canonical extended JSON, which names every type.
std::string shown(std::string_view bytes) {
  bson_t bson;
  REQUIRE(
      bson_init_static(&bson, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  REQUIRE(bson_validate(&bson, kFlags, nullptr));
  std::size_t size = 0;
  char* text = bson_as_canonical_extended_json(&bson, &size);
  REQUIRE(text != nullptr);
  std::string out(text, size);
  bson_free(text);
  return out;
}

std::string converted(std::string_view json, const DocumentRules& rules = {}) {
  std::string out;
  const auto fault = append_document(json, "1", rules, out);
  INFO(json << ": " << (fault ? fault->reason : ""));
  REQUIRE_FALSE(fault);
  return shown(out);
}

std::string fault_of(std::string_view json, const DocumentRules& rules = {}) {
  std::string out;
  const auto fault = append_document(json, "1", rules, out);
  return fault ? fault->code : "none";
}

std::string value(std::string_view json, const DocumentRules& rules = {}) {
  const std::string whole = converted(R"({"v":)" + std::string(json) + "}", rules);
  const std::string before = R"({ "_id" : "1", "v" : )";
  REQUIRE(whole.starts_with(before));
  return whole.substr(before.size(), whole.size() - before.size() - 2);
}

TEST_CASE("The id stands first, and a record's own gives way to it") {
  CHECK(converted("{}") == R"({ "_id" : "1" })");
  CHECK(converted(R"( {"a":"x","_id":7} )") == R"({ "_id" : "1", "a" : "x" })");
  CHECK(converted(R"({"_id":{"_id":1},"b":{"_id":"kept"}})") ==
        R"({ "_id" : "1", "b" : { "_id" : "kept" } })");
}

TEST_CASE("Whole numbers are int64 whatever their size, and text beyond it") {
  CHECK(value("0") == R"({ "$numberLong" : "0" })");
  CHECK(value("-1") == R"({ "$numberLong" : "-1" })");
  CHECK(value("9223372036854775807") == R"({ "$numberLong" : "9223372036854775807" })");
  CHECK(value("-9223372036854775808") == R"({ "$numberLong" : "-9223372036854775808" })");
  CHECK(value("9223372036854775808") == R"("9223372036854775808")");
  CHECK(value("-9223372036854775809") == R"("-9223372036854775809")");
  CHECK(value("123456789012345678901234567890") == R"("123456789012345678901234567890")");
}

TEST_CASE("Numbers with a point or an exponent are double, and text beyond it") {
  CHECK(value("1.5") == R"({ "$numberDouble" : "1.5" })");
  CHECK(value("2.0") == R"({ "$numberDouble" : "2.0" })");
  CHECK(value("1e3") == R"({ "$numberDouble" : "1000.0" })");
  CHECK(value("-1E-2") == R"({ "$numberDouble" : "-0.010000000000000000208" })");
  CHECK(value("1e999") == R"("1e999")");
}

TEST_CASE("Other values keep their types") {
  CHECK(value("true") == "true");
  CHECK(value("false") == "false");
  CHECK(value("null") == "null");
  CHECK(value(R"("ä\n\u00e9\ud83d\ude00\u0000z")") == "\"ä\\né😀\\u0000z\"");
  CHECK(value("[]") == "[  ]");
  CHECK(value("{}") == "{  }");
  CHECK(value(R"([1.5,[null],{"a":[]}])") ==
        R"([ { "$numberDouble" : "1.5" }, [ null ], { "a" : [  ] } ])");
}

TEST_CASE("A lone half of a surrogate pair becomes the replacement character") {
  CHECK(value(R"("\ud800")") == "\"\xEF\xBF\xBD\"");
  CHECK(value(R"("\ud800x")") == "\"\xEF\xBF\xBDx\"");
  CHECK(value(R"("\ud800\u0041")") ==
        "\"\xEF\xBF\xBD"
        "A\"");
  CHECK(value(R"("\udc00")") == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("What looks like another type is an object with an odd key") {
  CHECK(value(R"({"$oid":"507f1f77bcf86cd799439011"})") ==
        "{ \"＄oid\" : \"507f1f77bcf86cd799439011\" }");
  CHECK(value(R"({"$date":"2020-01-01T00:00:00Z"})") ==
        "{ \"＄date\" : \"2020-01-01T00:00:00Z\" }");
  CHECK(value(R"({"\u0024where":"1"})") == "{ \"＄where\" : \"1\" }");
}

TEST_CASE("Dots and leading dollar signs are escaped in every key, or refused") {
  CHECK(converted(R"({"a.b":"x","$c":"y","d$":"z","":"e"})") ==
        R"({ "_id" : "1", "a．b" : "x", "＄c" : "y", "d$" : "z", "" : "e" })");
  const DocumentRules strict{BadKeys::reject, {}};
  CHECK(fault_of(R"({"a.b":1})", strict) == "bad-key");
  CHECK(fault_of(R"({"x":[{"$c":1}]})", strict) == "bad-key");
  CHECK(fault_of(R"({"d$":1})", strict) == "none");
}

TEST_CASE("A NUL in a key is refused, as BSON can't hold it") {
  CHECK(fault_of(R"({"a\u0000b":1})") == "bad-key");
  CHECK(fault_of(R"({"a":{"\u0000":1}})") == "bad-key");
}

TEST_CASE("Of a repeated key the last one counts, at any depth and number") {
  CHECK(converted(R"({"a":"1","b":"2","a":"3"})") == R"({ "_id" : "1", "b" : "2", "a" : "3" })");
  CHECK(value(R"({"a":{"x":"1"},"a":{"y":"2","y":"3"}})") == R"({ "a" : { "y" : "3" } })");
  // What is the same only behind the escape.
  CHECK(converted(R"({"a.b":"1","a．b":"2"})") == R"({ "_id" : "1", "a．b" : "2" })");
  std::string many = "{";
  for (int i = 0; i < 100; ++i)
    many += R"("k)" + std::to_string(i % 40) + R"(":")" + std::to_string(i) + "\",";
  many.back() = '}';
  const std::string got = converted(many);
  CHECK(got.starts_with(R"({ "_id" : "1", "k20" : "60", "k21" : "61",)"));
  CHECK(got.find(R"("k0" : "80")") != std::string::npos);
  CHECK(got.find(R"("0")") == std::string::npos);
}

TEST_CASE("Text at a path of dates becomes a date in milliseconds, cut towards the past") {
  const DocumentRules rules{BadKeys::escape, {{"v", true}, {"e.at", true}, {"list", true}}};
  CHECK(value(R"("1970-01-01T00:00:01.234567Z")", rules) ==
        R"({ "$date" : { "$numberLong" : "1234" } })");
  CHECK(value(R"("1969-12-31T23:59:59.999900Z")", rules) ==
        R"({ "$date" : { "$numberLong" : "-1" } })");
  CHECK(value("null", rules) == "null");
  CHECK(converted(R"({"e":{"at":"1970-01-01T00:00:00Z"},"at":"1970-01-01T00:00:00Z"})", rules) ==
        R"({ "_id" : "1", "e" : { "at" : { "$date" : { "$numberLong" : "0" } } },)"
        R"( "at" : "1970-01-01T00:00:00Z" })");
  CHECK(converted(R"({"e.at":"1970-01-01T00:00:00Z"})", rules) ==
        "{ \"_id\" : \"1\", \"e．at\" : { \"$date\" : { \"$numberLong\" : \"0\" } } }");
  CHECK(converted(R"({"list":["1970-01-01T00:00:00+01:00"]})", rules) ==
        R"({ "_id" : "1", "list" : [ { "$date" : { "$numberLong" : "-3600000" } } ] })");
}

TEST_CASE("What is no date at a path of dates is refused where the user named it, else kept") {
  const DocumentRules named{BadKeys::escape, {{"v", true}}};
  for (const char* json : {R"({"v":"yesterday"})", R"({"v":""})", R"({"v":1700000000})",
                           R"({"v":{"$date":"2020-01-01T00:00:00Z"}})", R"({"v":true})"})
    CHECK(fault_of(json, named) == "bad-time");
  const DocumentRules known{BadKeys::escape, {{"v", false}}};
  CHECK(value(R"("+12345-01-01T00:00:00Z")", known) == R"("+12345-01-01T00:00:00Z")");
  CHECK(value("7", known) == R"({ "$numberLong" : "7" })");
}

TEST_CASE("Text that is no JSON object is refused") {
  for (const char* json : {"",
                           " ",
                           "null",
                           "[]",
                           "1",
                           "\"a\"",
                           "{",
                           "}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":1}x",
                           "{\"a\":1}{}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":-}",
                           "{\"a\":1e}",
                           "{\"a\":+1}",
                           "{\"a\":nul}",
                           "{\"a\":tru}",
                           "{\"a\":NaN}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1}",
                           "{\"a\":\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\\u-123\"}",
                           "{\"a\":\"\\ud800\\u12\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\n\n\"}",
                           "{\"a\" 1}",
                           "{,}",
                           "{\"a\":1 \"b\":2}"}) {
    INFO(json);
    CHECK(fault_of(json) == "bad-json");
  }
}

TEST_CASE("Bytes that are no UTF-8 are refused wherever they stand") {
  CHECK(fault_of("{\"a\":\"\xff\"}") == "bad-utf8");
  CHECK(fault_of("{\"\xc0\x80\":1}") == "bad-utf8");
  CHECK(fault_of("{\"a\":\"\xed\xa0\x80\"}") == "bad-utf8");
}

TEST_CASE("A document may be nested as deep as the server takes it, and not deeper") {
  const auto nested = [](int levels) {
    std::string json = R"({"a":)";
    for (int i = 1; i < levels; ++i) json += '[';
    json += '1';
    for (int i = 1; i < levels; ++i) json += ']';
    return json + '}';
  };
  CHECK(fault_of(nested(kDeepestDocument)) == "none");
  CHECK(fault_of(nested(kDeepestDocument + 1)) == "too-deep");
  CHECK(fault_of(nested(100'000)) == "too-deep");
}

TEST_CASE("A document may be as large as the server takes it, and not larger") {
  // {_id: "1", a: "…"} is 4 + (1+4+4+2) + (1+2+4+text+1) + 1 bytes.
  const std::size_t most = kLargestDocument - 24;
  const auto of = [](std::size_t size) { return R"({"a":")" + std::string(size, 'x') + "\"}"; };
  CHECK(fault_of(of(most)) == "none");
  CHECK(fault_of(of(most + 1)) == "too-large");
  CHECK(fault_of(of(2 * most)) == "too-large");
  CHECK(fault_of(R"({"b":)" + of(most) + R"(,"c":1})") == "too-large");
}

TEST_CASE("A document is appended to what is there") {
  std::string out = "before";
  REQUIRE_FALSE(append_document(R"({"a":"x"})", "id", {}, out));
  CHECK(out.starts_with("before"));
  CHECK(shown(std::string_view(out).substr(6)) == R"({ "_id" : "id", "a" : "x" })");
}

}  // namespace
}  // namespace streamd::mongo
