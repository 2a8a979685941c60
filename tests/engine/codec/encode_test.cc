// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"

#include "tests/support/catch.h"

#include <cmath>
#include <limits>

using namespace streamd;
using namespace std::string_literals;

namespace {

std::string shown(const Value& value, TimeStyle style = TimeStyle::rfc3339) {
  std::string out;
  append_json(value, out, style);
  return out;
}

// A batch of one row; columns one value each.
Batch row(const std::vector<Value>& values, std::string_view raw) {
  auto rows = std::make_shared<Rows>();
  rows->time = {{0}};
  rows->floor = {EventTime::min()};
  rows->position = {0};
  if (!raw.empty()) rows->raw = {raw};
  std::vector<ColumnPtr> columns;
  for (const Value& value : values) columns.push_back(std::make_shared<Column>(Column{value}));
  return Batch(rows, columns, std::make_shared<Origin>());
}

Field field(std::string name, bool derived = false) {
  return {std::move(name), Type::any, derived};
}

std::string encoded(const Schema& schema, const std::vector<Value>& values,
                    std::string_view raw = {}) {
  std::string out;
  JsonEncoder(schema).append(row(values, raw), 0, out);
  return out;
}

}  // namespace

TEST_CASE("Values of every kind have a JSON form") {
  CHECK(shown(Value::null()) == "null");
  CHECK(shown(Value::boolean(true)) == "true");
  CHECK(shown(Value::int64(-5)) == "-5");
  CHECK(shown(Value::uint64(std::numeric_limits<std::uint64_t>::max())) == "18446744073709551615");
  CHECK(shown(Value::float64(0.1)) == "0.1");
  CHECK(shown(Value::float64(2)) == "2.0");
  CHECK(shown(Value::float64(-0.0)) == "-0.0");
  CHECK(shown(Value::float64(1e300)) == "1e+300");
  CHECK(shown(Value::float64(std::nan(""))) == "null");
  CHECK(shown(Value::float64(-INFINITY)) == "null");
  CHECK(shown(Value::timestamp({1704161045250000})) == "\"2024-01-02T02:04:05.25Z\"");
  CHECK(shown(Value::timestamp({1704161045250000}), TimeStyle::unix) == "1704161045.25");
  CHECK(shown(Value::duration(1'500'000'000)) == "\"1.5s\"");
  CHECK(shown(Value::duration(-250'000'000)) == "\"-0.25s\"");
  CHECK(shown(Value::duration(0)) == "\"0s\"");
  CHECK(shown(Value::duration(std::numeric_limits<std::int64_t>::min())) ==
        "\"-9223372036.854775808s\"");
  CHECK(shown(Value::bytes("\0\xFFx"s)) == "\"AP94\"");
  CHECK(shown(Value::bytes("a")) == "\"YQ==\"");
  CHECK(shown(Value::bytes("ab")) == "\"YWI=\"");
  CHECK(shown(Value::json("[1,\n 2]")) == "[1, 2]");
}

TEST_CASE("Addresses are written in their usual form") {
  CHECK(shown(Value::ip("\xC0\x00\x02\x01"s)) == "\"192.0.2.1\"");
  CHECK(shown(Value::ip(std::string(16, '\0'))) == "\"::\"");
  CHECK(shown(Value::ip(std::string(15, '\0') + '\1')) == "\"::1\"");
  CHECK(shown(Value::ip("\x20\x01\x0d\xb8\0\0\0\0\0\x01\0\0\0\0\0\x01"s)) ==
        "\"2001:db8::1:0:0:1\"");
  CHECK(shown(Value::ip("\x20\x01\x0d\xb8\0\0\0\x01\0\x01\0\x01\0\x01\0\x01"s)) ==
        "\"2001:db8:0:1:1:1:1:1\"");
  CHECK(shown(Value::ip("\xfe\x80"s + std::string(14, '\0'))) == "\"fe80::\"");
  CHECK(shown(Value::cidr("\x0A\0\0\0\x08"s)) == "\"10.0.0.0/8\"");
}

TEST_CASE("Strings are escaped where they must be and nowhere else") {
  CHECK(shown(Value::string("")) == "\"\"");
  CHECK(shown(Value::string("a\"b\\c/d\n\t\x01\x7F\u00e9"s)) ==
        "\"a\\\"b\\\\c/d\\n\\t\\u0001\x7F\u00e9\"");
  CHECK(shown(Value::string("\0"s)) == "\"\\u0000\"");
  for (std::size_t n = 0; n < 70; ++n) {
    const std::string text = std::string(n, 'x') + "\"" + std::string(n, '\xC3');
    CHECK(shown(Value::string(text)) ==
          "\"" + std::string(n, 'x') + "\\\"" + std::string(n, '\xC3') + "\"");
  }
}

TEST_CASE("Lists and maps nest") {
  const Value items[] = {Value::int64(1), Value::missing(), Value::string("x")};
  const Value list = Value::list(items, 3);
  CHECK(shown(list) == "[1,null,\"x\"]");
  const Value pairs[] = {Value::string("a\""), list, Value::int64(7), Value::null()};
  CHECK(shown(Value::map(pairs, 2)) == R"({"a\"":[1,null,"x"],"7":null})");
  CHECK(shown(Value::list(nullptr, 0)) == "[]");
}

TEST_CASE("Closed records are written from their columns, without missing ones") {
  const Schema schema{{field("a"), field("b\""), field("c"), field("d")}, false, {}};
  CHECK(encoded(schema, {Value::int64(1), Value::null(), Value::missing(), Value::string("x")}) ==
        R"({"a":1,"b\"":null,"d":"x"})");
  CHECK(encoded(schema, {Value(), Value(), Value(), Value()}) == "{}");
}

TEST_CASE("Unchanged records are copied, on one line") {
  const Schema schema{{field("a")}, true, {}};
  CHECK(encoded(schema, {Value::int64(9)}, R"({ "a": 1.0, "b":[ 2 ] })") ==
        R"({ "a": 1.0, "b":[ 2 ] })");
  CHECK(encoded(schema, {Value()}, "{\r\n  \"a\": 1,\n\n  \"b\\n\": 2\n}") ==
        "{  \"a\": 1,  \"b\\n\": 2}");
}

TEST_CASE("Changed records keep the other members byte for byte") {
  const Schema schema{{field("status", true), field("host"), field("new", true)}, true, {"secret"}};
  const std::string_view raw =
      R"({"host" : "h\u0041" , "status":"200","x":{"status":"1","s":"a}b\"]"},"secret":[1,{"}":2}], "n":1e5})";
  CHECK(encoded(schema, {Value::int64(200), Value::string("hA"), Value::missing()}, raw) ==
        R"({"host" : "h\u0041","x":{"status":"1","s":"a}b\"]"},"n":1e5,"status":200})");
  CHECK(encoded(schema, {Value::missing(), Value(), Value::boolean(true)}, raw) ==
        R"({"host" : "h\u0041","x":{"status":"1","s":"a}b\"]"},"n":1e5,"new":true})");
  CHECK(encoded(schema, {Value::int64(1), Value(), Value()}, "{}") == R"({"status":1})");
  CHECK(encoded(schema, {Value::int64(1), Value(), Value()}, R"({"st\u0061tus":2})") ==
        R"({"status":1})");
  CHECK(encoded(schema, {Value(), Value(), Value()}, "{\n\"x\":[1,\n2]\n}") == R"({"x":[1,2]})");
}

