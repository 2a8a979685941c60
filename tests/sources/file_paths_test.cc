// SPDX-License-Identifier: Apache-2.0
#include "sources/file_paths.h"

#include "sources/file_position.h"
#include "tests/contract/component.h"

using namespace streamd;

TEST_CASE("A rotated name leads back to its log") {
  CHECK(log_of("/l/access.log") == "/l/access.log");
  CHECK(log_of("/l/access.log.1") == "/l/access.log");
  CHECK(log_of("/l/access.log.12.gz") == "/l/access.log");
  CHECK(log_of("/l/access.log-20240102.gz") == "/l/access.log");
  CHECK(log_of("/l/part-2.ndjson") == "/l/part-2.ndjson");
  CHECK(log_of("/l/v-2") == "/l/v-2");
}

TEST_CASE("Patterns find regular files once, sorted, without the excluded ones") {
  test::TempDir dir;
  for (const char* name : {"b.log", "a.log", "a.log.gz", "c.txt"})
    test::write_file(dir.file(name), "x");
  std::filesystem::create_directory(dir.file("d.log"));
  CHECK(find_files({dir.file("*.log*"), dir.file("a.log")}, {"*.gz"}) ==
        std::vector<std::string>{dir.file("a.log"), dir.file("b.log")});
  CHECK(find_files({dir.file("nothing*")}, {}).empty());
}

TEST_CASE("A position prints and parses, and nonsense does not") {
  FilePosition p;
  p.id = {2049, 77};
  p.fingerprint = 0xABCDEF0123456789ull;
  p.offset = 12345;
  p.tail = 42;
  p.state = FilePosition::State::skipping;
  const auto again = FilePosition::parse(p.print());
  REQUIRE(again);
  CHECK(again->print() == p.print());
  CHECK(again->id == p.id);
  for (const char* bad : {"", "1:", "2:1:2:3:4:5:r", "1:1:2:3:4:5:x", "1:1:2:3:4:5",
                          "1:a:2:3:4:5:r", "1:1:2:3:4:5:rr"})
    CHECK_FALSE(FilePosition::parse(bad));
}
