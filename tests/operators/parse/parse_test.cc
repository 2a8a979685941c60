// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

using Fields = std::vector<std::pair<std::string, ConfigNode>>;

ConfigNode config(const char* format, Fields more = {}) {
  more.insert(more.begin(), {{"field", scalar("m")}, {"format", scalar(format)}});
  return map_of(std::move(more));
}

// The new columns of record i as JSON, those that are there.
std::string made(const OperatorFixture& f, std::size_t i) {
  REQUIRE(f.out.batches.size() == 1);
  std::string out;
  const auto& fields = f.ports.out.fields;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    const Value& value = f.out.batches[0].at(c, i);
    if (!fields[c].derived || value.is(Kind::missing)) continue;
    out += (out.empty() ? "" : " ") + fields[c].name + "=";
    append_json(value, out);
  }
  return out;
}
std::string parsed(const char* format, Fields more, const char* text) {
  OperatorFixture f("parse", config(format, std::move(more)), open_schema({"m"}));
  for (const auto& problem : f.problems.all()) UNSCOPED_INFO(problem.message);
  f.run(batch_of({strings({text})}));
  if (!f.out.rejected.empty()) return "! " + f.out.rejected[0].reason;
  return made(f, 0);
}

std::string problem_of(const ConfigNode& fields) {
  OperatorFixture f("parse", fields, open_schema({"m"}));
  REQUIRE(f.problems.errors() >= 1);
  return f.problems.all()[0].message;
}

}  // namespace

TEST_CASE("Each format gives its fields") {
  CHECK(parsed("json", {{"fields", list_of({"a", "b.c"})}}, R"({"a":1,"b":{"c":"x"}})") ==
        R"(a=1 b.c="x")");
  CHECK(parsed("json", {{"into", scalar("o")}}, R"({"a": [1]})") == R"(o={"a": [1]})");
  CHECK(parsed("kv", {{"into", scalar("o")}}, "a=1 b=\"x y\" a=2") == R"(o={"b":"x y","a":"2"})");
  CHECK(parsed("kv", {{"into", scalar("o")}, {"fields", list_of({"b", "c", "a"})}},
               "a=1 b=x a=2") == R"(o.b="x" o.a="2")");
  CHECK(parsed("csv", {{"columns", list_of({"x", "y", "z"})}}, "1,\"two, 2\"") ==
        R"(x="1" y="two, 2")");
  CHECK(parsed("regex", {{"pattern", scalar("u=(?P<user>\\w+)(?: n=(?P<n>\\d+))?")}}, "u=bob") ==
        R"(user="bob")");
  CHECK(parsed("grok", {{"pattern", scalar("%{IP:ip} %{INT:n:int} %{NUMBER:d:float}")}},
               "10.0.0.1 +7 0.5") == R"(ip="10.0.0.1" n=7 d=0.5)");
  CHECK(parsed("cef", {{"into", scalar("c")}}, "CEF:0|v|p|1|id|n|5|src=1.2.3.4 msg=a b") ==
        R"(c.cef_version="0" c.vendor="v" c.product="p" c.product_version="1" c.class_id="id" )"
        R"(c.name="n" c.severity="5" c.extension={"src":"1.2.3.4","msg":"a b"})");
  CHECK(parsed("cef", {{"fields", list_of({"Rule"})}, {"labels", scalar("true")}},
               "CEF:0|v|p|1|id|n|5|cs1=x cs1Label=Rule") ==
        R"(cef_version="0" vendor="v" product="p" product_version="1" class_id="id" name="n" )"
        R"(severity="5" Rule="x")");
  CHECK(parsed("leef", {{"fields", list_of({"dst", "src"})}}, "LEEF:1.0|v|p|1|id|src=a\tdst=b") ==
        R"(leef_version="1.0" vendor="v" product="p" product_version="1" event_id="id" dst="b" )"
        R"(src="a")");
  CHECK(
      parsed("url", {{"params", scalar("true")}, {"decode", scalar("true")}},
             "https://h:8443/a%20b?x=%41&y=1") ==
      R"(scheme="https" host="h" port=8443 path="/a b" query="x=%41&y=1" params={"x":"A","y":"1"})");
  CHECK(parsed("user_agent", {{"into", scalar("ua")}}, "curl/8.4.0") ==
        R"(ua.browser="curl" ua.browser_version="8.4.0" ua.device="tool" ua.bot=false)");
  CHECK(parsed("syslog", {}, "<34>1 2003-10-11T22:14:15.003Z h app 7 ID47 - text") ==
        R"(timestamp="2003-10-11T22:14:15.003Z" facility="auth" severity="crit" facility_code=4 )"
        R"(severity_code=2 host="h" app="app" procid="7" msgid="ID47" message="text" )"
        R"(format="rfc5424")");
}

