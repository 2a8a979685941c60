// SPDX-License-Identifier: Apache-2.0
#include "sinks/builtin_sinks.h"
#include "sinks/file_segments.h"
#include "tests/contract/sink_contract.h"

#include <csignal>
#include <sys/resource.h>

using namespace streamd;
using namespace streamd::test;

namespace {

struct FileSinkFixture {
  TempDir dir;
  std::string name;
  ManualClock clock;
  Registry registry;
  std::unique_ptr<SinkPlan> plan;
  Collector out;

  explicit FileSinkFixture(std::vector<std::pair<std::string, ConfigNode>> fields = {},
                           std::string file = "sub/out")
      : name(std::move(file)) {
    add_file_sink(registry);
    fields.emplace_back("path", scalar(path()));
    Diagnostics problems;
    plan = make_plan(registry.sinks(), "file", map_of(std::move(fields)), problems);
    REQUIRE(plan);
    Schema schema;
    schema.fields = {{"n", Type::int64, false}};
    plan->bind(schema, problems);
    REQUIRE(problems.errors() == 0);
  }
  std::string path() const { return dir.file(name); }
  Result<std::unique_ptr<Sink>> try_open(const std::string& restored,
                                         const std::string& state_dir = "state") const {
    SinkContext context;
    context.node = "node";
    context.state_dir = dir.file(state_dir);
    context.clock = &clock;
    context.restored = restored;
    return plan->open(std::move(context));
  }
  std::unique_ptr<Sink> open(const std::string& restored = "") const {
    auto sink = try_open(restored);
    if (!sink) FAIL(sink.error().message);
    return std::move(*sink);
  }
  static Batch batch(int n) { return batch_of({{Value::int64(n * 10), Value::int64(n * 10 + 1)}}); }
  // The state of a first run that has written batch 1.
  std::string first_run() {
    auto sink = open();
    REQUIRE(sink->write(batch(1), out));
    return checkpoint(*sink, 1);
  }
  // All segments in order.
  std::string all() const {
    std::string text;
    for (int s = 1; std::filesystem::exists(path() + fmt_number(s)); ++s)
      text += read_file(path() + fmt_number(s));
    return text + read_file(path());
  }
  static std::string fmt_number(int s) {
    const std::string digits = std::to_string(s);
    return "." + std::string(6 - digits.size(), '0') + digits;
  }
};

}  // namespace

TEST_CASE("The file sink keeps the contract") {
  std::vector<std::pair<std::string, ConfigNode>> fields;
  SECTION("plain") {}
  SECTION("with rotation") { fields.emplace_back("rotate", map_of({{"size", scalar("20")}})); }
  SECTION("as csv") { fields.emplace_back("encode", scalar("csv")); }
  FileSinkFixture f(fields);
  check_sink({[&](const std::string& restored) { return f.open(restored); },
              [&] { return f.all(); }, FileSinkFixture::batch, true});
}

TEST_CASE("Before the first checkpoint a restart begins where the first start began") {
  FileSinkFixture f;
  std::filesystem::create_directories(f.dir.file("sub"));
  write_file(f.path(), "mine");
  auto sink = f.open();
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  REQUIRE(sink->tick(f.out));
  CHECK(read_file(f.path()) == "mine\n{\"n\":10}\n{\"n\":11}\n");
  sink.reset();
  sink = f.open();
  REQUIRE(sink->write(FileSinkFixture::batch(2), f.out));
  static_cast<void>(checkpoint(*sink, 1));
  CHECK(read_file(f.path()) == "mine\n{\"n\":20}\n{\"n\":21}\n");
}

TEST_CASE("An existing file is replaced or refused when told so") {
  FileSinkFixture replace({{"existing", scalar("replace")}}),
      refuse({{"existing", scalar("refuse")}});
  for (auto* f : {&replace, &refuse}) {
    std::filesystem::create_directories(f->dir.file("sub"));
    write_file(f->path(), "old\n");
  }
  auto sink = replace.open();
  CHECK(read_file(replace.path()).empty());
  const auto refused = refuse.try_open("");
  REQUIRE_FALSE(refused);
  CHECK_FALSE(refused.error().hint.empty());
  CHECK(read_file(refuse.path()) == "old\n");
}

