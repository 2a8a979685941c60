// SPDX-License-Identifier: Apache-2.0
#include "engine/config/yaml.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

using Shape = ConfigNode::Shape;

Surroundings fixed() {
  return {[](const std::string& name) -> std::optional<std::string> {
            return name == "SET" ? std::optional<std::string>("value") : std::nullopt;
          },
          [](const std::string&) -> Result<std::string> { return std::string("content"); }};
}

ConfigNode good(std::string_view text) {
  Diagnostics problems;
  auto node = parse_yaml(text, 0, fixed(), problems);
  for (const auto& p : problems.all()) FAIL_CHECK(p.message);
  REQUIRE(node);
  return std::move(*node);
}

Diagnostic only_problem(std::string_view text) {
  Diagnostics problems;
  parse_yaml(text, 7, fixed(), problems);
  REQUIRE(problems.all().size() == 1);
  CHECK(problems.all()[0].place.file == 7);
  return problems.all()[0];
}

std::string at(const Place& p) {
  return std::to_string(p.line) + ":" + std::to_string(p.column) + "+" + std::to_string(p.length);
}

}  // namespace

TEST_CASE("every node has its place") {
  const ConfigNode root = good(
      "pipeline: nginx\n"
      "sources:\n"
      "  requests: {type: kafka, topics: [a, \"b c\"]}\n"
      "  grün: 'x'\n");
  CHECK(at(root.find("pipeline")->place) == "1:11+5");
  const ConfigNode& sources = *root.find("sources");
  CHECK(at(sources.entries[0].first.place) == "3:3+8");
  CHECK(at(sources.entries[0].second.place) == "3:3+8");
  const ConfigNode& topics = *sources.find("requests")->find("topics");
  REQUIRE(topics.items.size() == 2);
  CHECK(at(topics.items[1].place) == "3:39+5");
  CHECK(topics.items[1].text == "b c");
  CHECK(topics.items[1].quoted);
  CHECK(at(topics.items[1].place_at(2)) == "3:42+1");
  CHECK(at(sources.find("grün")->place) == "4:10+3");
}

TEST_CASE("places inside scalars are those of the file") {
  const ConfigNode root = good(
      "a: status > 4\n"
      "b: \"x\\t\\u00e4y\"\n"
      "c: |\n"
      "  one\n"
      "    two\n"
      "\n"
      "  three\n"
      "d: ${SET} > 4\n"
      "e: >- # why\n"
      "  one &&\n"
      "  two\n"
      "f: 'it''s'\n"
      "g: one\n"
      "  two\n"
      "h: \"one \\\n"
      "  two\"\n"
      "i: &name \"x y\"\n"
      "j: ''\n");
  const auto place = [&](const char* key, std::size_t offset, std::size_t length = 1) {
    return at(root.find(key)->place_at(offset, length));
  };
  CHECK(place("a", 7) == "1:11+1");
  CHECK(place("b", 1) == "2:6+2");
  CHECK(place("b", 2, 2) == "2:8+6");
  CHECK(place("b", 4) == "2:14+1");
  REQUIRE(root.find("c")->text == "one\n  two\n\nthree\n");
  CHECK(place("c", 0, 3) == "4:3+3");
  CHECK(place("c", 6, 3) == "5:5+3");
  CHECK(place("c", 11, 5) == "7:3+5");
  CHECK(place("c", 0, 9) == "4:3+3");
  CHECK(place("d", 3) == at(root.find("d")->place));
  REQUIRE(root.find("e")->text == "one && two");
  CHECK(place("e", 4, 2) == "10:7+2");
  CHECK(place("e", 7, 3) == "11:3+3");
  CHECK(place("f", 2, 2) == "12:7+3");
  CHECK(place("g", 4, 3) == "14:3+3");
  CHECK(place("h", 4, 3) == "16:3+3");
  CHECK(place("i", 2) == "17:13+1");
  CHECK(place("j", 0) == "18:5+1");
}

TEST_CASE("the places of a file with Windows line ends are the same") {
  const ConfigNode root = good("c: |\r\n  one\r\n  two\r\n");
  CHECK(at(root.find("c")->place_at(4, 3)) == "3:3+3");
}

TEST_CASE("nothing, tilde and null are null, at the key when nothing is written") {
  const ConfigNode root = good("a:\nb: ~\nc: null\nd: ''\n");
  CHECK(root.find("a")->shape == Shape::null);
  CHECK(at(root.find("a")->place) == "1:1+1");
  CHECK(root.find("b")->shape == Shape::null);
  CHECK(root.find("c")->shape == Shape::null);
  CHECK(root.find("d")->shape == Shape::scalar);
}

