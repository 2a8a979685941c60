// SPDX-License-Identifier: Apache-2.0
// Files that are followed while they are rotated.
#include "tests/sources/tail.h"

#include <algorithm>
#include <filesystem>

using namespace streamd;
using namespace streamd::test;

TEST_CASE("A followed file gives lines as they are completed") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntw");
  Tail tail(dir.file("log"));
  CHECK(tail.read() == "one");
  std::vector<PartitionState> states;
  tail.reader->partitions(states);
  REQUIRE(states.size() == 1);
  CHECK(states[0].caught_up);
  CHECK_FALSE(states[0].ended);
  append_file(dir.file("log"), "o\nthree\n");
  CHECK(tail.read() == "two,three");
  CHECK(tail.read().empty());
}

TEST_CASE("A file that appears later is read from its beginning") {
  TempDir dir;
  Tail tail(dir.file("log"), "end");
  CHECK(tail.notices.size() == 1);
  CHECK(tail.read().empty());
  write_file(dir.file("log"), "one\n");
  CHECK(tail.read() == "one");
}

TEST_CASE("from: end skips what is there at the first start only") {
  TempDir dir;
  write_file(dir.file("log"), "old\nold\n");
  Tail tail(dir.file("log"), "end");
  append_file(dir.file("log"), "new\n");
  CHECK(tail.read() == "new");
  append_file(dir.file("log"), "newer\n");
  tail.restart();
  CHECK(tail.read() == "newer");
}

TEST_CASE("A renamed file is read to its end before the new one") {
  TempDir dir;
  write_file(dir.file("log"), "one\n");
  Tail tail(dir.file(GENERATE("log", "log*")));
  CHECK(tail.read() == "one");
  std::filesystem::rename(dir.file("log"), dir.file("log.1"));
  append_file(dir.file("log.1"), "two\n");
  write_file(dir.file("log"), "three\n");
  append_file(dir.file("log.1"), "unfinished");
  CHECK(tail.read() == "two,three");
  append_file(dir.file("log"), "four\n");
  CHECK(tail.read() == "four");
  CHECK(tail.read(40) == "unfinished");
  CHECK(tail.read(40).empty());
}

TEST_CASE("A rotation while streamd was down loses and repeats nothing") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntwo\n");
  Tail tail(dir.file(GENERATE("log", "log*")));
  CHECK(tail.read() == "one,two");
  append_file(dir.file("log"), "three\n");
  std::filesystem::rename(dir.file("log"), dir.file("log.1"));
  write_file(dir.file("log"), "four\nfive and more\n");
  tail.restart();
  CHECK(tail.read() == "three,four,five and more");
  tail.restart();
  CHECK(tail.read(40).empty());
}

TEST_CASE("A file that is cut begins anew") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntwo\n");
  Tail tail(dir.file("log"));
  CHECK(tail.read() == "one,two");
  SECTION("to less than before") { write_file(dir.file("log"), "three\n"); }
  SECTION("and has grown beyond where it was") {
    write_file(dir.file("log"), "three\nfour and much more\n");
  }
  SECTION("and is as long as before") { write_file(dir.file("log"), "three\n7\n"); }
  SECTION("while streamd is down") {
    write_file(dir.file("log"), "three\n");
    tail.restart();
  }
  CHECK(tail.read().starts_with("three"));
  tail.restart();
  CHECK(tail.read().empty());
}

TEST_CASE("What copytruncate saved in the copy is still read") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntwo\n");
  Tail tail(dir.file(GENERATE("log", "log*")));
  CHECK(tail.read() == "one,two");
  append_file(dir.file("log"), "three\n");
  std::filesystem::copy_file(dir.file("log"), dir.file("log.1"));
  write_file(dir.file("log"), "four\n");
  CHECK(tail.read(5) == "three,four");
  CHECK(tail.read(40).empty());
}

TEST_CASE("A file that is cut between two looks at it gives no half lines") {
  TempDir dir;
  write_file(dir.file("log"), "one\n");
  Tail tail(dir.file("log*"));
  REQUIRE(drain(*tail.reader).size() == 1);
  append_file(dir.file("log"), "two\n");
  std::filesystem::copy_file(dir.file("log"), dir.file("log.1"));
  write_file(dir.file("log"), "three\n");
  CHECK(drain(*tail.reader).empty());
  tail.clock.advance(Duration::from_seconds(1));
  CHECK(tail.read(5) == "two,three");
}

