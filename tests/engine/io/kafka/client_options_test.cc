// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/client_options.h"

#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::kafka;

namespace {

ConfigNode scalar(std::string text, std::uint32_t line, std::uint32_t column) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  node.place = {0, line, column, 1};
  return node;
}

ConfigNode map_of(std::vector<std::pair<std::string, std::string>> pairs) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  std::uint32_t line = 10;
  for (auto& [key, value] : pairs) {
    node.entries.emplace_back(scalar(key, line, 3), scalar(value, line, 20));
    ++line;
  }
  return node;
}

}  // namespace

TEST_CASE("brokers are hosts with ports", "[kafka]") {
  const auto read = [](const std::string& text) {
    Diagnostics problems;
    const std::string joined = read_brokers({text}, scalar(text, 3, 7), problems);
    CHECK(joined == text);
    return problems.errors() == 0;
  };
  for (const char* good :
       {"localhost", "localhost:9092", "a:1,b:65535", "a:1, b:2", "httpd-kafka:9092", "[::1]:9092",
        "::1", "10.0.0.1:9092", "PLAINTEXT://a:9092", "sasl_ssl://a:9092"}) {
    INFO(good);
    CHECK(read(good));
  }
  for (const char* bad : {"", "http://localhost:9092", "https://a", "localhost:99999", "a:0", "a:",
                          ":9092", "a:9092/", "a:b", "a b:9092", "a:1,,b:2", "[::1]:0", "a:-1"}) {
    INFO(bad);
    CHECK_FALSE(read(bad));
  }
  Diagnostics problems;
  ConfigNode list;
  list.shape = ConfigNode::Shape::list;
  list.items = {scalar("a:1", 3, 7), scalar("b:70000", 4, 7)};
  CHECK(read_brokers({"a:1", "b:70000"}, list, problems) == "a:1,b:70000");
  REQUIRE(problems.errors() == 1);
  CHECK(problems.all()[0].place.line == 4);
  CHECK(problems.all()[0].message == "\"b:70000\" is not the host:port of a broker");
}

TEST_CASE("librdkafka's own properties pass in the order of the file", "[kafka]") {
  ClientOptions options;
  Diagnostics problems;
  CHECK(read_properties(map_of({{"security.protocol", "SASL_SSL"}, {"sasl.username", "me"}}),
                        Role::consumer, options, problems));
  CHECK(problems.errors() == 0);
  REQUIRE(options.properties.size() == 2);
  CHECK(options.properties[0].first == "security.protocol");
  CHECK(options.properties[1].second == "me");
}

TEST_CASE("every wrong property is reported at its place", "[kafka]") {
  ClientOptions options;
  Diagnostics problems;
  CHECK_FALSE(read_properties(map_of({{"sasl.usernam", "me"},
                                      {"security.protocol", "TELNET"},
                                      {"enable.auto.commit", "true"},
                                      {"fetch.wait.max.ms", "soon"}}),
                              Role::consumer, options, problems));
  REQUIRE(problems.errors() == 4);
  const auto& all = problems.all();
  CHECK(all[0].code == "unknown-property");
  CHECK(all[0].place.line == 10);
  CHECK(all[0].place.column == 3);
  CHECK(all[0].hint == "did you mean \"sasl.username\"?");
  CHECK(all[1].code == "bad-property");
  CHECK(all[1].place.line == 11);
  CHECK(all[1].place.column == 20);
  CHECK(all[1].hint.find("TELNET") != std::string::npos);
  CHECK(all[2].code == "refused-property");
  CHECK(all[2].message.find("offsets are committed with each checkpoint") != std::string::npos);
  CHECK(all[3].code == "bad-property");
  CHECK(options.properties.empty());
}

TEST_CASE("a secret value is not repeated in a message", "[kafka]") {
  auto node = map_of({{"security.protocol", "hunter2"}});
  node.entries[0].second.substituted = true;
  ClientOptions options;
  Diagnostics problems;
  CHECK_FALSE(read_properties(node, Role::consumer, options, problems));
  REQUIRE(problems.errors() == 1);
  CHECK(problems.all()[0].message.find("hunter2") == std::string::npos);
  CHECK(problems.all()[0].hint.find("hunter2") == std::string::npos);
}

TEST_CASE("each role refuses what would break its promise", "[kafka]") {
  const auto refused = [](Role role, const std::string& name, const std::string& value) {
    ClientOptions options;
    Diagnostics problems;
    return !read_properties(map_of({{name, value}}), role, options, problems) &&
           problems.all()[0].code == "refused-property";
  };
  CHECK(refused(Role::consumer, "group.id", "x"));
  CHECK(refused(Role::consumer, "auto.offset.reset", "latest"));
  CHECK(refused(Role::consumer, "partition.assignment.strategy", "cooperative-sticky"));
  CHECK(refused(Role::consumer, "bootstrap.servers", "x"));
  CHECK(refused(Role::producer, "acks", "1"));
  CHECK(refused(Role::producer, "message.timeout.ms", "5000"));
  CHECK(refused(Role::producer, "transactional.id", "x"));
  CHECK_FALSE(refused(Role::producer, "acks", "all"));
  CHECK_FALSE(refused(Role::consumer, "partition.assignment.strategy", "roundrobin"));
  CHECK_FALSE(refused(Role::producer, "message.max.bytes", "2000000"));
}

TEST_CASE("options must be a map of single values", "[kafka]") {
  ClientOptions options;
  Diagnostics problems;
  CHECK_FALSE(read_properties(scalar("x", 1, 1), Role::consumer, options, problems));
  CHECK(problems.errors() == 1);
  auto node = map_of({{"sasl.username", ""}});
  node.entries[0].second.shape = ConfigNode::Shape::list;
  CHECK_FALSE(read_properties(node, Role::consumer, options, problems));
  CHECK(problems.errors() == 2);
  CHECK(read_properties(ConfigNode{}, Role::consumer, options, problems));
}

TEST_CASE("only properties of the membership leave the fetching to streamd", "[kafka]") {
  ClientOptions options;
  CHECK(may_fetch_directly(options));
  options.properties = {{"session.timeout.ms", "6000"}, {"group.instance.id", "a"}};
  CHECK(may_fetch_directly(options));
  for (const char* name : {"security.protocol", "sasl.username", "ssl.ca.location", "client.rack",
                           "fetch.wait.max.ms", "isolation.level", "broker.address.family"}) {
    CAPTURE(name);
    options.properties.push_back({name, "x"});
    CHECK_FALSE(may_fetch_directly(options));
    options.properties.pop_back();
  }
}
