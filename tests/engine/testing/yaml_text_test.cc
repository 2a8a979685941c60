// SPDX-License-Identifier: Apache-2.0
// Where values stand in the text of a YAML file.
#include "engine/testing/yaml_text.h"

#include "tests/engine/testing/yaml_node.h"

using namespace streamd;
using namespace streamd::testing;
using streamd::test::yaml_node;

namespace {

struct Found {
  std::optional<YamlText::ListAt> at;
  std::vector<std::string> items;
};

// The list behind the first key of the file.
Found list_in(const std::string& text) {
  const ConfigNode root = yaml_node(text);
  const auto& [key, list] = root.entries.front();
  const YamlText yaml(text);
  Found found{yaml.list_of(key, list), {}};
  if (found.at)
    for (const Span& span : found.at->items)
      found.items.push_back(text.substr(span.begin, span.end - span.begin));
  return found;
}
using Items = std::vector<std::string>;

}  // namespace

TEST_CASE("items of a list in brackets are found between its commas", "[testing]") {
  const auto one = list_in("rows: [{a: 1}, {b: \"}, ]\"}]  # two\nmore: 1\n");
  REQUIRE(one.at.has_value());
  CHECK(one.at->flow);
  CHECK(one.items == Items{"{a: 1}", "{b: \"}, ]\"}"});
  const auto many = list_in("rows: [\n  {a: 1},   # the first ]\n  {b: it's}\n]\n");
  CHECK(many.items == Items{"{a: 1}", "{b: it's}"});
  CHECK(list_in("rows: []\n").items.empty());
}

TEST_CASE("items of a block list end before what is indented less", "[testing]") {
  const auto found = list_in(
      "rows:   # those\n"
      "  - a: 1   # first\n"
      "    b: 2\n"
      "\n"
      "  # about the second\n"
      "  - {a: 3}\n"
      "  - a:\n"
      "      - deep\n"
      "next: 1\n");
  REQUIRE(found.at.has_value());
  CHECK_FALSE(found.at->flow);
  CHECK(found.at->dash_column == 2);
  CHECK(found.items == Items{"a: 1   # first\n    b: 2", "{a: 3}", "a:\n      - deep"});
  CHECK(list_in("rows:\n- a: 1\n- a: 2\nnext: 1").items == Items{"a: 1", "a: 2"});
}

TEST_CASE("the text may begin with a byte order mark and have line ends of Windows", "[testing]") {
  const auto found = list_in("\xEF\xBB\xBFrows:\r\n  - {a: 1}\r\n  - b: 2\r\n");
  CHECK(found.items == Items{"{a: 1}", "b: 2"});
}

TEST_CASE("what stands elsewhere in the file is not taken for what stands here", "[testing]") {
  CHECK_FALSE(list_in("rows: &all [{a: 1}]\n").at.has_value());
  CHECK_FALSE(list_in("rows: [{a: &x 1}]\n").at.has_value());
  const std::string text = "first: &all\n  - {a: 1}\nrows: *all\n";
  const ConfigNode root = yaml_node(text);
  const YamlText yaml(text);
  CHECK_FALSE(yaml.list_of(root.entries[1].first, root.entries[1].second).has_value());
}

TEST_CASE("a scalar is found with its quotes", "[testing]") {
  const std::string text = "a: 12  # n\nb: \"x \\\" y\"\nc: 'it''s'\nd: |\n  block\n";
  const ConfigNode root = yaml_node(text);
  const YamlText yaml(text);
  const auto at = [&](std::size_t n) -> std::string {
    const auto span = yaml.scalar(root.entries[n].second);
    return span ? text.substr(span->begin, span->end - span->begin) : "none";
  };
  CHECK(at(0) == "12");
  CHECK(at(1) == "\"x \\\" y\"");
  CHECK(at(2) == "'it''s'");
  CHECK(at(3) == "none");
}

TEST_CASE("edits are made where they stand, and two at one place are refused", "[testing]") {
  CHECK(apply("abcdef", {{{4, 5}, "E"}, {{1, 2}, ""}, {{6, 6}, "!"}}) == "acdEf!");
  CHECK_FALSE(apply("abcdef", {{{1, 4}, "x"}, {{2, 3}, "y"}}).has_value());
  CHECK_FALSE(apply("abc", {{{1, 9}, "x"}}).has_value());
}
