// SPDX-License-Identifier: Apache-2.0
// Logs under a plain path of which files came and were rotated away while nobody looked.
#include "tests/sources/gzip.h"
#include "tests/sources/tail.h"

#include <filesystem>
#include <fstream>

using namespace streamd;
using namespace streamd::test;
namespace fs = std::filesystem;

namespace {

// log, log.1, log.2, …; each thing that happens to them is a second after the one before.
class Log {
 public:
  std::string path(int number = 0, bool packed = false) const {
    return dir_.file("log" + (number > 0 ? "." + std::to_string(number) : "") +
                     (packed ? ".gz" : ""));
  }
  void write(const std::string& text, int number = 0) {
    append_file(path(number), text);
    touch(path(number));
  }
  void rotate() {
    shift();
    if (fs::exists(path())) fs::rename(path(), path(1));
  }
  void copy() {
    shift();
    fs::copy_file(path(), path(1));
    touch(path(1));
  }
  void cut() {
    fs::resize_file(path(), 0);
    touch(path());
  }
  void compress(int number, bool keep_time) {
    const auto time = fs::last_write_time(path(number));
    write_file(path(number, true), gzip(read_file(path(number))));
    touch(path(number, true));
    if (keep_time) fs::last_write_time(path(number, true), time);
    fs::remove(path(number));
  }

 private:
  void touch(const std::string& file) {
    fs::last_write_time(file, start_ + std::chrono::seconds(++seconds_));
  }
  void shift() {
    for (int number = 8; number > 0; --number)
      for (const bool packed : {false, true})
        if (fs::exists(path(number, packed)))
          fs::rename(path(number, packed), path(number + 1, packed));
  }

  TempDir dir_;
  fs::file_time_type start_ = fs::file_time_type::clock::now() - std::chrono::hours(1);
  int seconds_ = 0;
};

}  // namespace

TEST_CASE("Files that came and went between two looks are read in their turn") {
  Log log;
  log.write("read long ago\n");
  log.rotate();
  log.write("one\n");
  Tail tail(log.path());
  CHECK(tail.read() == "one");
  const bool down = GENERATE(false, true);
  const Positions at = positions_of(*tail.reader);
  log.write("two\n");
  log.rotate();
  log.write("three\nthree and a half\n");
  log.rotate();
  log.write("four\n");
  log.rotate();
  SECTION("as they are") {}
  SECTION("compressed") { log.compress(1, true); }
  SECTION("compressed by what does not keep the time") {
    log.compress(3, false);
    log.compress(2, false);
    log.compress(1, false);
  }
  SECTION("the log is made anew later") {
    if (down) tail.start(at);
    CHECK(tail.read() == "two,three,three and a half,four");
    log.write("five\n");
    CHECK(tail.read() == "five");
    return;
  }
  log.write("five\n");
  if (down) tail.start(at);
  CHECK(tail.read() == "two,three,three and a half,four,five");
  CHECK(tail.read(40).empty());
  // The rotated files are done with; the positions say so after another restart.
  tail.restart();
  log.write("six\n");
  CHECK(tail.read() == "six");
}

TEST_CASE("Rotations between the start and the first look lose nothing") {
  Log log;
  log.write("old\n");
  log.rotate();
  const int rotations = GENERATE(1, 2, 3);
  std::string expected;
  const auto rotate = [&] {
    for (int n = 1; n <= rotations; ++n) {
      log.rotate();
      log.write("new " + std::to_string(n) + "\n");
      expected += (expected.empty() ? "new " : ",new ") + std::to_string(n);
    }
  };
  SECTION("of a log that is read from its beginning") {
    log.write("one\n");
    expected = "one";
    Tail tail(log.path());
    rotate();
    CHECK(tail.read() == expected);
    CHECK(tail.read(40).empty());
  }
  SECTION("of a log that is read from its end") {
    log.write("one\n");
    Tail tail(log.path(), "end");
    rotate();
    CHECK(tail.read() == expected);
  }
  SECTION("of a log that is read on") {
    log.write("one\n");
    Tail tail(log.path());
    CHECK(tail.read() == "one");
    tail.restart();
    log.write("two\n");
    expected = "two";
    rotate();
    CHECK(tail.read() == expected);
  }
  SECTION("of a log that was not there yet") {
    Tail tail(log.path());
    rotate();
    CHECK(tail.read() == expected);
  }
}

TEST_CASE("A file that was missed, but cannot be read yet, is read later") {
  Log log;
  log.write("one\n");
  Tail tail(log.path());
  CHECK(tail.read() == "one");
  log.rotate();
  log.write("tw");
  log.rotate();
  log.write("three\n");
  CHECK(tail.read() == "three");
  log.write("o\n", 1);
  CHECK(tail.read() == "two");
}

TEST_CASE("Copies and old files beside a plain path are not read") {
  Log log;
  log.write("one\n");
  Tail tail(log.path());
  CHECK(tail.read() == "one");
  SECTION("copied and cut once") {
    log.write("two\n");
    log.copy();
    CHECK(tail.read() == "two");
    log.cut();
    log.write("three\n");
    CHECK(tail.read() == "three");
  }
  SECTION("copied and cut twice between two looks") {
    log.write("two\n");
    log.copy();
    log.cut();
    log.write("three\n");
    log.copy();
    log.cut();
    log.write("four\n");
    CHECK(tail.read() == "two,three,four");
  }
  SECTION("copied and cut by hand, with lines in between") {
    log.copy();
    log.write("two\n");
    CHECK(tail.read() == "two");
    log.cut();
    log.write("three\n");
    CHECK(tail.read() == "three");
  }
  SECTION("cut before a start looks") {
    tail.restart();
    log.write("two\n");
    log.copy();
    log.cut();
    log.write("three\n");
    CHECK(tail.read() == "two,three");
  }
  SECTION("copied before a start, and cut after it") {
    log.write("two\n");
    log.copy();
    tail.restart();
    CHECK(tail.read() == "two");
    log.cut();
    log.write("three\n");
    CHECK(tail.read() == "three");
  }
  SECTION("compressed late, with a new time, before a quiet log is rotated") {
    log.rotate();
    log.write("two\n");
    CHECK(tail.read() == "two");
    log.compress(1, false);
    CHECK(tail.read(90).empty());
    log.rotate();
    log.write("three\n");
    CHECK(tail.read() == "three");
  }
  CHECK(tail.read(40).empty());
  tail.restart();
  CHECK(tail.read(40).empty());
}

TEST_CASE("A file that is compressed before anything of it was read is read once") {
  Log log;
  log.write("one\ntwo\nthree\n");
  Tail tail(log.path());
  std::vector<SeenRecord> seen;
  const auto pull = [&] {
    tail.clock.advance(Duration::from_seconds(1));
    pull_once(*tail.reader, seen, 1);
    return seen.back().data;
  };
  CHECK(pull() == "one");
  log.rotate();
  log.write("four\n");
  CHECK(pull() == "two");
  log.rotate();
  log.compress(1, false);
  log.write("five\n");
  CHECK(pull() == "three");
  CHECK(tail.read(5) == "four,five");
  CHECK(tail.read(40).empty());
}

TEST_CASE("What is still written to a log after it was compressed is read") {
  Log log;
  log.write("one\n");
  Tail tail(log.path());
  CHECK(tail.read() == "one");
  std::ofstream writer(log.path(), std::ios::app);
  log.rotate();
  log.compress(1, false);
  log.write("two\n");
  CHECK(tail.read() == "two");
  writer << "late\n" << std::flush;
  CHECK(tail.read() == "late");
  CHECK(tail.read(40).empty());
}
