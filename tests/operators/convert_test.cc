// SPDX-License-Identifier: Apache-2.0
#include "operators/conversion.h"
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {
ConfigNode fields_of(std::vector<std::pair<std::string, ConfigNode>> fields,
                     const char* on_error = "dead_letter") {
  return map_of({{"fields", map_of(std::move(fields))}, {"on_error", scalar(on_error)}});
}
}  // namespace

TEST_CASE("Text becomes numbers, strictly") {
  CHECK(to_int(Value::string("201"))->as_int() == 201);
  CHECK(to_int(Value::string("-9223372036854775808"))->as_int() == INT64_MIN);
  for (const char* bad : {"", " 12", "12 ", "+5", "1.0", "9223372036854775808", "0x1", "-"})
    CHECK_FALSE(to_int(Value::string(bad)));
  CHECK(to_int(Value::float64(3.0))->as_int() == 3);
  CHECK_FALSE(to_int(Value::float64(3.5)));
  CHECK_FALSE(to_int(Value::float64(1e19)));
  CHECK(to_double(Value::string("0.28"))->as_double() == 0.28);
  CHECK(to_double(Value::string("-1e3"))->as_double() == -1000);
  for (const char* bad : {"", "nan", "inf", "-inf", "1e999", " 1", "1,5", "-", "."})
    CHECK_FALSE(to_double(Value::string(bad)));
  CHECK(to_bool(Value::string("1"))->as_bool());
  CHECK_FALSE(to_bool(Value::string("false"))->as_bool());
  CHECK_FALSE(to_bool(Value::string("TRUE")));
}

TEST_CASE("Text becomes addresses, times and text again") {
  Arena arena;
  CHECK(to_ip(Value::string("10.0.0.1"), arena)->text() == std::string_view("\x0a\0\0\x01", 4));
  CHECK(to_ip(Value::string("2001:db8::1"), arena)->size() == 16);
  CHECK_FALSE(to_ip(Value::string("10.0.0.256"), arena));
  const auto format = TimeFormat::parse("rfc3339");
  CHECK(to_timestamp(Value::string("1970-01-01T00:00:01Z"), *format)->as_time().micros ==
        1'000'000);
  CHECK_FALSE(to_timestamp(Value::string("yesterday"), *format));
  CHECK(to_text(Value::int64(5), arena)->text() == "5");
}

TEST_CASE("Convert types the columns and rejects a record once") {
  OperatorFixture f("convert", fields_of({{"status", scalar("int")}, {"took", scalar("double")}}),
                    open_schema({"status", "took", "host"}));
  CHECK(f.ports.out.fields[0].type == Type::int64);
  CHECK(f.ports.out.fields[0].derived);
  CHECK_FALSE(f.ports.out.fields[2].derived);
  const Batch in = batch_of({strings({"200", "x", nullptr, "404"}), strings({"0.5", "y", "1", "2"}),
                             strings({"a", "b", "c", "d"})});
  f.run(in.select({0, 1, 2}));
  REQUIRE(f.out.batches[0].size() == 2);
  CHECK(f.value("status", 0).as_int() == 200);
  CHECK(f.value("status", 1).is(Kind::missing));
  CHECK(f.value("took", 1).as_double() == 1.0);
  CHECK(f.value("host", 1).text() == "c");
  REQUIRE(f.out.rejected.size() == 1);
  CHECK(f.out.rejected[0].row == 1);
  CHECK(f.out.rejected[0].code == "convert");
  CHECK(f.out.rejected[0].reason == "field \"status\" is no int: \"x\"");
}

TEST_CASE("Numbers are the same whether their text is short or long") {
  const std::vector<const char*> texts = {"0",
                                          "-12",
                                          "007",
                                          "1234567890123456789",
                                          "0.36",
                                          "5.",
                                          ".5",
                                          "-0",
                                          "12345678901234567.25",
                                          "1e3",
                                          "abc",
                                          "",
                                          "-",
                                          "1.2.3",
                                          "+1",
                                          "9e9",
                                          "0x10",
                                          "9223372036854775808"};
  OperatorFixture f("convert", fields_of({{"n", scalar("int")}, {"d", scalar("double")}}, "null"),
                    open_schema({"n", "d"}));
  f.run(batch_of({strings(texts), strings(texts)}));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    INFO("text " << texts[i]);
    const auto n = to_int(Value::string(texts[i]));
    CHECK(f.value("n", i).is(n ? Kind::int64 : Kind::null));
    if (n) CHECK(f.value("n", i).as_int() == n->as_int());
    const auto d = to_double(Value::string(texts[i]));
    CHECK(f.value("d", i).is(d ? Kind::float64 : Kind::null));
    if (d) CHECK(f.value("d", i).as_double() == d->as_double());
  }
}

TEST_CASE("What cannot be converted may become null or stay") {
  const char* policy = GENERATE("null", "keep");
  OperatorFixture f("convert", fields_of({{"n", scalar("int")}}, policy), open_schema({"n"}));
  CHECK(f.ports.out.fields[0].type == Type::any);
  f.run(batch_of({strings({"x", "7"})}));
  CHECK(f.value("n", 0).is(std::string(policy) == "null" ? Kind::null : Kind::string));
  CHECK(f.value("n", 1).as_int() == 7);
  CHECK(f.out.rejected.empty());
}

TEST_CASE("A timestamp can have a format") {
  OperatorFixture f(
      "convert",
      fields_of({{"t", map_of({{"type", scalar("timestamp")}, {"format", scalar("unix")}})}}),
      open_schema({"t"}));
  f.run(batch_of({strings({"1659509511.865323"})}));
  CHECK(f.value("t", 0).as_time().micros == 1659509511865323);
}

TEST_CASE("Wrong conversions are reported") {
  CHECK(OperatorFixture("convert", fields_of({{"n", scalar("integer")}}), open_schema({"n"}))
            .problems.errors() == 1);
  CHECK(OperatorFixture(
            "convert",
            fields_of({{"n", map_of({{"type", scalar("int")}, {"format", scalar("unix")}})}}),
            open_schema({"n"}))
            .problems.errors() == 1);
  Schema closed = open_schema({"status"});
  closed.open = false;
  CHECK(OperatorFixture("convert", fields_of({{"statsu", scalar("int")}}), closed)
            .problems.errors() == 1);
}
