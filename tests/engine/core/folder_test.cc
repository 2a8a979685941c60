// SPDX-License-Identifier: Apache-2.0
#include "engine/core/folder.h"

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <filesystem>
#include <fstream>

using namespace streamd;

TEST_CASE("folders are made as deep as it takes, and making them again is no error", "[core]") {
  const test::TempDir dir;
  CHECK(!make_folders(dir / "a/b/../c/d/"));
  CHECK(std::filesystem::is_directory(dir / "a/c/d"));
  CHECK(!make_folders(dir / "a/c/d"));
  CHECK(!make_folders("."));
  CHECK(!make_folders(""));
}

TEST_CASE("what is in the way of a folder is an error", "[core]") {
  const test::TempDir dir;
  std::ofstream(dir / "file") << "in the way";
  CHECK(make_folders(dir / "file/below") == std::errc::not_a_directory);
  CHECK(make_folders(dir / "file") == std::errc::not_a_directory);
}

TEST_CASE("only a folder that is there can be synced", "[core]") {
  const test::TempDir dir;
  CHECK(!sync_folder(dir.path().string()));
  CHECK(sync_folder(dir / "missing") == std::errc::no_such_file_or_directory);
  CHECK(folder_of("a/b") == "a");
  CHECK(folder_of("b") == ".");
}