TEST_CASE("What a syslog message lacks is null, as the decoder of sources has it") {
  OperatorFixture f("parse", config("syslog"), open_schema({"m"}));
  f.run(batch_of({strings({"<13>Jan  2 03:04:05 h just words"})}));
  CHECK(f.value("host", 0).text() == "h");
  for (const char* field : {"app", "procid", "msgid"}) CHECK(f.value(field, 0).is(Kind::null));
  CHECK(f.value("structured_data", 0).is(Kind::missing));
}

TEST_CASE("A text that does not fit is a dead letter with a reason") {
  CHECK(parsed("json", {{"into", scalar("o")}}, "{\"a\":").starts_with("! field \"m\": "));
  CHECK(parsed("json", {{"into", scalar("o")}}, "[1]").starts_with("! field \"m\": "));
  CHECK(parsed("kv", {{"into", scalar("o")}}, "words") ==
        "! field \"m\": no key with a value: there is no \"=\"");
  CHECK(parsed("kv", {{"into", scalar("o")}}, "=1") ==
        "! field \"m\": no key with a value: there is no key before the \"=\"");
  CHECK(parsed("csv", {{"columns", list_of({"x"})}}, "1,2") ==
        "! field \"m\": the row has 2 cells, more than the 1 columns");
  CHECK(parsed("grok", {{"pattern", scalar("%{IP:ip}")}}, "x") ==
        "! field \"m\": the pattern does not match");
  CHECK(parsed("grok", {{"pattern", scalar("%{WORD:n:int}")}}, "abc") ==
        "! field \"m\": \"n\" is no int: \"abc\"");
  CHECK(parsed("grok", {{"pattern", scalar("%{INT:n:int}")}}, "99999999999999999999") ==
        "! field \"m\": \"n\" is no int: \"99999999999999999999\"");
  CHECK(parsed("cef", {}, "x") == "! field \"m\": there is no \"CEF:\"");
  CHECK(parsed("leef", {}, "x") == "! field \"m\": there is no \"LEEF:\"");
  CHECK(parsed("url", {}, "x y") == "! field \"m\": a blank or control character at byte 1");
  CHECK(parsed("syslog", {}, "just words") ==
        "! field \"m\": it is no syslog message: neither a priority nor a stamp");
}

TEST_CASE("Good and bad records of one batch part, in order") {
  OperatorFixture f("parse", config("grok", {{"pattern", scalar("^%{INT:n:int}$")}}),
                    open_schema({"m", "host"}));
  const Batch in = batch_of({{Value::string("1"), Value::string("x"), Value::missing(),
                              Value::int64(4), Value::null(), Value::string("6")},
                             strings({"a", "b", "c", "d", "e", "f"})});
  f.run(in.select({0, 1, 2, 3, 4, 5}));
  REQUIRE(f.out.rejected.size() == 2);
  CHECK(f.out.rejected[0].row == 1);
  CHECK(f.out.rejected[0].code == "parse");
  CHECK(f.out.rejected[1].row == 3);
  CHECK(f.out.rejected[1].reason == "field \"m\": it is no text");
  REQUIRE(f.out.batches[0].size() == 4);
  CHECK(f.value("n", 0).as_int() == 1);
  CHECK(f.value("n", 1).is(Kind::missing));
  CHECK(f.value("n", 3).as_int() == 6);
  CHECK(f.value("host", 3).text() == "f");
}

TEST_CASE("JSON of a batch keeps its rows apart") {
  OperatorFixture f("parse",
                    config("json", {{"fields", list_of({"a"})}, {"on_error", scalar("null")}}),
                    open_schema({"m"}));
  f.run(batch_of({{Value::string("{\"a\":1}"), Value::string("nope"), Value::missing(),
                   Value::json("{\"a\":2}"), Value::string("{\"b\":1}"), Value::string("")}})
            .select({0, 1, 2, 3, 4, 5}));
  CHECK(f.value("a", 0).as_int() == 1);
  CHECK(f.value("a", 1).is(Kind::null));
  CHECK(f.value("a", 2).is(Kind::missing));
  CHECK(f.value("a", 3).as_int() == 2);
  CHECK(f.value("a", 4).is(Kind::missing));
  CHECK(f.value("a", 5).is(Kind::null));
  CHECK(f.out.rejected.empty());
}

