// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/codec/support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::test;
using namespace std::string_literals;

TEST_CASE("JSON values keep their types") {
  const One r =
      json(R"({"s":"x","i":-5,"z":0,"n":null,"t":true,"f":false,"d":1.5,"e":2E3,"big":)"
           R"(18446744073709551615,"huge":18446744073709551616,"min":-9223372036854775808,)"
           R"("max":9223372036854775807,"o":{"k": [1]},"a":[1, 2],"":"no name"})",
           {"s", "i", "z", "n", "t", "f", "d", "e", "big", "huge", "min", "max", "o", "a", "",
            "absent"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:x");
  CHECK(r.at(0).text().data() == r.text->data() + 6);
  CHECK(r.at(1).as_int() == -5);
  CHECK(r.at(2).as_int() == 0);
  CHECK(r.at(3).is(Kind::null));
  CHECK(r.at(4).as_bool());
  CHECK_FALSE(r.at(5).as_bool());
  CHECK(r.at(6).as_double() == 1.5);
  CHECK(r.at(7).as_double() == 2000.0);
  CHECK(r.at(8).as_uint() == 18446744073709551615ull);
  CHECK(r.at(9).as_double() == 18446744073709551616.0);
  CHECK(r.at(10).as_int() == std::numeric_limits<std::int64_t>::min());
  CHECK(r.at(11).as_int() == std::numeric_limits<std::int64_t>::max());
  CHECK(r.show(12) == "json:{\"k\": [1]}");
  CHECK(r.show(13) == "json:[1, 2]");
  CHECK(r.show(14) == "string:no name");
  CHECK(r.at(15).is(Kind::missing));
}

TEST_CASE("Escapes in strings and keys are undone") {
  const One r =
      json(R"({"a":"\u00e9\ud83d\ude00\n\"\\\/","\u0062":"plain","c":"\ud800x","d":"\\"})",
           {"a", "b", "c", "d"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "string:\u00e9\U0001F600\n\"\\/");
  CHECK(r.show(1) == "string:plain");
  CHECK(r.show(2) == "string:\uFFFDx");
  CHECK(r.show(3) == "string:\\");
}

TEST_CASE("A dotted path descends, and a key with the dots wins") {
  const std::vector<std::string> fields = {"a.b", "a", "a.b.c", "x.y"};
  const One nested = json(R"({"a":{"z":1,"b":{"c":7}}})", fields);
  CHECK(nested.show(0) == "json:{\"c\":7}");
  CHECK(nested.show(1) == R"(json:{"z":1,"b":{"c":7}})");
  CHECK(nested.show(2) == "int:7");
  CHECK(nested.show(3) == "missing");
  CHECK(json(R"({"a.b":1,"a":{"b":2}})", fields).show(0) == "int:1");
  CHECK(json(R"({"a":{"b":2},"a.b":1})", fields).show(0) == "int:1");
  CHECK(json(R"({"a":{"b.c":3}})", fields).show(2) == "int:3");
  CHECK(json(R"({"a":5})", fields).show(0) == "missing");
}

TEST_CASE("The last of two equal keys counts") {
  CHECK(json(R"({"a":1,"a":2})", {"a"}).show(0) == "int:2");
  CHECK(json(R"({"a":{"b":1},"a":{"c":2}})", {"a.b"}).show(0) == "missing");
  CHECK(json(R"({"a":{"b":1},"a":null})", {"a.b"}).show(0) == "missing");
}

TEST_CASE("Keys in another order, new and absent keys are found") {
  const auto decoder = make_decoder({}, {"a", "b"});
  CHECK(decode_one(*decoder, R"({"a":1,"b":2})").show(1) == "int:2");
  CHECK(decode_one(*decoder, R"({"b":3,"x":0,"a":4})").show(0) == "int:4");
  CHECK(decode_one(*decoder, R"({"b":5})").show(0) == "missing");
  CHECK(decode_one(*decoder, R"({})").show(0) == "missing");
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    REQUIRE(decode_one(*decoder, "{\"k" + n + "\":0,\"a\":" + n + "}").show(0) == "int:" + n);
  }
}

