// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

struct Inner {
  Duration every = Duration::from_seconds(1);
};
struct Config {
  std::vector<std::string> by;
  Duration within{};
  std::optional<Inner> inner;
};

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}

ConfigNode map(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (auto& [key, value] : entries) node.entries.emplace_back(scalar(key), std::move(value));
  return node;
}

}  // namespace

template <>
struct streamd::NestedSpec<Inner> {
  static const Spec<Inner>& spec() {
    static const Spec<Inner> kSpec =
        Spec<Inner>("a map").field(&Inner::every, {.name = "every", .help = "Pause."});
    return kSpec;
  }
};

namespace {

Spec<Config> dedupe_spec() {
  using C = Config;
  return Spec<C>("dedupe")
      .summary("Drops repeats.")
      .field(&C::by, {.name = "by", .help = "Fields.", .required = true})
      .field(&C::within, {.name = "within", .help = "How long.", .required = true})
      .field(&C::inner, {.name = "inner", .help = "More."})
      .rule("within must be positive", [](const C& c) { return c.within > Duration{}; });
}

}  // namespace

TEST_CASE("a spec reads a config") {
  Diagnostics problems;
  const auto config = dedupe_spec().parse(map({{"by", scalar("user")},
                                               {"within", scalar("30s")},
                                               {"inner", map({{"every", scalar("2s")}})}}),
                                          problems);
  REQUIRE(config);
  CHECK(config->by == std::vector<std::string>{"user"});
  CHECK(config->inner->every == Duration::from_seconds(2));
}

TEST_CASE("a spec reports every mistake at once") {
  Diagnostics problems;
  CHECK_FALSE(dedupe_spec().parse(map({{"withing", scalar("30s")},
                                       {"by", ConfigNode{}},
                                       {"inner", map({{"evry", scalar("2s")}})}}),
                                  problems));
  std::vector<std::string> messages;
  for (const auto& p : problems.all()) messages.push_back(p.message + "; " + p.hint);
  CHECK(messages == std::vector<std::string>{"unknown key \"withing\"; did you mean \"within\"?",
                                             "expected text, got nothing; ",
                                             "unknown key \"evry\"; did you mean \"every\"?"});
}

TEST_CASE("what can be read is read, and misspelled keys count as what they mean") {
  Diagnostics problems;
  const auto reading = dedupe_spec().read(
      map({{"withing", scalar("30s")}, {"by", ConfigNode{}}, {"colour", scalar("red")}}), problems);
  REQUIRE(reading);
  CHECK(problems.errors() == 3);
  CHECK(reading->config.within == Duration::from_seconds(30));
  CHECK(reading->doubtful == std::vector<std::string>{"by"});
  CHECK_FALSE(reading->usable());
  Diagnostics more;
  const auto only_unknown = dedupe_spec().read(
      map({{"by", scalar("a")}, {"within", scalar("1s")}, {"colour", scalar("red")}}), more);
  CHECK(more.errors() == 1);
  CHECK(only_unknown->usable());
}

TEST_CASE("what is missing or against a rule is in doubt") {
  Diagnostics problems;
  const auto missing = dedupe_spec().read(map({{"within", scalar("30s")}}), problems);
  CHECK(missing->doubtful == std::vector<std::string>{"by"});
  const auto against =
      dedupe_spec().read(map({{"by", scalar("a")}, {"within", scalar("0s")}}), problems);
  CHECK(against->doubtful == std::vector<std::string>{"within"});
  CHECK_FALSE(against->usable());
}

TEST_CASE("what is found about values that could not be read is left out") {
  ConfigNode node = map({{"a", scalar("1")}, {"b", scalar("2")}});
  node.place = node.entries[0].first.place = {0, 3, 1};
  node.entries[0].second.place = {0, 3, 4};
  node.entries[1].first.place = {0, 4, 1};
  node.entries[1].second.place = {0, 4, 4};
  Diagnostics found, problems;
  found.error("x", {0, 3, 9}, "inside a");
  found.error("x", {0, 4, 4}, "at b");
  found.error("x", node.place, "about the whole");
  found.error("x", {}, "nowhere");
  report_about_values(node, {"b"}, found, problems);
  REQUIRE(problems.errors() == 1);
  CHECK(problems.all()[0].message == "inside a");
}

TEST_CASE("rules are checked once the fields are good") {
  Diagnostics problems;
  CHECK_FALSE(dedupe_spec().parse(map({{"by", scalar("a")}, {"within", scalar("0s")}}), problems));
  REQUIRE(problems.errors() == 1);
  CHECK(problems.all().front().message == "within must be positive");
}

TEST_CASE("keys of further views are allowed") {
  Diagnostics problems;
  SpecView common;
  common.fields.push_back({.name = "input"});
  CHECK(dedupe_spec().parse(
      map({{"by", scalar("a")}, {"within", scalar("1s")}, {"input", scalar("x")}}), problems,
      {&common}));
}

TEST_CASE("a view is a JSON schema") {
  const auto spec = dedupe_spec();
  const std::string schema = object_schema(spec.view());
  CHECK(schema.find(R"("required":["by","within"])") != std::string::npos);
  CHECK(spec.view().fields[2].nested.front().name == "every");
  CHECK(schema.find(R"("additionalProperties":false)") != std::string::npos);
  CHECK(schema.find(
            R"("inner":{"description":"More.","markdownDescription":"More.","type":"object")") !=
        std::string::npos);
}
