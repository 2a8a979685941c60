// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/grok.h"

#include "engine/codec/grok_patterns.h"
#include "tests/support/catch.h"

#include <map>

using namespace streamd;

namespace {

Grok compiled(std::string_view pattern, const Grok::Patterns& own = {},
              Grok::Style style = Grok::Style::grok) {
  std::vector<GrokProblem> problems;
  Grok grok = Grok::compile(pattern, own, style, problems);
  for (const auto& problem : problems) UNSCOPED_INFO(problem.message);
  REQUIRE(problems.empty());
  return grok;
}

using Found = std::map<std::string, std::string>;

// What took part; {"", ""} when the pattern does not match.
Found found(const Grok& grok, std::string_view text) {
  std::vector<std::string_view> values(grok.fields().size());
  Grok::Scratch scratch;
  if (!grok.match(text, values.data(), scratch)) return {{"", ""}};
  Found out;
  for (std::size_t f = 0; f < values.size(); ++f)
    if (values[f].data() != nullptr) out[grok.fields()[f].name] = values[f];
  return out;
}
Found found(std::string_view pattern, std::string_view text) {
  return found(compiled(pattern), text);
}
const Found kNoMatch = {{"", ""}};

GrokProblem problem_of(std::string_view pattern, const Grok::Patterns& own = {},
                       Grok::Style style = Grok::Style::grok) {
  std::vector<GrokProblem> problems;
  Grok::compile(pattern, own, style, problems);
  REQUIRE(problems.size() == 1);
  return problems[0];
}

}  // namespace

TEST_CASE("References capture what they match and types are told") {
  const Grok grok = compiled("%{IP:client} %{WORD:verb} %{NUMBER:took:double} %{INT:size:int}");
  REQUIRE(grok.fields().size() == 4);
  CHECK(grok.fields()[1].type == GrokField::Type::text);
  CHECK(grok.fields()[2].type == GrokField::Type::float64);
  CHECK(grok.fields()[3].type == GrokField::Type::int64);
  CHECK(found(grok, "from 10.0.0.1 GET 0.25 -17 bytes") ==
        Found{{"client", "10.0.0.1"}, {"verb", "GET"}, {"took", "0.25"}, {"size", "-17"}});
  CHECK(found(grok, "10.0.0.1 GET") == kNoMatch);
}

TEST_CASE("Every standard pattern is one, and captures when it is named") {
  for (const std::string& name : standard_grok_names()) {
    INFO(name);
    CHECK(compiled("^%{" + name + ":x}$").fields()[0].name == "x");
  }
  CHECK(standard_grok_names().size() > 80);
}

TEST_CASE("Standard patterns match what they are for and nothing near it") {
  struct Case {
    const char* name;
    std::vector<const char*> good, bad;
  };
  const std::vector<Case> cases = {
      {"WORD", {"abc", "a_1"}, {"", "a b", "a-b"}},
      {"INT", {"0", "-12", "+7"}, {"1.5", "", "x"}},
      {"NUMBER", {"1", "1.5", ".5", "-2."}, {"1e5", "..", "."}},
      {"IPV4", {"0.0.0.0", "255.255.255.255"}, {"256.1.1.1", "1.2.3", "1.2.3.4.5"}},
      {"IPV6", {"::1", "2001:db8::1", "fe80::1%eth0", "::ffff:1.2.3.4"}, {"1:2", "abc", "g::1"}},
      {"HOSTNAME", {"a", "web-1.example.com", "1host"}, {"-a", "a..b", ""}},
      {"IPORHOST", {"1.2.3.4", "::1", "db.local"}, {"", " "}},
      {"UUID", {"01234567-89ab-cdef-0123-456789abcdef"}, {"01234567-89ab-cdef-0123-456789abcde"}},
      {"MAC", {"00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e"}, {"00:1a:2b:3c:4d"}},
      {"PATH", {"/", "/var/log/x.log", "C:\\Windows\\a"}, {"var/log", ""}},
      {"URI", {"http://u:p@h:80/p?q=1", "ftp://h"}, {"//h/p", "http:/x"}},
      {"TIMESTAMP_ISO8601",
       {"2026-11-21T18:30:00Z", "2026-11-21 18:30:00,123+0100", "26-1-2T3:04"},
       {"2026-13-01T00:00:00", "2026-11-21"}},
      {"HTTPDATE", {"21/Nov/2026:18:30:00 +0000"}, {"21/11/2026:18:30:00 +0000"}},
      {"SYSLOGTIMESTAMP", {"Nov 21 18:30:00", "Jan  2 03:04:05"}, {"Nov 32 18:30:00"}},
      {"LOGLEVEL", {"INFO", "warn", "Error", "CRITICAL"}, {"hello"}},
      {"MONTH", {"Jan", "september", "May"}, {"Foo"}},
      {"QS", {"\"a \\\" b\"", "'x'", "\"\""}, {"\"a", "a\""}},
      {"QUOTEDSTRING", {"`x`"}, {"x"}},
      {"EMAILADDRESS", {"a.b+c@d.example"}, {"a@", "@b"}},
      {"BASE16NUM", {"0xff", "-1F"}, {"0xg"}},
      {"DATESTAMP_EVENTLOG", {"20261121183000"}, {"2026112118"}},
  };
  for (const Case& c : cases) {
    const Grok grok = compiled("^%{" + std::string(c.name) + ":x}$");
    for (const char* text : c.good) {
      INFO(c.name << " " << text);
      CHECK(found(grok, text)["x"] == text);
    }
    for (const char* text : c.bad) {
      INFO(c.name << " " << text);
      CHECK(found(grok, text) == kNoMatch);
    }
  }
}