TEST_CASE("Broken JSON is refused even where no field is taken") {
  for (const char* text : {"{",
                           "}",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":1,",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":[1,2}",
                           "{\"a\":[1,]}",
                           "{\"a\":{\"b\":1]}",
                           "{\"a\":{\"b\" 1}}",
                           "{\"a\":{1:2}}",
                           "{\"a\":tru}",
                           "{\"a\":nulL}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":-}",
                           "{\"a\":1e}",
                           "{\"a\":+1}",
                           "{\"a\":0x1}",
                           "{\"a\":NaN}",
                           "{\"a\":\"x}",
                           "{\"a\":\"\\q\"}",
                           "{\"a\":\"\\u12g4\"}",
                           "{\"a\":\"\\ud8\"}",
                           "{\"a\":1}}",
                           "{\"a\":1} x",
                           "{\"a\":1}{\"a\":2}",
                           "{\"a\":\"x\"y}",
                           "{\"a\":\"x\"\\}",
                           "{\"a\":'x'}",
                           "{\"a\":1]",
                           "[1]",
                           "\"x\"",
                           "1",
                           "null",
                           "{,}",
                           "{\"a\":,}",
                           "{\"a\"::1}",
                           "{\"a\":{},,\"b\":1}",
                           "{\"a\":1\f}",
                           "{\"\\q\":1}",
                           "\xEF\xBB\xBF{}"}) {
    const One r = json(text, {"z"});
    INFO(text << " gave " << r.reason());
    CHECK(r.code() == "bad-json");
    CHECK_FALSE(r.reason().empty());
    CHECK(r.out.columns[0]->empty());
  }
}

TEST_CASE("White space of every kind is allowed between tokens") {
  const One r = json("\r\n{ \"a\" :\t1 ,\n \"b\" : \"x\" , \"c\" : [ ] , \"d\" : { } }\r\n",
                     {"a", "b", "c", "d"});
  REQUIRE(r.good());
  CHECK(r.show(0) == "int:1");
  CHECK(r.show(1) == "string:x");
  CHECK(r.show(2) == "json:[ ]");
  CHECK(r.show(3) == "json:{ }");
}