TEST_CASE("A file that lost committed bytes is refused") {
  FileSinkFixture f;
  auto sink = f.open();
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  const std::string state = checkpoint(*sink, 1);
  sink.reset();
  write_file(f.path(), "short");
  const auto again = f.try_open(state);
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::state);
  CHECK_FALSE(f.try_open("9:nonsense"));
  CHECK(read_file(f.path()) == "short");
}

TEST_CASE("A file that is deleted while it is written is an error at the next checkpoint") {
  FileSinkFixture f;
  auto sink = f.open();
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  checkpoint(*sink, 1);
  std::filesystem::rename(f.path(), f.path() + ".moved");
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  checkpoint(*sink, 2);
  std::filesystem::remove(f.path() + ".moved");
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  REQUIRE(sink->barrier(3));
  const auto prepared = sink->prepared(3);
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().kind == ErrorKind::state);
  CHECK(prepared.error().retry == Retry::never);
  CHECK(prepared.error().message.find("was deleted") != std::string::npos);
}

TEST_CASE("A checkpoint says nothing about the file of another path") {
  FileSinkFixture f, other({{"existing", scalar("refuse")}}, "sub/precious");
  const std::string state = f.first_run();
  std::filesystem::create_directories(other.dir.file("sub"));
  const std::string precious = read_file(f.path()) + "of somebody else\n";
  write_file(other.path(), precious);
  const auto refused = other.try_open(state);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::state);
  CHECK(refused.error().message.find(f.path()) != std::string::npos);
  CHECK(refused.error().message.find(other.path()) != std::string::npos);
  CHECK(refused.error().hint.find("--reset-state node") != std::string::npos);
  CHECK(read_file(other.path()) == precious);
}

TEST_CASE("A file that moved goes on where its state moved with it, and so does one that did not") {
  FileSinkFixture f;
  const std::string state = f.first_run(), lines = read_file(f.path());
  write_file(f.path(), lines + "not committed\n");
  SECTION("state and output moved") {
    FileSinkFixture moved;
    std::filesystem::rename(f.dir.file("sub"), moved.dir.file("sub"));
    auto sink = moved.open(state);
    CHECK(read_file(moved.path()) == lines);
    CHECK(checkpoint(*sink, 2).find(moved.path()) != std::string::npos);
  }
  SECTION("only the state moved") {
    REQUIRE(f.try_open(state, "deeper/state"));
    CHECK(read_file(f.path()) == lines);
  }
  SECTION("the path has another name") {
    FileSinkFixture alias({}, "alias");
    std::filesystem::create_symlink(f.path(), alias.path());
    REQUIRE(alias.try_open(state));
    CHECK(read_file(f.path()) == lines);
  }
}

TEST_CASE("State of an earlier version opens unless a line would be cut in two") {
  FileSinkFixture f;
  const std::string state = f.first_run(), lines = read_file(f.path());
  const std::string earlier = state.substr(0, state.find('\n'));
  write_file(f.path(), lines + "not committed\n");
  auto sink = f.open(earlier);
  CHECK(read_file(f.path()) == lines);
  CHECK(checkpoint(*sink, 2) == state);
  sink.reset();
  const std::string unrelated(lines.size() + 10, 'x');
  write_file(f.path(), unrelated);
  const auto refused = f.try_open(earlier);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::state);
  CHECK(read_file(f.path()) == unrelated);
}

