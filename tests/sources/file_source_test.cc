// SPDX-License-Identifier: Apache-2.0
// Files that are read once.
#include "sources/builtin_sources.h"
#include "tests/contract/source_contract.h"
#include "tests/sources/gzip.h"
#include "tests/support/open_files.h"

using namespace streamd;
using namespace streamd::test;

namespace {

struct Once {
  ManualClock clock;
  Registry registry;
  std::unique_ptr<SourcePlan> plan;
  std::size_t max_record = 1 << 20;
  unsigned workers = 1;

  explicit Once(const std::vector<std::string>& paths) {
    add_file_source(registry);
    Diagnostics problems;
    plan = make_plan(registry.sources(), "file", map_of({{"path", list_of(paths)}}), problems);
    REQUIRE(plan);
  }
  Result<std::unique_ptr<Source>> open(const Positions& at = {}) const {
    SourceContext context;
    context.clock = &clock;
    context.max_record = max_record;
    context.resume_at = at;
    context.workers = workers;
    return plan->open(std::move(context));
  }
  std::vector<SeenRecord> read(unsigned worker = 0) const {
    auto source = open();
    REQUIRE(source);
    auto reader = std::move(*(*source)->reader(worker));
    return drain(*reader);
  }
};

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line number " + std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("A file gives its lines with their byte offsets") {
  TempDir dir;
  write_file(dir.file("a"), "one\r\n\ntwo\nlast");
  const auto seen = Once({dir.file("a")}).read();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].data == "one");
  CHECK(seen[1].data == "two");
  CHECK(seen[1].position == 6);
  CHECK(seen[2].data == "last");
  CHECK(seen[2].position == 10);
}

TEST_CASE("A file can be resumed from every position") {
  TempDir dir;
  write_file(dir.file("a"), lines(0, 40'000));
  write_file(dir.file("b"), lines(0, 90));
  write_file(dir.file("c.gz"), gzip(lines(0, 30'000)));
  Once once({dir.file("*")});
  check_resume([&](const Positions& at) { return std::move(*once.open(at)); }, 4096);
}

TEST_CASE("A gzip of several members is one stream") {
  TempDir dir;
  write_file(dir.file("a.gz"), gzip("one\ntw") + gzip("o\nthree\n"));
  const auto seen = Once({dir.file("a.gz")}).read();
  REQUIRE(seen.size() == 3);
  CHECK(seen[1].data == "two");
  CHECK(seen[2].position == 8);
}

TEST_CASE("A damaged gzip gives what it holds and one fault") {
  TempDir dir;
  const std::string good = gzip(lines(0, 20'000));
  std::string bad = good;
  std::string expected;
  SECTION("truncated") {
    bad.resize(bad.size() / 2);
    expected = "truncated-gzip";
  }
  SECTION("corrupt") {
    for (std::size_t i = bad.size() / 2; i < bad.size() / 2 + 400; ++i)
      bad[i] = static_cast<char>(~bad[i]);
    expected = "bad-gzip";
  }
  write_file(dir.file("a.gz"), bad);
  const auto seen = Once({dir.file("a.gz")}).read();
  REQUIRE(seen.size() > 100);
  CHECK(seen.back().fault == expected);
  CHECK(seen[0].data == "line number 0");
  for (std::size_t i = 0; i + 1 < seen.size(); ++i) REQUIRE(seen[i].fault.empty());
}

TEST_CASE("A line longer than max_record is one fault and the next line is whole") {
  TempDir dir;
  Once once({dir.file("a")});
  once.max_record = GENERATE(100u, 300'000u);
  const std::size_t length = GENERATE(0u, 1u, 1'000'000u);
  write_file(dir.file("a"), "first\n" + std::string(once.max_record + length, 'x') + "\nlast\n");
  const auto seen = once.read();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].data == "first");
  CHECK(seen[1].fault == (length == 0 ? "" : "too-long"));
  CHECK(seen[1].data.size() ==
        (length == 0 ? once.max_record : std::min<std::size_t>(once.max_record + length, 65536)));
  CHECK(seen[1].position == 6);
  CHECK(seen[2].data == "last");
}

TEST_CASE("A hole of NUL bytes at the head is skipped") {
  TempDir dir;
  write_file(dir.file("a"), std::string(600'000, '\0') + "one\ntwo\n");
  const auto seen = Once({dir.file("a")}).read();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].data == "one");
  CHECK(seen[0].position == 600'000);
}

TEST_CASE("Files are shared out between workers and each is read once") {
  TempDir dir;
  for (int i = 0; i < 5; ++i)
    write_file(dir.file("f" + std::to_string(i)), lines(i * 10, i * 10 + 10));
  Once once({dir.file("f*")});
  once.workers = 2;
  CHECK(once.read(0).size() == 30);
  CHECK(once.read(1).size() == 20);
}

TEST_CASE("A file that cannot be read is a clear error") {
  TempDir dir;
  const auto missing = Once({dir.file("nope")}).open();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::external);
  CHECK(missing.error().message.find("no file matches") != std::string::npos);
  CHECK_FALSE(missing.error().hint.empty());
  CHECK_FALSE(Once({dir.path()}).open());
  write_file(dir.file("a"), "x\n");
  const auto damaged = Once({dir.file("a")}).open({{dir.file("a") + "#1-1", "9:what"}});
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().kind == ErrorKind::state);
}

TEST_CASE("An empty file ends at once") {
  TempDir dir;
  write_file(dir.file("a"), "");
  CHECK(Once({dir.file("a")}).read().empty());
}

TEST_CASE("The file of which the fewest bytes were read is next, of equal ones the first by name") {
  TempDir dir;
  write_file(dir.file("c"), "c1\nc2\nc3\n");
  write_file(dir.file("a"), "a1 is long\na2\n");
  write_file(dir.file("b"), "b1\nb2\n");
  const Once once({dir.file("*")});
  auto source = once.open();
  REQUIRE(source);
  auto reader = std::move(*(*source)->reader(0));
  std::string seen;
  PullLimits limits;
  limits.max_records = 1;
  for (RawBatch batch; *reader->pull(limits, batch) == Pull::data;)
    seen += std::string(batch.records[0].data.substr(0, 2)) + " ";
  CHECK(seen == "a1 b1 c1 b2 c2 c3 a2 ");
}

TEST_CASE("Files are read with the descriptors that others have left") {
  constexpr std::size_t kFiles = 60;
  TempDir dir;
  // Of some there is nothing to read: they end in one and the same pull.
  const std::string text = GENERATE(lines(0, 3), std::string("\n"));
  for (std::size_t n = 0; n < kFiles; ++n)
    write_file(dir.file(std::to_string(n)), n + 1 < kFiles ? text : lines(0, 3));
  Once once({dir.file("*")});
  OpenFilesLimit few(100);
  auto source = once.open();
  REQUIRE(source);
  auto reader = std::move(*(*source)->reader(0));
  few.take_all_but(GENERATE(1, 7));
  // A record of each file at a time would keep all of them open.
  CHECK(drain(*reader, 1).size() == (text == "\n" ? 3 : 3 * kFiles));
  std::vector<PartitionState> states;
  reader->partitions(states);
  for (const auto& state : states) CHECK(state.ended);
}
