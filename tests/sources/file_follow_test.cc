// SPDX-License-Identifier: Apache-2.0
// Files that are followed while they are rotated.
#include "tests/sources/tail.h"
#include "tests/support/open_files.h"

#include <algorithm>
#include <filesystem>
#include <set>

using namespace streamd;
using namespace streamd::test;

namespace {

std::multiset<std::string> split(const std::string& text) {
  std::multiset<std::string> parts;
  std::size_t from = 0;
  for (std::size_t at; from < text.size(); from = at + 1) {
    at = std::min(text.find(',', from), text.size());
    parts.insert(text.substr(from, at - from));
  }
  return parts;
}

}  // namespace

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

TEST_CASE("A log that is cut and begins as before is followed on after a restart") {
  TempDir dir;
  const std::string log = dir.file("log");
  write_file(log, "boot\nready\njob done\n");
  Tail tail(dir.file(GENERATE("log", "log*")));
  CHECK(tail.read() == "boot,ready,job done");
  tail.commit();
  SECTION("to what was read before") {
    write_file(log, "boot\n");
    CHECK(tail.read() == "boot");
    SECTION("at once") {}
    SECTION("after other restarts") {
      tail.restart();
      tail.restart();
    }
    append_file(log, "ready\njob done\n");
    tail.restart();
    CHECK(tail.read() == "ready,job done");
  }
  SECTION("to more") {
    write_file(log, "boot\n");
    CHECK(tail.read() == "boot");
    append_file(log, "ready\njob done\nreq 1\nreq 2\n");
    CHECK(tail.read() == "ready,job done,req 1,req 2");
    tail.restart();
    CHECK(tail.read() == "");
  }
  SECTION("after it was empty") {
    write_file(log, "");
    CHECK(tail.read() == "");
    tail.restart();
    append_file(log, "boot\nready\njob done\n");
    CHECK(tail.read() == "boot,ready,job done");
  }
  SECTION("while streamd is down") {
    write_file(log, "boot\n");
    tail.restart();
    CHECK(tail.read() == "boot");
    append_file(log, "ready\njob done\n");
    tail.restart();
    CHECK(tail.read() == "ready,job done");
  }
  CHECK(tail.read(40) == "");
  tail.commit();
  CHECK(tail.stored.size() == 1);
}

TEST_CASE("State in which positions of cut logs have stayed is read as it was meant") {
  TempDir dir;
  const std::string log = dir.file("log");
  write_file(log, "boot\nready\n");
  Tail tail(log);
  CHECK(tail.read() == "boot,ready");
  tail.commit();
  const auto [name, longest] = *tail.stored.begin();
  Positions at{{name, longest}};
  for (int n = 2; n <= 12; ++n) at[name + "." + std::to_string(n)] = longest;
  write_file(log, "boot\n");
  Tail other(log);
  CHECK(other.read() == "boot");
  other.commit();
  at[name + ".13"] = other.stored.begin()->second;
  append_file(log, "ready\nsteady\n");
  tail.start(at);
  CHECK(tail.read() == "ready,steady");
  CHECK(tail.notices.size() == 12);
  tail.restart();
  CHECK(tail.notices.size() == 12);
  CHECK(tail.stored.size() == 1);
  CHECK(tail.stored.contains(name + ".13"));
  CHECK(tail.read() == "");
}

TEST_CASE("A log that is cut again and again gives each of its partitions a name of its own") {
  TempDir dir;
  Tail tail(dir.file("log"));
  std::set<std::string> names;
  for (int n = 0; n < 12; ++n) {
    write_file(dir.file("log"), "");
    tail.read();
    if (n % 2 == 0) tail.restart();
    // As bytes are compared: a cut shows by the size, or by other bytes before the position.
    write_file(dir.file("log"), n % 3 == 0 ? "odd\n" : "boot\n");
    if (n % 4 == 0) tail.restart();
    CHECK(tail.read() == (n % 3 == 0 ? "odd" : "boot"));
    tail.commit();
    CHECK(tail.stored.size() == 1);
    CHECK(names.insert(tail.stored.begin()->first).second);
  }
}