TEST_CASE("With keep a record goes on as it came") {
  OperatorFixture f("parse",
                    config("grok", {{"pattern", scalar("^%{WORD:host} %{GREEDYDATA:m}$")},
                                    {"on_error", scalar("keep")}}),
                    open_schema({"m", "host"}));
  CHECK(f.plan->needs({{"host", "x"}, false}).fields == std::set<std::string>{"host", "m", "x"});
  f.run(batch_of({strings({"web up", "???", nullptr}), strings({"a", "b", "c"})}));
  CHECK(f.value("host", 0).text() == "web");
  CHECK(f.value("m", 0).text() == "up");
  CHECK(f.value("host", 1).text() == "b");
  CHECK(f.value("m", 1).text() == "???");
  CHECK(f.value("host", 2).text() == "c");
  CHECK(f.out.rejected.empty());
}

TEST_CASE("Who writes whole records that may go on as they came needs what parse replaces") {
  const Fields more = {{"pattern", scalar("^%{WORD:host}$")}, {"on_error", scalar("keep")}};
  OperatorFixture f("parse", config("grok", more), open_schema({"m"}));
  CHECK(f.plan->needs({{}, true}).fields == std::set<std::string>{"host", "m"});
  CHECK(f.plan->needs({{}, false}).fields == std::set<std::string>{"m"});
}

TEST_CASE("Only what it makes is not asked of the input") {
  OperatorFixture f("parse", config("kv", {{"into", scalar("kv")}}), open_schema({"m"}));
  CHECK(f.plan->needs({{"kv.user", "kv", "other", "kvx"}, false}).fields ==
        std::set<std::string>{"kvx", "m", "other"});
  CHECK(f.ports.out.fields[1].type == Type::map);
}

TEST_CASE("The text can be taken out of the record") {
  const Fields more = {{"pattern", scalar("%{WORD:w}")}, {"keep_field", scalar("false")}};
  OperatorFixture f("parse", config("grok", more), open_schema({"m", "n"}));
  CHECK(f.ports.out.hidden == std::vector<std::string>{"m"});
  CHECK_FALSE(f.ports.out.find("m"));
  f.run(batch_of({strings({"x"}), strings({"y"})}));
  CHECK(f.value("w", 0).text() == "x");
  CHECK(f.value("n", 0).text() == "y");
  Fields same = more;
  same[0].second = scalar("%{WORD:m}$");
  OperatorFixture g("parse", config("grok", same), open_schema({"m"}));
  CHECK(g.ports.out.hidden.empty());
  g.run(batch_of({strings({"a b"})}));
  CHECK(g.value("m", 0).text() == "b");
}

TEST_CASE("The text stays where it was not read, when such records go on as they came") {
  const Fields more = {{"pattern", scalar("^%{WORD:w}$")},
                       {"keep_field", scalar("false")},
                       {"on_error", scalar("keep")}};
  OperatorFixture f("parse", config("grok", more), open_schema({"m"}));
  CHECK(f.ports.out.hidden.empty());
  REQUIRE(f.ports.out.find("m"));
  CHECK(f.ports.out.fields[*f.ports.out.find("m")].derived);
  f.run(
      batch_of({{Value::string("x"), Value::string("???"), Value::int64(7), Value::string("y")}}));
  CHECK(f.value("w", 0).text() == "x");
  CHECK(f.value("m", 0).is(Kind::missing));
  CHECK(f.value("w", 1).is(Kind::missing));
  CHECK(f.value("m", 1).text() == "???");
  CHECK(f.value("m", 2).as_int() == 7);
  CHECK(f.value("m", 3).is(Kind::missing));
}

