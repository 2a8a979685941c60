// SPDX-License-Identifier: Apache-2.0
#include "sinks/stdout_sink.h"

#include "sinks/builtin_sinks.h"
#include "tests/contract/sink_contract.h"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

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