TEST_CASE("Positions of files that are gone are forgotten, those of rotated ones are not") {
  TempDir dir;
  write_file(dir.file("log"), "one\n");
  Tail tail(dir.file(GENERATE("log", "log*")));
  CHECK(tail.read() == "one");
  std::filesystem::rename(dir.file("log"), dir.file("log.1"));
  write_file(dir.file("log"), "two\n");
  CHECK(tail.read(80) == "two");
  tail.commit();
  CHECK(tail.stored.size() == 2);
  std::filesystem::rename(dir.file("log.1"), dir.file("log.2"));
  CHECK(tail.read(80) == "");
  tail.commit();
  CHECK(tail.stored.size() == 2);
  SECTION("while it runs") {
    std::filesystem::remove(dir.file("log.2"));
    CHECK(tail.read(80) == "");
    tail.commit();
  }
  SECTION("while it is down") {
    std::filesystem::remove(dir.file("log.2"));
    tail.restart();
    CHECK(tail.read() == "");
    tail.commit();
  }
  CHECK(tail.stored.size() == 1);
  append_file(dir.file("log"), "three\n");
  tail.restart();
  CHECK(tail.read() == "three");
}

TEST_CASE("from: end is still for the first start only when all files are gone") {
  TempDir dir;
  write_file(dir.file("log"), "old\n");
  Tail tail(dir.file("log"), "end");
  CHECK(tail.read() == "");
  std::filesystem::remove(dir.file("log"));
  CHECK(tail.read(80) == "");
  tail.commit();
  CHECK(tail.stored.size() == 1);
  write_file(dir.file("log"), "old\nnew\n");
  tail.restart();
  CHECK(tail.read() == "old,new");
  tail.commit();
  CHECK(tail.stored.size() == 1);
}

TEST_CASE("Positions wait for a disk that is not there") {
  TempDir dir;
  std::filesystem::create_directory(dir.file("disk"));
  write_file(dir.file("disk/log"), "one\n");
  Tail tail(dir.file("disk/log"));
  CHECK(tail.read() == "one");
  tail.commit();
  std::filesystem::rename(dir.file("disk"), dir.file("away"));
  tail.start(Positions(tail.stored));
  CHECK(tail.read(80) == "");
  tail.commit();
  std::filesystem::rename(dir.file("away"), dir.file("disk"));
  append_file(dir.file("disk/log"), "two\n");
  tail.restart();
  CHECK(tail.read() == "two");
}

TEST_CASE("More files are followed than may be open at a time") {
  constexpr int kFiles = 60;
  TempDir dir;
  const OpenFilesLimit few(48);
  const auto path = [&dir](int n) { return dir.file("log-" + std::to_string(n) + ".txt"); };
  std::multiset<std::string> expected;
  const auto write = [&](const std::string& text) {
    expected.clear();
    for (int n = 0; n < kFiles; ++n) {
      append_file(path(n), text + std::to_string(n) + "\n");
      expected.insert(text + std::to_string(n));
    }
  };
  write("one ");
  Tail tail(dir.file("*"));
  CHECK(split(tail.read()) == expected);
  write("two ");
  CHECK(split(tail.read()) == expected);
  write("three ");
  tail.restart();
  CHECK(split(tail.read()) == expected);
  SECTION("renamed") {
    write("four ");
    for (int n = 0; n < kFiles; ++n) std::filesystem::rename(path(n), path(n) + ".1");
    CHECK(split(tail.read()) == expected);
    CHECK(tail.notices.empty());
  }
  SECTION("cut") {
    for (int n = 0; n < kFiles; ++n) std::filesystem::resize_file(path(n), 0);
    write("x");
    CHECK(split(tail.read(5)) == expected);
  }
  SECTION("deleted, which is told of those that were not open") {
    for (int n = 0; n < kFiles; ++n) std::filesystem::remove(path(n));
    CHECK(tail.read(80) == "");
    CHECK(tail.notices.size() >= kFiles - 24);
    tail.commit();
    CHECK(tail.stored.size() == 1);
  }
}
