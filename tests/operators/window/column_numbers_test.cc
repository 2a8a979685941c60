// SPDX-License-Identifier: Apache-2.0
#include "operators/window/column_numbers.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace streamd::window {
namespace {

ColumnPtr column_of(const std::vector<const char*>& texts) {
  Column column;
  for (const char* text : texts)
    column.push_back(text == nullptr ? Value::missing() : Value::string(text));
  return std::make_shared<const Column>(std::move(column));
}

std::vector<Arrival> rows(const std::vector<std::uint32_t>& wanted) {
  std::vector<Arrival> block(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) block[i].row = wanted[i];
  return block;
}

// The numbers of these rows.
std::vector<std::uint32_t> numbers(ColumnNumbers& of, const ColumnPtr& column,
                                   const std::vector<std::uint32_t>& wanted) {
  of.look_up(rows(wanted), column->data());
  std::vector<std::uint32_t> found;
  for (const std::uint32_t row : wanted) found.push_back(of.data()[row]);
  return found;
}

void pass_others(RecentColumns& recent) {
  for (int i = 0; i < 100; ++i) recent.of(column_of({nullptr}));
}

}  // namespace

TEST_CASE("equal values have one number, in whatever column and by whomever they are asked") {
  RecentColumns recent(1);
  const ColumnPtr urls = column_of({"/", "/a", "/", nullptr, "/b"});
  const ColumnPtr referers = column_of({"/b", "/a"});
  const auto first = numbers(*recent.of(urls), urls, {0, 1});
  const auto again = numbers(*recent.of(urls), urls, {0, 1, 2, 3, 4});
  CHECK(first[0] != first[1]);
  CHECK(again[0] == first[0]);
  CHECK(again[1] == first[1]);
  CHECK(again[2] == first[0]);
  CHECK(again[3] == DistinctValues::kNone);
  CHECK(numbers(*recent.of(referers), referers, {0, 1}) == std::vector{again[4], again[1]});
  CHECK(recent.values()->size() == 3);
}

TEST_CASE("values of columns that have passed are forgotten, unless somebody counts them") {
  RecentColumns recent(1);
  const ColumnPtr urls = column_of({"/", "/a", "/a"});
  const auto found = numbers(*recent.of(urls), urls, {0, 1, 2});
  recent.values()->hold(found[1]);
  pass_others(recent);
  CHECK(recent.values()->size() == 1);
  CHECK(recent.values()->number_of(Value::string("/a")) == found[1]);
  recent.values()->release(found[1]);
  CHECK(recent.values()->size() == 0);
}

TEST_CASE("whoever is in the middle of a column keeps its numbers") {
  RecentColumns recent(1);
  const ColumnPtr urls = column_of({"/", "/a"});
  auto mine = recent.of(urls);
  const auto found = numbers(*mine, urls, {0});
  pass_others(recent);
  CHECK(mine->data()[0] == found[0]);
  CHECK(recent.values()->number_of(Value::string("/")) == found[0]);
  CHECK(numbers(*mine, urls, {0, 1})[0] == found[0]);
  mine.reset();
  CHECK(recent.values()->size() == 0);
}

TEST_CASE("a column that comes where another one was is a new one") {
  RecentColumns recent(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i);
    const ColumnPtr column = column_of({text.c_str()});
    const auto found = numbers(*recent.of(column), column, {0});
    REQUIRE(recent.values()->encoded(found[0]).ends_with(text));
  }
  CHECK(recent.values()->size() < 20);
}

}  // namespace streamd::window