TEST_CASE("A copy of the log is not read once more") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntwo\n");
  Tail tail(dir.file("log*"));
  CHECK(tail.read() == "one,two");
  SECTION("while it is made") {
    write_file(dir.file("log.1"), "one\n");
    CHECK(tail.read().empty());
    SECTION("by a run that begins then") { tail.restart(); }
    CHECK(tail.read().empty());
    append_file(dir.file("log"), "three\n");
    append_file(dir.file("log.1"), "two\nthree\n");
    write_file(dir.file("log"), "four\n");
    CHECK(tail.read(5) == "three,four");
  }
  SECTION("when it holds what nobody has read yet") {
    append_file(dir.file("log"), "three\n");
    std::filesystem::copy_file(dir.file("log"), dir.file("log.1"));
    CHECK(tail.read() == "three");
    write_file(dir.file("log"), "four\n");
    CHECK(tail.read(5) == "four");
  }
  CHECK(tail.read(40).empty());
  tail.restart();
  CHECK(tail.read(40).empty());
}

TEST_CASE("A file that only begins like another one is read") {
  TempDir dir;
  write_file(dir.file("log"), "head\none\n");
  Tail tail(dir.file("*"));
  CHECK(tail.read() == "head,one");
  SECTION("of the same log") { write_file(dir.file("log.1"), "head\ntwo\n"); }
  SECTION("of another log, with less in it") {
    write_file(dir.file("other"), "head\n");
    CHECK(tail.read() == "head");
    append_file(dir.file("other"), "two\n");
    CHECK(tail.read() == "two");
    return;
  }
  CHECK(tail.read(5) == "head,two");
}

TEST_CASE("A finished file that one look does not find is not read again") {
  TempDir dir;
  write_file(dir.file("log.1"), "one\n");
  Tail tail(dir.file("log*"));
  CHECK(tail.read() == "one");
  std::filesystem::rename(dir.file("log.1"), dir.file("log.2"));
  CHECK(tail.read(40) == "");
  // As a folder looks that is read while the file is renamed.
  std::filesystem::rename(dir.file("log.2"), dir.file("unseen"));
  CHECK(tail.read(1) == "");
  std::filesystem::rename(dir.file("unseen"), dir.file("log.3"));
  CHECK(tail.read() == "");
  append_file(dir.file("log.3"), "two\n");
  CHECK(tail.read() == "two");
}

TEST_CASE("A file that has the inode of one that was read to its end is a new one") {
  TempDir dir;
  write_file(dir.file("log"), "one\ntwo\n");
  Tail tail(dir.file("log*"));
  CHECK(tail.read() == "one,two");
  std::filesystem::rename(dir.file("log"), dir.file("log.1"));
  CHECK(tail.read(40).empty());
  // As if log.1 had been deleted before.
  const char* const content =
      GENERATE("new\n", "one\n222\n", "one\ntwo more\n", "new, and longer\n");
  write_file(dir.file("log.1"), content);
  std::filesystem::rename(dir.file("log.1"), dir.file("log"));
  std::string lines = content;
  lines.pop_back();
  std::replace(lines.begin(), lines.end(), '\n', ',');
  CHECK(tail.read(5) == lines);
  CHECK(tail.read(40).empty());
  append_file(dir.file("log"), "last\n");
  CHECK(tail.read(5) == "last");
}

TEST_CASE("A file that is deleted and made again is a new one") {
  TempDir dir;
  write_file(dir.file("log"), "one\n");
  Tail tail(dir.file("log"));
  CHECK(tail.read() == "one");
  std::filesystem::remove(dir.file("log"));
  CHECK(tail.read(40).empty());
  write_file(dir.file("log"), "two\n");
  CHECK(tail.read() == "two");
}

TEST_CASE("Many silent files are looked at once in a tenth of a millisecond for each") {
  TempDir dir;
  for (int i = 0; i < 200; ++i) write_file(dir.file(std::to_string(i)), "one\n");
  Tail tail(dir.file("*"));
  CHECK(tail.read(0).size() == 200 * 4 - 1);
  RawBatch batch;
  CHECK(*tail.reader->pull({}, batch) == Pull::idle);
  const Duration looked = tail.clock.monotonic();
  append_file(dir.file("7"), "two\n");
  tail.clock.advance(Duration::from_millis(19));
  CHECK(*tail.reader->pull({}, batch) == Pull::idle);
  CHECK(tail.reader->confirmed_at(tail.clock.monotonic()) == looked);
  tail.clock.advance(Duration::from_millis(1));
  REQUIRE(*tail.reader->pull({}, batch) == Pull::data);
  CHECK(batch.records[0].data == "two");
  CHECK(tail.reader->confirmed_at(tail.clock.monotonic()) == tail.clock.monotonic());
  append_file(dir.file("8"), "two\n");
  REQUIRE(*tail.reader->pull({}, batch) == Pull::data);
}