TEST_CASE("Lines of web servers and syslog come apart") {
  const Found line = found(
      "%{COMBINEDAPACHELOG}",
      R"(203.0.113.9 - bob [10/Oct/2000:13:55:36 -0700] "GET /a?b=1 HTTP/1.0" 200 2326 "http://r/" "Mozilla/4.08 [en]")");
  CHECK(line == Found{{"clientip", "203.0.113.9"},
                      {"ident", "-"},
                      {"auth", "bob"},
                      {"timestamp", "10/Oct/2000:13:55:36 -0700"},
                      {"verb", "GET"},
                      {"request", "/a?b=1"},
                      {"httpversion", "1.0"},
                      {"response", "200"},
                      {"bytes", "2326"},
                      {"referrer", "\"http://r/\""},
                      {"agent", "\"Mozilla/4.08 [en]\""}});
  const Found broken = found("%{COMMONAPACHELOG}",
                             R"(host.example - - [10/Oct/2000:13:55:36 +0000] "\x16\x03 x" 400 -)");
  CHECK(broken.at("rawrequest") == R"(\x16\x03 x)");
  CHECK_FALSE(broken.contains("bytes"));
  CHECK(found("%{SYSLOGBASE} %{GREEDYDATA:text}", "Oct 11 22:14:15 web-1 sshd[4711]: Failed x") ==
        Found{{"timestamp", "Oct 11 22:14:15"},
              {"logsource", "web-1"},
              {"program", "sshd"},
              {"pid", "4711"},
              {"text", "Failed x"}});
}

TEST_CASE("One's own patterns refer to each other and come before the known ones") {
  const Grok grok = compiled("%{ORDER:order} %{WORD:word}",
                             {{"ORDER", "%{LETTER}-[0-9]{2}"}, {"LETTER", "[AB]"}, {"WORD", "x+"}});
  CHECK(found(grok, "A-12 xx") == Found{{"order", "A-12"}, {"word", "xx"}});
  CHECK(found(grok, "C-12 xx") == kNoMatch);
}

TEST_CASE("Groups capture by name only, and the first capture of a field counts") {
  CHECK(found("(a|b)(?<x>[0-9]+)(c)?(?P<y.z>.)", "b42!") == Found{{"x", "42"}, {"y.z", "!"}});
  CHECK(found("(?:%{INT:n}|%{WORD:n})", "abc") == Found{{"n", "abc"}});
  CHECK(found("%{WORD:[http][verb]}", "GET") == Found{{"http.verb", "GET"}});
  CHECK(found(R"([(%{]\(\%\{WORD:x\}%{INT:n})", "%(%{WORD:x}7") == Found{{"n", "7"}});
  CHECK(found(R"([(%{]%{WORD:x}[]a])", "{abc]") == Found{{"x", "abc"}});
  CHECK(found(compiled("100%{(?P<n>[0-9]+)", {}, Grok::Style::regex), "100%{7") ==
        Found{{"n", "7"}});
}

TEST_CASE("What stands between \\Q and \\E is plain text") {
  CHECK(found(R"(^\Q(a) [x]%{NOPE}\E (?<v>\w+)$)", "(a) [x]%{NOPE} hit") == Found{{"v", "hit"}});
  CHECK(found(compiled("%{A} %{WORD:v}", {{"A", R"(\Q(?)"}}), "(? hit") == Found{{"v", "hit"}});
  CHECK(found(compiled(R"(\Q(?<v>\E(?<v>.))", {}, Grok::Style::regex), "(?<v>x") ==
        Found{{"v", "x"}});
}

TEST_CASE("A capture may be empty, and be away") {
  const Grok grok = compiled("a(?<b>b*)(?<c>c)?");
  CHECK(found(grok, "a") == Found{{"b", ""}});
  CHECK(found(grok, "abc") == Found{{"b", "b"}, {"c", "c"}});
}

TEST_CASE("Any bytes may be the text") {
  const Grok grok = compiled("^%{DATA:a}\\|%{GREEDYDATA:b}$");
  CHECK(found(grok, std::string_view("x\0y|\xFF\xFEz", 7)) == kNoMatch);
  CHECK(found(grok, std::string_view("x\0y|z", 5)) ==
        Found{{"a", std::string("x\0y", 3)}, {"b", "z"}});
  CHECK(found(grok, "") == kNoMatch);
  const std::string huge = std::string(1 << 20, 'a') + "|" + std::string(1 << 20, 'b');
  CHECK(found(grok, huge)["b"].size() == 1 << 20);
}

TEST_CASE("Patterns that cannot be are told with their place") {
  struct Case {
    const char* pattern;
    std::size_t at;
    const char* message;
  };
  for (const Case& c :
       std::vector<Case>{{"x %{NOPE:a}", 2, "there is no pattern \"NOPE\""},
                         {"x %{WORD:a", 2, "%{ without }"},
                         {"%{WORD:a b}", 0, "\"a b\" is no name of a field"},
                         {"%{WORD:}", 0, "\"\" is no name of a field"},
                         {"%{WORD:a:bool}", 0, "there is no type \"bool\""},
                         {"%{WORD:a}(?=x)", 9, "look-ahead and look-behind are not supported"},
                         {"%{WORD:a}(?<!x)", 9, "look-ahead and look-behind are not supported"},
                         {"ab(?>x)%{WORD:a}", 2, "atomic groups are not supported"},
                         {"%{WORD:a}x++", 10, "invalid pattern: bad repetition operator"},
                         {"%{WORD:a} \\1", 10, "invalid pattern: invalid escape sequence"},
                         {"%{WORD:a} [z-a]", 11, "invalid pattern: invalid character class range"},
                         {"(?<>x)", 0, "a named group needs a name"},
                         {"%{WORD}", 0, "the pattern captures nothing"},
                         {"(%{WORD:a}", 0, "invalid pattern: missing )"}}) {
    INFO(c.pattern);
    const GrokProblem problem = problem_of(c.pattern);
    CHECK(problem.message == c.message);
    CHECK(problem.pattern == GrokProblem::kMain);
    CHECK(problem.at == c.at);
    CHECK_FALSE(problem.hint.empty());
  }
  CHECK(problem_of("%{WROD:a}").hint == "Did you mean \"WORD\"?");
}

TEST_CASE("What is wrong with one's own patterns is told there, each once") {
  const GrokProblem open = problem_of("%{A:x} %{B:y}", {{"B", "fine"}, {"A", "(oops"}});
  CHECK(open.pattern == 1);
  std::vector<GrokProblem> problems;
  Grok::compile("%{A:x}", {{"A", "%{B}"}, {"B", "x%{C}"}, {"C", "%{A}"}}, Grok::Style::grok,
                problems);
  CHECK(problems.size() == 3);
  for (const auto& around : problems)
    CHECK(around.message.find("refers to itself") != std::string::npos);
  problems.clear();
  Grok::compile("%{A:x}", {{"A", "["}, {"B", "%{NOPE}"}}, Grok::Style::grok, problems);
  CHECK(problems.size() == 2);
}

TEST_CASE("A pattern that grows beyond measure is refused") {
  Grok::Patterns own = {{"P0", "abcdefghij"}};
  for (int i = 1; i < 30; ++i) {
    const std::string before = "%{P" + std::to_string(i - 1) + "}";
    own.emplace_back("P" + std::to_string(i), before + before);
  }
  std::vector<GrokProblem> problems;
  Grok::compile("%{P29:x}", own, Grok::Style::grok, problems);
  REQUIRE_FALSE(problems.empty());
  CHECK(problems[0].message == "the pattern is too large");
}