TEST_CASE("Reasons name the code and the byte") {
  CHECK(json("", {"a"}).code() == "empty");
  CHECK(json("  \n", {"a"}).code() == "empty");
  CHECK(json("{\"a\":\"x\0y\"}"s, {"a"}).code() == "bad-json");
  CHECK(json("{\"a\":\"x\0y\"}"s, {"a"}).reason() ==
        "control character 0x00 in a string at byte 7");
  const One utf8 = json("{\"a\":\"caf\xE9\"}", {"b"});
  CHECK(utf8.code() == "bad-utf8");
  CHECK(utf8.reason() == "no UTF-8 at byte 9");
  CHECK(json(R"({"a":1 "b":2})", {}).reason() == "expected \",\" or \"}\" at byte 7");
  CHECK(json(R"({"a":1} x)", {}).reason() == "something follows the object at byte 8");
  CHECK(json(R"({"a":[1,2)", {}).reason() == "the text ends too early, at byte 9");
  CHECK(json(R"({"a":"x)", {}).reason() == "the string that begins at byte 5 has no end");
}

TEST_CASE("A thousand levels are enough, more are refused") {
  const auto nested = [](std::size_t n) {
    return "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}";
  };
  CHECK(json(nested(1000), {"a"}).good());
  CHECK(json(nested(1025), {"a"}).code() == "bad-json");
  CHECK(json("{\"a\":" + std::string(200'000, '['), {"a"}).code() == "bad-json");
}

TEST_CASE("A bad record takes no row, faults and tombstones give nothing") {
  const std::string good = R"({"a":1})", broken = R"({"a":2,"b"})", last = R"({"b":3})";
  RawBatch in;
  in.records = {{good}, {broken}, {"", 0, {}, true, {}}, {good, 0, {}, false, "too-long"}, {last}};
  Decoded out;
  const auto decoder = make_decoder({}, {"a"});
  decoder->decode(in, out);
  decoder->decode(in, out);
  CHECK(out.records == std::vector<std::uint32_t>{0, 4});
  REQUIRE(out.columns.at(0)->size() == 2);
  CHECK(out.columns[0]->at(0).as_int() == 1);
  CHECK(out.columns[0]->at(1).is(Kind::missing));
  REQUIRE(out.bad.size() == 1);
  CHECK(out.bad[0].record == 1);
}

TEST_CASE("Records of every length around the vector width decode, with nothing behind them") {
  for (std::size_t n = 0; n < 300; ++n) {
    const std::string text = "{\"a\":\"" + std::string(n, 'x') + "\",\"b\":12}";
    const auto exact = std::make_unique<char[]>(text.size());
    text.copy(exact.get(), text.size());
    RawBatch in;
    in.records.push_back({{exact.get(), text.size()}});
    Decoded out;
    make_decoder({}, {"a", "b"})->decode(in, out);
    REQUIRE(out.records.size() == 1);
    REQUIRE(out.columns[0]->at(0).size() == n);
    REQUIRE(out.columns[1]->at(0).as_int() == 12);
  }
}

TEST_CASE("The same field may be asked for twice") {
  const One r = json(R"({"a":1})", {"a", "a"});
  CHECK(r.show(0) == "int:1");
  CHECK(r.show(1) == "int:1");
}

TEST_CASE("Text lines are the field message") {
  const auto decoder = make_decoder({DecodeConfig::Kind::text, ""}, {"message", "other"});
  const One r = decode_one(*decoder, "hello \u00e9");
  CHECK(r.show(0) == "string:hello \u00e9");
  CHECK(r.show(1) == "missing");
  CHECK(decode_one(*decoder, "caf\xE9").code() == "bad-utf8");
  CHECK(decode_one(*decoder, "").good());
  const Schema schema = decoded_schema({DecodeConfig::Kind::text, ""});
  CHECK_FALSE(schema.open);
  REQUIRE(schema.fields.size() == 1);
  CHECK(schema.fields[0].type == Type::string);
}

namespace {

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.place.line = 3;
  node.text = std::move(text);
  return node;
}
ConfigNode access_log_node(std::string format) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  node.entries.emplace_back(scalar("access_log"), scalar(std::move(format)));
  return node;
}

}  // namespace

TEST_CASE("decode: is read from its three forms") {
  using Field = FieldType<DecodeConfig>;
  Diagnostics problems;
  DecodeConfig config;
  REQUIRE(Field::read(scalar("text"), config, problems));
  CHECK(config.kind == DecodeConfig::Kind::text);
  REQUIRE(Field::read(scalar("json"), config, problems));
  CHECK(Field::show(config) == "json");
  REQUIRE(Field::read(access_log_node("combined"), config, problems));
  CHECK(Field::show(config) == "{access_log: combined}");
  REQUIRE(Field::read(access_log_node("$remote_addr $status"), config, problems));
  CHECK(Field::show(config) == "{access_log: \"$remote_addr $status\"}");
  CHECK(problems.errors() == 0);
  CHECK(Field::json_schema().find("access_log") != std::string::npos);

  for (const char* format : {"combine", "$a$b", "${a", "$ x", "", "x $"}) {
    const std::size_t before = problems.errors();
    CHECK_FALSE(Field::read(access_log_node(format), config, problems));
    CHECK(problems.errors() == before + 1);
  }
  CHECK_FALSE(Field::read(scalar("xml"), config, problems));
  CHECK_FALSE(Field::read(scalar("access_log"), config, problems));
  CHECK_FALSE(Field::read(ConfigNode{}, config, problems));
}
