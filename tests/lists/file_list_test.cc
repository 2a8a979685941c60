// SPDX-License-Identifier: Apache-2.0
#include "tests/lists/list_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

ConfigNode path_of(const std::string& path) { return map_of({{"path", scalar(path)}}); }

}  // namespace

TEST_CASE("A file list is read once and again when the file has changed") {
  TempDir dir;
  write_file(dir.file("l"), "10.0.0.0/8,ours\nevil.example\n");
  ListFixture f("file", path_of(dir.file("l")));
  const auto first = f.load();
  REQUIRE(first.list);
  CHECK(first.remark.empty());
  CHECK(has(*first.list, "10.1.1.1"));
  CHECK(has(*first.list, "www.evil.example"));
  CHECK_FALSE(f.load().list);

  append_file(dir.file("l"), "192.0.2.7\n");
  const auto second = f.load();
  REQUIRE(second.list);
  CHECK(has(*second.list, "192.0.2.7"));
  CHECK_FALSE(has(*first.list, "192.0.2.7"));
  CHECK(second.notice == "read again: 3 entries");
  CHECK_FALSE(f.load().list);
}

TEST_CASE("A file list follows a file that is replaced by one of the same size") {
  TempDir dir;
  write_file(dir.file("l"), "10.0.0.1\n");
  ListFixture f("file", path_of(dir.file("l")));
  REQUIRE(f.load().list);
  write_file(dir.file("new"), "10.0.0.2\n");
  std::filesystem::last_write_time(dir.file("new"),
                                   std::filesystem::last_write_time(dir.file("l")));
  std::filesystem::rename(dir.file("new"), dir.file("l"));
  const auto update = f.load();
  REQUIRE(update.list);
  CHECK(has(*update.list, "10.0.0.2"));
}

TEST_CASE("A file that is not there is an error that may heal once it was there") {
  TempDir dir;
  ListFixture f("file", path_of(dir.file("l")));
  const Error first = f.error();
  CHECK(first.retry == Retry::never);
  CHECK(first.message == "cannot read " + dir.file("l") + ": No such file or directory");
  write_file(dir.file("l"), "10.0.0.1\n");
  REQUIRE(f.load().list);
  std::filesystem::remove(dir.file("l"));
  CHECK(f.error().retry == Retry::backoff);
  write_file(dir.file("l"), "10.0.0.2\n");
  CHECK(has(*f.load().list, "10.0.0.2"));
}

TEST_CASE("A folder or a too large file is no list") {
  TempDir dir;
  ListFixture folder("file", path_of(dir.path()));
  CHECK(folder.error().message.find("Is a directory") != std::string::npos);
  write_file(dir.file("l"), std::string(100, 'x'));
  ListFixture large("file", map_of({{"path", scalar(dir.file("l"))}, {"max_size", scalar("10")}}));
  CHECK(large.error().message.find("more than max_size") != std::string::npos);
}

TEST_CASE("An empty file is an empty list, and broken lines are told") {
  TempDir dir;
  write_file(dir.file("l"), "");
  ListFixture f("file", path_of(dir.file("l")));
  const auto empty = f.load();
  REQUIRE(empty.list);
  CHECK(empty.list->size() == 0);
  write_file(dir.file("l"), "10.0.0.1\n10.0.0\n");
  const auto broken = f.load();
  CHECK(broken.list->size() == 1);
  CHECK(broken.remark ==
        "1 of 2 lines could not be used: line 2: \"10.0.0\" is no address or network");
}

TEST_CASE("Settings of a file list are checked") {
  const auto errors = [](const char* key, const char* value) {
    return ListFixture("file", map_of({{"path", scalar("x")}, {key, scalar(value)}}))
        .problems.errors();
  };
  CHECK(errors("refresh", "0s") == 1);
  CHECK(errors("refresh", "10") == 1);
  CHECK(errors("max_shrink", "2") == 1);
  CHECK(errors("entries", "ips") == 1);
  CHECK(errors("entries", "ip") == 0);
  CHECK(ListFixture("file", map_of({})).problems.errors() == 1);
}

TEST_CASE("An inline list has its values, and its mistakes are those of the pipeline file") {
  ListFixture f("inline", map_of({{"values", list_of({"10.0.0.0/8", "evil.example", "root"})}}));
  const auto update = f.load();
  CHECK(has(*update.list, "10.2.3.4"));
  CHECK(has(*update.list, "x.evil.example"));
  CHECK(has(*update.list, "root"));
  ListFixture wrong("inline", map_of({{"values", list_of({"10.0.0.0/8", "10.0.0.0/40"})}}));
  REQUIRE(wrong.problems.errors() == 1);
  CHECK(wrong.problems.all()[0].message == "\"10.0.0.0/40\" is no address or network");
}

TEST_CASE("An inline list takes ranges of addresses as a file does") {
  ListFixture f("inline", map_of({{"values", list_of({"192.0.2.1-192.0.2.9"})}}));
  const auto update = f.load();
  CHECK(has(*update.list, "192.0.2.1"));
  CHECK(has(*update.list, "192.0.2.9"));
  CHECK_FALSE(has(*update.list, "192.0.2.10"));
  ListFixture wrong("inline",
                    map_of({{"values", list_of({"192.0.2.9-192.0.2.1", "192.0.2.1-9"})}}));
  REQUIRE(wrong.problems.errors() == 2);
  CHECK(wrong.problems.all()[0].message == "\"192.0.2.9-192.0.2.1\" ends before it begins");
  CHECK(wrong.problems.all()[1].message == "\"192.0.2.1-9\" is no address or network");
}
