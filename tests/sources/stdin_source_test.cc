// SPDX-License-Identifier: Apache-2.0
#include "sources/stdin_source.h"

#include "tests/contract/source_contract.h"

#include <set>
#include <unistd.h>

using namespace streamd;
using namespace streamd::test;

namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  ManualClock clock;
  std::unique_ptr<Source> source;
  std::unique_ptr<Reader> reader;

  explicit Pipe(const Positions& at = {}, std::size_t max_record = 1 << 20) {
    REQUIRE(::pipe(ends) == 0);
    SourceContext context;
    context.clock = &clock;
    context.resume_at = at;
    context.max_record = max_record;
    context.workers = 2;
    source = open_line_stream(ends[0], std::move(context));
    reader = std::move(*source->reader(0));
  }
  ~Pipe() {
    ::close(ends[0]);
    finish();
  }
  void write(const std::string& text) const {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void finish() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

}  // namespace

TEST_CASE("Standard input gives lines, waits for the rest and ends") {
  Pipe pipe;
  std::vector<SeenRecord> seen;
  CHECK(pull_once(*pipe.reader, seen) == Pull::idle);
  pipe.write("one\r\ntw");
  CHECK(pull_once(*pipe.reader, seen) == Pull::data);
  CHECK(pull_once(*pipe.reader, seen) == Pull::idle);
  pipe.write("o\n\nlast");
  pipe.finish();
  for (const auto& r : drain(*pipe.reader)) seen.push_back(r);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].data == "one");
  CHECK(seen[1].data == "two");
  CHECK(seen[2].data == "last");
  CHECK(seen[2].position > seen[1].position);
  CHECK(pull_once(*pipe.reader, seen) == Pull::end);
  std::vector<SeenRecord> none;
  CHECK(pull_once(**pipe.source->reader(1), none) == Pull::end);
}

TEST_CASE("Two runs of standard input never give two records the same number") {
  std::set<std::uint64_t> seen;
  Positions committed;
  EventTime now{1'700'000'000'000'000};
  // Each run is killed after its first record was committed and before the others were.
  for (int run = 0; run < 5; ++run) {
    Pipe pipe(committed);
    pipe.clock.jump(now);
    std::vector<SeenRecord> records;
    pipe.write("a\n");
    pull_once(*pipe.reader, records);
    committed = positions_of(*pipe.reader);
    pipe.write("b\nc\nd\n");
    pull_once(*pipe.reader, records);
    REQUIRE(records.size() == 4);
    for (const auto& record : records) CHECK(seen.insert(record.position).second);
    // The clock goes on, stands still and is put back.
    now.micros += run == 0 ? 1'000'000 : run == 1 ? 0 : -600'000'000;
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("Numbers of standard input that an older version stored are not used again") {
  Pipe pipe(Positions{{"stdin", "1:7000000"}});
  pipe.write("a\nb\n");
  const auto seen = drain(*pipe.reader);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].position >= 7'000'000);
  CHECK(seen[1].position == seen[0].position + 1);
  CHECK(positions_of(*pipe.reader).at("stdin") == "2:" + std::to_string(seen[1].position + 1));
}

TEST_CASE("A line of standard input that is too long is one fault") {
  Pipe pipe({}, 10);
  pipe.write("12345678901\nok\n" + std::string(500, 'x'));
  auto seen = drain(*pipe.reader);
  pipe.write(std::string(500, 'x') + "\nend\n");
  pipe.finish();
  for (const auto& r : drain(*pipe.reader)) seen.push_back(r);
  REQUIRE(seen.size() == 4);
  CHECK(seen[0].fault == "too-long");
  CHECK(seen[1].data == "ok");
  CHECK(seen[2].fault == "too-long");
  CHECK(seen[3].data == "end");
}