TEST_CASE("Any bytes are read without harm by every format") {
  const std::string huge(100'000, '=');
  for (const auto& [format, more] : std::vector<std::pair<const char*, Fields>>{
           {"json", {{"into", scalar("o")}}},
           {"kv", {{"into", scalar("o")}}},
           {"csv", {{"columns", list_of({"a", "b"})}}},
           {"regex", {{"pattern", scalar("(?P<a>.*)=")}}},
           {"grok", {{"pattern", scalar("%{DATA:a}=%{INT:b:int}")}}},
           {"cef", {}},
           {"leef", {}},
           {"url", {}},
           {"user_agent", {}},
           {"syslog", {}}}) {
    OperatorFixture f("parse", config(format, more), open_schema({"m"}));
    f.run(batch_of({{Value::string(std::string_view("\0\xFF\xC3\x28", 4)), Value::string(""),
                     Value::string("\"'{[|=\\"), Value::string(huge), Value::boolean(true)}}));
    std::size_t passed = 0;
    for (const auto& batch : f.out.batches) passed += batch.size();
    INFO(format);
    CHECK(passed + f.out.rejected.size() == 5);
  }
}

TEST_CASE("What a format does not take is told at its place") {
  CHECK(problem_of(config("jsn")) == "unknown value \"jsn\"");
  CHECK(problem_of(config("json")) == "json needs into or fields");
  CHECK(problem_of(config("kv")) == "kv needs into or fields");
  CHECK(problem_of(config("csv")).find("columns") != std::string::npos);
  CHECK(problem_of(config("grok")).find("pattern") != std::string::npos);
  CHECK(problem_of(config("regex", {{"pattern", scalar("")}})) == "pattern must not be empty");
  CHECK(problem_of(config("url", {{"pattern", scalar("x")}})) ==
        "\"pattern\" is for format: regex or grok");
  CHECK(problem_of(config("regex", {{"pattern", scalar("(?P<a>x)")}, {"patterns", map_of({})}})) ==
        "\"patterns\" is for format: grok");
  CHECK(problem_of(config("csv", {{"columns", list_of({"a", "a"})}})) ==
        "columns names \"a\" twice");
  CHECK(problem_of(config("csv", {{"columns", list_of({"a"})}, {"separator", scalar("::")}})) ==
        "separator of csv must be one ASCII character");
  CHECK(problem_of(config("csv", {{"columns", list_of({"a"})}, {"separator", scalar("\"")}})) ==
        "quote and separator must differ");
  CHECK(problem_of(config("kv", {{"into", scalar("o")}, {"between", scalar("=")}})) ==
        "between and separator must have no character in common");
  CHECK(problem_of(config("kv", {{"into", scalar("o")}, {"between", scalar("")}})) ==
        "between must hold at least one character");
  CHECK(problem_of(config("syslog", {{"zone", scalar("Atlantis")}})).starts_with("zone must be"));
  CHECK(problem_of(config("cef", {{"fields", list_of({"src", "name"})}})) ==
        "fields names \"name\", which is what a part of the header is called");
  CHECK(problem_of(config("leef", {{"fields", list_of({"vendor"})}, {"into", scalar("l")}})) ==
        "fields names \"vendor\", which is what a part of the header is called");
  CHECK(problem_of(config("url", {{"into", scalar("a.")}})) ==
        "into must not begin or end with a dot");
  OperatorFixture f("parse", map_of({{"format", scalar("url")}}), open_schema({"m"}));
  CHECK(f.problems.errors() == 1);
}

TEST_CASE("A wrong pattern is told with its place inside the pattern") {
  ConfigNode pattern = scalar("%{WORD:a} %{NOPE:b}");
  pattern.place = {0, 7, 14, 1};
  pattern.runs = {{0, 7, 14}};
  OperatorFixture f("parse", config("grok", {{"pattern", pattern}}), open_schema({"m"}));
  REQUIRE(f.problems.errors() == 1);
  CHECK(f.problems.all()[0].code == "bad-pattern");
  CHECK(f.problems.all()[0].place.line == 7);
  CHECK(f.problems.all()[0].place.column == 24);
  CHECK(f.problems.all()[0].place.length == 9);
  ConfigNode own = scalar("[a-");
  own.place = {0, 9, 5, 1};
  own.runs = {{0, 9, 5}};
  OperatorFixture g(
      "parse", config("grok", {{"pattern", scalar("%{A:a}")}, {"patterns", map_of({{"A", own}})}}),
      open_schema({"m"}));
  REQUIRE(g.problems.errors() == 1);
  CHECK(g.problems.all()[0].place.line == 9);
}

TEST_CASE("A field that no record can have is reported") {
  Schema closed = open_schema({"message"});
  closed.open = false;
  OperatorFixture f("parse", config("url"), closed);
  CHECK(f.problems.errors() == 1);
}
