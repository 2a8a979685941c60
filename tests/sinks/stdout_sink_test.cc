// SPDX-License-Identifier: Apache-2.0
#include "sinks/stdout_sink.h"

#include "sinks/builtin_sinks.h"
#include "tests/contract/sink_contract.h"

#include <csignal>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace streamd;
using namespace streamd::test;

namespace {
bool write_number(const Batch& batch, std::size_t i, std::string& out, std::string* why) {
  if (batch.at(0, i).as_int() == 13) {
    *why = "unlucky";
    return false;
  }
  out += std::to_string(batch.at(0, i).as_int());
  return true;
}

constexpr std::size_t kLine = 1000;  // no part of what a pipe takes at once

// The digit of the record, as long as a line is.
bool write_row(const Batch& batch, std::size_t i, std::string& out, std::string*) {
  out.append(kLine, static_cast<char>('0' + batch.at(0, i).as_int()));
  return true;
}

Batch rows_of(int digit, std::size_t rows) {
  return batch_of({std::vector<Value>(rows, Value::int64(digit))});
}

std::string read_some(int descriptor, std::size_t most) {
  std::string text(most, '\0');
  const ssize_t got = ::read(descriptor, text.data(), most);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::size_t whole_lines(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    const std::size_t end = text.find('\n');
    REQUIRE(end == kLine);
    REQUIRE(text.substr(0, end).find_first_not_of(text[0]) == std::string_view::npos);
    text.remove_prefix(end + 1);
  }
  return count;
}
}  // namespace

TEST_CASE("The line sink keeps the contract") {
  TempDir dir;
  const int fd = ::open(dir.file("out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  REQUIRE(fd >= 0);
  check_sink({[&](const std::string&) { return open_line_sink(fd, write_number); },
              [&] { return read_file(dir.file("out")); },
              [](int n) {
                return batch_of({{Value::int64(n), Value::int64(n + 100)}});
              },
              false});
  ::close(fd);
}

TEST_CASE("A record that cannot be printed is rejected and leaves no trace") {
  TempDir dir;
  const int fd = ::open(dir.file("out").c_str(), O_WRONLY | O_CREAT, 0600);
  Collector out;
  REQUIRE(open_line_sink(fd, write_number)
              ->write(batch_of({{Value::int64(1), Value::int64(13), Value::int64(2)}}), out));
  CHECK(read_file(dir.file("out")) == "1\n2\n");
  REQUIRE(out.rejected.size() == 1);
  CHECK(out.rejected[0].code == "template");
  CHECK(out.rejected[0].reason == "unlucky");
  ::close(fd);
}

TEST_CASE("A reader that went away is an error that says so") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  Collector out;
  const auto written =
      open_line_sink(ends[1], write_number)->write(batch_of({{Value::int64(1)}}), out);
  REQUIRE_FALSE(written);
  CHECK(written.error().retry == Retry::never);
  CHECK(written.error().message.find("nobody reads") != std::string::npos);
  ::close(ends[1]);
  std::signal(SIGPIPE, before);
}

TEST_CASE("Two sinks on one descriptor write no line into one of the other") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Collector out;
  const auto first = open_line_sink(ends[1], write_row);
  const auto second = open_line_sink(ends[1], write_row);
  REQUIRE(first->write(rows_of(1, 100), out));  // more than the pipe takes
  CHECK_FALSE(first->prepared(1).value());
  CHECK(second->prepared(1).value());
  std::string text = read_some(ends[0], 50'000);
  REQUIRE(second->write(rows_of(2, 100), out));
  CHECK(first->prepared(1).value());
  CHECK_FALSE(second->prepared(1).value());
  while (!second->prepared(1).value()) text += read_some(ends[0], 4096);
  ::close(ends[1]);
  for (std::string more = "?"; !more.empty(); text += more) more = read_some(ends[0], 65'536);
  CHECK(whole_lines(text) == 200);
  ::close(ends[0]);
}

TEST_CASE(
    "What a sink leaves when it is closed inside of a line goes out before the others' lines") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Collector out;
  auto first = open_line_sink(ends[1], write_row);
  const auto second = open_line_sink(ends[1], write_row);
  REQUIRE(first->write(rows_of(1, 100), out));
  first->close();
  first.reset();
  std::string text = read_some(ends[0], 50'000);
  REQUIRE(second->write(rows_of(2, 1), out));
  CHECK(second->prepared(1).value());
  ::close(ends[1]);
  for (std::string more = "?"; !more.empty(); text += more) more = read_some(ends[0], 65'536);
  CHECK(whole_lines(text) == 101);
  ::close(ends[0]);
}

TEST_CASE("Sinks of several threads on one descriptor write whole lines") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto write_all = [&](int digit) {
    Collector out;
    const auto sink = open_line_sink(ends[1], write_row);
    for (int i = 0; i < 20; ++i)
      while (!sink->write(rows_of(digit, 20), out)) {
      }
    while (!sink->prepared(1).value()) std::this_thread::yield();
  };
  std::vector<std::thread> writers;
  for (const int digit : {1, 2, 3}) writers.emplace_back(write_all, digit);
  std::string text;
  while (text.size() < 3 * 20 * 20 * (kLine + 1)) text += read_some(ends[0], 777);
  for (std::thread& writer : writers) writer.join();
  CHECK(whole_lines(text) == 3 * 20 * 20);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("The null sink keeps the contract") {
  Registry registry;
  add_null_sink(registry);
  Diagnostics problems;
  const auto plan = make_plan(registry.sinks(), "null", map_of({}), problems);
  check_sink({[&](const std::string&) { return std::move(*plan->open({})); },
              [] { return std::string(); },
              [](int n) {
                return batch_of({{Value::int64(n), Value::int64(n)}});
              },
              false});
  CHECK(plan->placement() == Placement::each_worker);
}

TEST_CASE("Wrong settings of stdout are reported") {
  Registry registry;
  add_stdout_sink(registry);
  for (const auto& fields :
       {map_of({{"encode", scalar("text")}}), map_of({{"message", scalar("hi")}}),
        map_of({{"encode", scalar("text")}, {"message", scalar("{{ x")}})}) {
    Diagnostics problems;
    CHECK_FALSE(make_plan(registry.sinks(), "stdout", fields, problems));
    CHECK(problems.errors() == 1);
  }
}