TEST_CASE("Fields inside objects are replaced and removed there") {
  const Schema schema{{field("a.b", true), field("q.r", true)}, true, {"a.gone", "h.i.j"}};
  CHECK(encoded(schema, {Value::int64(7), Value::int64(8)},
                R"({"a":{"x":1,"b":"old","gone":2,"b":"twice"},"h":{"i":{"j":1,"k":2}}})") ==
        R"({"a":{"x":1,"b":7},"h":{"i":{"k":2}},"q.r":8})");
  CHECK(encoded(schema, {Value::int64(7), Value()}, R"({"a.b":1,"a":5})") == R"({"a":5,"a.b":7})");
  CHECK(encoded(schema, {Value(), Value()}, R"({"a":{"b":1}})") == R"({"a":{}})");
}

TEST_CASE("Broken raw bytes never break the encoder") {
  const Schema schema{{field("s", true)}, true, {"h.i"}};
  for (const char* raw : {"", "{", "[1]", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"h\":{\"i",
                          "{\"a\":\"x\\", "{\"a\":1,", "{\"a\":1 \"b\":2}", "{:}", "x"}) {
    const std::string out = encoded(schema, {Value::int64(1)}, raw);
    INFO(raw << " gave " << out);
    CHECK(out.front() == '{');
    CHECK(out.find("\"s\":1}") != std::string::npos);
  }
}

TEST_CASE("CSV quotes as RFC 4180 says") {
  const Schema schema{{field("a"), field("b,c"), field("d"), field("e")}, false, {}};
  const CsvEncoder csv(schema);
  std::string out;
  csv.header(out);
  CHECK(out == "a,\"b,c\",d,e");
  out.clear();
  csv.append(
      row({Value::string("x\"y"), Value::missing(), Value::string(""), Value::json("[1,2]")}, {}),
      0, out);
  CHECK(out == "\"x\"\"y\",,\"\",\"[1,2]\"");
  out.clear();
  csv.append(
      row({Value::string("l1\nl2"), Value::null(), Value::float64(1.5), Value::timestamp({0})}, {}),
      0, out);
  CHECK(out == "\"l1\nl2\",,1.5,1970-01-01T00:00:00Z");
}

TEST_CASE("a CSV row of one column without a value is a row") {
  const CsvEncoder csv(Schema{{field("a")}, false, {}});
  for (const Value& nothing : {Value::missing(), Value::null()}) {
    std::string out;
    csv.append(row({nothing}, {}), 0, out);
    CHECK(out == "\"\"");
  }
}
