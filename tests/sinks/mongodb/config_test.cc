// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/config.h"

#include "sinks/builtin_sinks.h"
#include "tests/contract/component.h"

#include <string>

namespace streamd::mongodb {
namespace {

using test::list_of;
using test::map_of;
using test::scalar;
using Entries = std::vector<std::pair<std::string, ConfigNode>>;

// What is wrong.
std::string problems_of(Entries fields) {
  Registry registry;
  add_mongodb_sink(registry);
  Diagnostics problems;
  auto plan = test::make_plan(registry.sinks(), "mongodb", map_of(std::move(fields)), problems);
  std::string text;
  for (const auto& problem : problems.all())
    text += problem.code + ": " + problem.message + problem.hint + "\n";
  CHECK((plan != nullptr) == text.empty());
  return text;
}

Entries good() {
  return {{"uri", scalar("mongodb://u:hunter2@h/")},
          {"database", scalar("d")},
          {"collection", scalar("c-{{ x }}-%Y")}};
}

std::string with(const std::string& key, ConfigNode value) {
  Entries fields = good();
  std::erase_if(fields, [&](const auto& field) { return field.first == key; });
  fields.emplace_back(key, std::move(value));
  return problems_of(std::move(fields));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("A plain configuration is good, and shows no secret") {
  CHECK(problems_of(good()).empty());
  Registry registry;
  add_mongodb_sink(registry);
  Diagnostics problems;
  const auto plan = test::make_plan(registry.sinks(), "mongodb", map_of(good()), problems);
  REQUIRE(plan);
  CHECK(plan->promise() == Promise::exactly_once);
  CHECK(has(plan->describe(), "d.c-{{ x }}-%Y at h:27017"));
  CHECK_FALSE(has(plan->describe(), "hunter2"));
}

TEST_CASE("The database may stand in the uri") {
  Entries fields = good();
  std::erase_if(fields, [](const auto& field) { return field.first == "database"; });
  CHECK(has(problems_of(fields), "database is needed"));
  fields[0].second = scalar("mongodb://h/shop");
  CHECK(problems_of(fields).empty());
}

TEST_CASE("Names that a server refuses are refused here") {
  for (const char* bad : {"a.b", "a b", "a/b", "a$b", ""})
    CHECK(has(with("database", scalar(bad)), "database is needed"));
  for (const char* bad : {"a$b", "system.users", ".a", "a."})
    CHECK(has(with("collection", scalar(bad)), "bad-collection"));
  CHECK(has(with("collection", scalar("{{ x }}")), "literal-prefix"));
  CHECK(has(with("collection", scalar(std::string(255, 'c'))), "bad-collection"));
  CHECK(is_collection_name("d", std::string(253, 'c')));
  CHECK_FALSE(is_collection_name("d", std::string(254, 'c')));
  CHECK_FALSE(is_collection_name("d", std::string_view("a\0b", 3)));
}

TEST_CASE("An index is checked before a server sees it") {
  const auto index = [](Entries fields) {
    ConfigNode list;
    list.shape = ConfigNode::Shape::list;
    list.items.push_back(map_of(std::move(fields)));
    return with("indexes", list);
  };
  const ConfigNode one = map_of({{"a", scalar("1")}});
  CHECK(index({{"keys", one}}).empty());
  CHECK(index({{"keys", map_of({{"a", scalar("1")}, {"b", scalar("-1")}})},
               {"unique", scalar("true")}})
            .empty());
  CHECK(has(index({{"keys", map_of({{"a", scalar("2")}})}}), "2dsphere"));
  CHECK_FALSE(index({{"unique", scalar("true")}}).empty());
  CHECK(has(index({{"keys", map_of({})}}), "at least one"));
  CHECK(index({{"keys", one}, {"expire_after", scalar("30d")}}).empty());
  CHECK(index({{"keys", one}, {"expire_after", scalar("0s")}}).empty());
  CHECK(has(index({{"keys", one}, {"expire_after", scalar("1500ms")}}), "whole seconds"));
  CHECK(has(index({{"keys", map_of({{"_id", scalar("1")}})}, {"expire_after", scalar("1d")}}),
            "not _id"));
  CHECK(has(index({{"keys", map_of({{"a", scalar("1")}, {"b", scalar("1")}})},
                   {"expire_after", scalar("1d")}}),
            "one field"));
}

TEST_CASE("Options that would lose records are refused") {
  CHECK(has(with("write_concern", scalar("0")), "write_concern 0"));
  CHECK(with("write_concern", scalar("2")).empty());
  CHECK(has(with("uri", scalar("mongodb://u:hunter2@h/?w=0")), "bad-uri"));
  CHECK_FALSE(has(with("uri", scalar("mongodb://u:hunter2@")), "hunter2"));
  CHECK(has(with("dates", list_of({"_id"})), "dates"));
}

TEST_CASE("What an index becomes for the server") {
  IndexConfig config;
  config.keys = {{"ip", Order::up}, {"at", Order::down}, {"place", Order::sphere}};
  config.expire_after = Duration::from_seconds(3600);
  const mongo::Index index = index_of(config);
  CHECK(index.keys[0] == std::pair<std::string, std::string>{"ip", "1"});
  CHECK(index.keys[1].second == "-1");
  CHECK(index.keys[2].second == "2dsphere");
  CHECK(index.expire_seconds == 3600);
}

}  // namespace
}  // namespace streamd::mongodb