TEST_CASE("variables are put into scalars after parsing") {
  const ConfigNode root = good("a: ${SET}\nb: {c: \"${NONE:-x: y}\"}\nd: ${file:/f}\ne: $$\n");
  CHECK(root.find("a")->text == "value");
  CHECK(root.find("a")->substituted);
  CHECK(root.find("b")->find("c")->text == "x: y");
  CHECK(root.find("d")->text == "content");
  CHECK(root.find("e")->text == "$");
  CHECK_FALSE(root.find("e")->substituted);
}

TEST_CASE("an unset variable is an error with a place, and the rest is still read") {
  Diagnostics problems;
  const auto root = parse_yaml("a:\n  b: ${NONE}\n  c: 1\n", 0, fixed(), problems);
  REQUIRE(root);
  REQUIRE(problems.errors() == 1);
  CHECK(at(problems.all()[0].place) == "2:6+7");
  CHECK(problems.all()[0].message == "variable \"NONE\" is not set");
  CHECK(root->find("a")->find("c")->text == "1");
}

TEST_CASE("a key that is there twice is an error at the second place") {
  const Diagnostic p = only_problem("a: 1\nb: 2\na: 3\n");
  CHECK(p.code == "duplicate-key");
  CHECK(at(p.place) == "3:1+1");
  CHECK(p.hint == "remove one; the first is in line 1");
}

TEST_CASE("anchors, aliases and merge keys work") {
  const ConfigNode root = good(
      "x-base: &base {type: kafka, group: g}\n"
      "x-more: &more {group: h, from: end}\n"
      "one: *base\n"
      "two: {<<: *base, group: mine}\n"
      "three:\n"
      "  <<: [*more, *base]\n"
      "  topic: t\n");
  CHECK(root.find("one")->find("type")->text == "kafka");
  CHECK(root.find("two")->find("group")->text == "mine");
  CHECK(root.find("two")->find("type")->text == "kafka");
  CHECK(root.find("three")->find("group")->text == "h");
  CHECK(root.find("three")->find("topic")->text == "t");
}

TEST_CASE("a merge of something else is an error") {
  CHECK(only_problem("a: {<<: 5}\n").code == "merge-key");
}

TEST_CASE("bad YAML is a diagnostic with a place") {
  CHECK(only_problem("a: [1, 2\n").code == "yaml-syntax");
  CHECK(only_problem("a: b: c\n").code == "yaml-syntax");
  CHECK(at(only_problem("a: b: c\n").place) == "1:5+1");
  CHECK(only_problem("a:\n\tb: 1\n").hint == "indent with spaces, not tabs");
  CHECK(only_problem("a: *nothing\n").code == "yaml-syntax");
  CHECK(only_problem("a: !thing 5\n").code == "yaml-tag");
  CHECK(only_problem("{a: 1}: 2\n").code == "yaml-key");
  CHECK(only_problem("").code == "empty-file");
  CHECK(only_problem("# only a comment\n").code == "empty-file");
  CHECK(only_problem("a: 1\n---\nb: 2\n").code == "yaml-documents");
  CHECK(only_problem("${SET}: 1\n").code == "variable");
  CHECK(only_problem("a: \xff\n").code == "yaml-encoding");
  CHECK(at(only_problem("a: 1\nb: x\xc0\x80\n").place) == "2:5+1");
  CHECK(only_problem(std::string_view("a: \0", 4)).code == "yaml-encoding");
}

TEST_CASE("limits are refused with a message") {
  CHECK(only_problem(std::string(kMaxYamlBytes + 1, 'a')).code == "yaml-limit");
  CHECK(only_problem(std::string(65, '[') + std::string(65, ']')).code == "yaml-limit");
  CHECK(only_problem(std::string(400, '[')).code == "yaml-limit");
  CHECK(only_problem(std::string(5000, '[')).code != "");
}

TEST_CASE("aliases that grow without end are refused") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) bomb += (k ? ", " : "") + before;
    bomb += "]\n";
  }
  CHECK(only_problem(bomb).code == "yaml-limit");
}

TEST_CASE("an alias inside its own anchor is refused") {
  CHECK(only_problem("a: &a [1, *a]\n").code == "alias");
}

TEST_CASE("a byte order mark and Windows line ends are fine") {
  const ConfigNode root = good(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n");
  CHECK(root.find("a")->text == "1");
  CHECK(at(root.find("b")->place) == "2:4+1");
}

TEST_CASE("without surroundings dollar signs are text like any other") {
  Diagnostics problems;
  const auto root = parse_yaml("a: ${SET} $$ ${jndi:x}\n\"${k}\": [\"${}\"]\n", 0, {}, problems);
  CHECK(problems.all().empty());
  REQUIRE(root);
  CHECK(root->find("a")->text == "${SET} $$ ${jndi:x}");
  CHECK_FALSE(root->find("a")->substituted);
  CHECK(root->find("${k}")->items[0].text == "${}");
}
