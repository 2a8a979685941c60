// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

ConfigNode scalar(std::string text, bool quoted = false) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  node.place = {0, 3, 5, 1};
  return node;
}

template <class T>
std::optional<T> read(const ConfigNode& node, Diagnostics* problems = nullptr) {
  Diagnostics own;
  T value{};
  const bool good = FieldType<T>::read(node, value, problems ? *problems : own);
  CHECK(good == ((problems ? *problems : own).errors() == 0));
  return good ? std::optional<T>(value) : std::nullopt;
}

}  // namespace

TEST_CASE("scalars are read as the type of the field") {
  CHECK(read<std::string>(scalar("nginx")) == "nginx");
  CHECK(read<std::string>(scalar("5")) == "5");
  CHECK(read<bool>(scalar("true")) == true);
  CHECK(read<std::int64_t>(scalar("-7")) == -7);
  CHECK(read<std::uint64_t>(scalar("7")) == 7u);
  CHECK(read<double>(scalar("0.5")) == 0.5);
  CHECK(read<Duration>(scalar("2s")) == Duration::from_seconds(2));
  CHECK(read<ByteSize>(scalar("1KiB")) == ByteSize{1024});
}

TEST_CASE("scalars of another type are refused") {
  CHECK_FALSE(read<bool>(scalar("yes")));
  CHECK_FALSE(read<std::int64_t>(scalar("7.5")));
  CHECK_FALSE(read<std::int64_t>(scalar("9223372036854775808")));
  CHECK_FALSE(read<std::uint64_t>(scalar("-1")));
  CHECK_FALSE(read<double>(scalar("nan")));
  CHECK_FALSE(read<double>(scalar("")));
  CHECK_FALSE(read<std::string>(ConfigNode{}));
  ConfigNode list;
  list.shape = ConfigNode::Shape::list;
  CHECK_FALSE(read<Duration>(list));
}

TEST_CASE("a quoted number is a text unless a variable was put in") {
  Diagnostics problems;
  CHECK_FALSE(read<std::int64_t>(scalar("5", true), &problems));
  CHECK(problems.all().front().hint == "remove the quotes");
  ConfigNode from_variable = scalar("5", true);
  from_variable.substituted = true;
  CHECK(read<std::int64_t>(from_variable) == 5);
}

TEST_CASE("a bare number is no duration and the hint says what to write") {
  Diagnostics problems;
  CHECK_FALSE(read<Duration>(scalar("30"), &problems));
  CHECK(problems.all().front().message == "expected a duration, got \"30\"");
  CHECK(problems.all().front().hint == "write a unit: 30s");
  CHECK(problems.all().front().place.line == 3);
}

TEST_CASE("what came from a variable is never shown") {
  ConfigNode secret = scalar("hunter2");
  secret.substituted = true;
  Diagnostics problems;
  report_type(secret, "a duration", problems);
  report_choice(secret, {"a", "b"}, problems);
  for (const auto& p : problems.all()) {
    CHECK(p.message.find("hunter2") == std::string::npos);
    CHECK(p.hint.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("a single value is a list of one") {
  CHECK(read<std::vector<std::string>>(scalar("a")) == std::vector<std::string>{"a"});
  ConfigNode list;
  list.shape = ConfigNode::Shape::list;
  list.items = {scalar("1"), scalar("x"), scalar("y")};
  Diagnostics problems;
  CHECK_FALSE(read<std::vector<std::int64_t>>(list, &problems));
  CHECK(problems.errors() == 2);
}

TEST_CASE("json_quote escapes what JSON does not allow") {
  CHECK(json_quote("a\"b\\c\n\t\x01") == R"("a\"b\\c\n\t\u0001")");
  CHECK(json_quote("grün") == "\"grün\"");
}

TEST_CASE("a place inside a scalar is where its character stands") {
  ConfigNode node = scalar("a > b", true);
  CHECK(node.place_at(2).column == 5);
  node.runs = {{0, 3, 6}, {4, 4, 2}};
  CHECK(node.place_at(2).line == 3);
  CHECK(node.place_at(2).column == 8);
  CHECK(node.place_at(4).line == 4);
  CHECK(node.place_at(4).column == 2);
  CHECK(node.place_at(5).column == 3);  // its end
  node.substituted = true;
  CHECK(node.place_at(4).column == 5);
}

TEST_CASE("what is underlined ends with the line") {
  ConfigNode node = scalar("ab +\ncd", false);
  node.runs = {{0, 3, 6}, {5, 4, 2}};
  CHECK(node.place_at(0, 2).length == 2);
  CHECK(node.place_at(0, 7).length == 4);
  CHECK(node.place_at(5, 9).length == 2);
  CHECK(node.place_at(1, 0).length == 1);
  node.runs = {{0, 3, 6}, {2, 3, 9}};  // an escape of two characters before it
  CHECK(node.place_at(0, 4).length == 5);
}

TEST_CASE("a part of a scalar keeps its places") {
  ConfigNode node = scalar("ab +\ncd", false);
  node.runs = {{0, 3, 6}, {5, 4, 2}};
  const ConfigNode part = node.part(1, 6);
  CHECK(part.text == "b +\ncd");
  CHECK(part.place.line == 3);
  CHECK(part.place.column == 7);
  CHECK(part.place_at(0).column == 7);
  CHECK(part.place_at(5).line == 4);
  CHECK(part.place_at(5).column == 3);
  CHECK(node.part(6, 1).place_at(0).column == 3);
}