TEST_CASE("Rows of other columns never stand under the header that is there") {
  std::vector<std::pair<std::string, ConfigNode>> fields = {{"encode", scalar("csv")}};
  const auto columns = [](FileSinkFixture& f, const char* name) {
    Schema schema;
    schema.fields = {{name, Type::int64, false}};
    Diagnostics problems;
    f.plan->bind(schema, problems);
  };
  SECTION("without rotation the start is refused, and the file stays as it is") {
    FileSinkFixture f(fields);
    const std::string state = f.first_run();
    write_file(f.path(), "n\n10\n11\n99\n");
    columns(f, "other");
    for (const std::string& restored : {state, std::string()}) {
      const auto refused = f.try_open(restored);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().message.find("\"n\", and \"other\"") != std::string::npos);
      CHECK(refused.error().hint.find("another path") != std::string::npos);
      CHECK(read_file(f.path()) == "n\n10\n11\n99\n");
    }
    // The advice is taken on a first start.
    std::filesystem::rename(f.path(), f.path() + ".old");
    auto sink = f.open();
    REQUIRE(sink->write(FileSinkFixture::batch(2), f.out));
    checkpoint(*sink, 1);
    CHECK(read_file(f.path()) == "other\n20\n21\n");
  }
  SECTION("a start that never got to a checkpoint is undone first") {
    FileSinkFixture f(fields);
    std::filesystem::create_directories(f.dir.file("sub"));
    write_file(f.path(), "n");
    auto sink = f.open();
    REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
    REQUIRE(sink->tick(f.out));
    CHECK(read_file(f.path()) == "n\n10\n11\n");
    sink.reset();
    columns(f, "other");
    CHECK_FALSE(f.try_open(""));
    CHECK(read_file(f.path()) == "n");
    std::filesystem::remove(f.path());
    CHECK(f.try_open(""));
  }
  SECTION("with rotation a new file is begun, once") {
    fields.emplace_back("rotate", map_of({{"size", scalar("1MiB")}}));
    FileSinkFixture f(fields);
    const std::string state = f.first_run();
    columns(f, "other");
    for (int attempt = 0; attempt < 2; ++attempt) {  // the first one dies before its checkpoint
      auto sink = f.open(state);
      REQUIRE(sink->write(FileSinkFixture::batch(2), f.out));
      REQUIRE(sink->tick(f.out));
      CHECK(read_file(f.path() + ".000001") == "n\n10\n11\n");
      CHECK(read_file(f.path()) == "other\n20\n21\n");
      if (attempt == 0) continue;
      const std::string next = checkpoint(*sink, 2);
      sink.reset();
      REQUIRE(f.open(next)->write(FileSinkFixture::batch(3), f.out));
    }
    CHECK_FALSE(std::filesystem::exists(f.path() + ".000002"));
  }
}

TEST_CASE("Time begins a new file, only when there is something in the old one") {
  FileSinkFixture f({{"rotate", map_of({{"every", scalar("1m")}})}});
  auto sink = f.open();
  f.clock.advance(Duration::from_seconds(100));
  REQUIRE(sink->tick(f.out));
  CHECK_FALSE(std::filesystem::exists(f.path() + ".000001"));
  REQUIRE(sink->write(FileSinkFixture::batch(1), f.out));
  f.clock.advance(Duration::from_seconds(100));
  REQUIRE(sink->tick(f.out));
  CHECK(read_file(f.path() + ".000001") == "{\"n\":10}\n{\"n\":11}\n");
  CHECK(read_file(f.path()).empty());
}

TEST_CASE("A write that the system refuses is retried without loss or repetition") {
  TempDir dir;
  FileSegments segments(dir.file("out"));
  REQUIRE(segments.restore({}));
  struct rlimit old {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = old;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  segments.put(std::string(1500, 'x'));
  const bool failed = !segments.flush().has_value();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, before);
  CHECK(failed);
  CHECK(segments.unwritten() == 500);
  REQUIRE(segments.sync());
  CHECK(read_file(dir.file("out")) == std::string(1500, 'x'));
}

TEST_CASE("Of the full files only the newest are kept, once what is in them is committed") {
  FileSinkFixture f({{"rotate", map_of({{"size", scalar("20")}, {"keep", scalar("2")}})}});
  auto sink = f.open();
  const auto there = [&](int s) {
    return std::filesystem::exists(f.path() + FileSinkFixture::fmt_number(s));
  };
  for (int n = 1; n <= 6; ++n) REQUIRE(sink->write(FileSinkFixture::batch(n), f.out));
  REQUIRE(sink->barrier(1));
  REQUIRE(sink->prepared(1));
  CHECK(there(1));
  sink->committed(1);
  CHECK_FALSE(there(1));
  CHECK_FALSE(there(3));
  CHECK(there(4));
  CHECK(there(5));
}
