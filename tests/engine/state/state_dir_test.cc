// SPDX-License-Identifier: Apache-2.0
#include "engine/state/state_dir.h"

#include "engine/state/backend.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace streamd;

TEST_CASE("a state folder belongs to one process at a time", "[state]") {
  const test::TempDir root;
  const ManualClock clock;
  {
    const auto first = StateDir::open(root.path().string(), "nginx", false, clock);
    REQUIRE(first);
    const auto second = StateDir::open(root.path().string(), "nginx", false, clock);
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("locked by process " + std::to_string(::getpid())) !=
          std::string::npos);
    CHECK(StateDir::open(root.path().string(), "other", false, clock));
  }
  CHECK(StateDir::open(root.path().string(), "nginx", false, clock));
}

TEST_CASE("--fresh keeps the earlier state in an archive", "[state]") {
  const test::TempDir root;
  const ManualClock clock({1'704'067'200'000'000});
  {
    const auto dir = StateDir::open(root.path().string(), "nginx", false, clock);
    REQUIRE(dir);
    std::filesystem::create_directories(dir->db());
    std::ofstream(dir->db() + "/row") << "old";
  }
  const auto dir = StateDir::open(root.path().string(), "nginx", true, clock);
  REQUIRE(dir);
  CHECK_FALSE(std::filesystem::exists(dir->db()));
  CHECK(dir->archived_to() == root / "nginx.archived-20240101T000000Z");
  CHECK(std::filesystem::exists(dir->archived_to() + "/db/row"));
  CHECK_FALSE(StateDir::open(root.path().string(), "nginx", true, clock));
}

TEST_CASE("a folder that can't be made is an error with a way out", "[state]") {
  const test::TempDir root;
  std::ofstream(root / "file") << "not a folder";
  const auto dir = StateDir::open(root / "file", "nginx", false, ManualClock());
  REQUIRE_FALSE(dir);
  CHECK(dir.error().hint.find("--state-dir") != std::string::npos);
}

TEST_CASE("the noted epoch is the last one, or unknown when the note is damaged", "[state]") {
  const test::TempDir root;
  const ManualClock clock;
  {
    auto dir = StateDir::open(root.path().string(), "nginx", false, clock);
    REQUIRE(dir);
    CHECK_FALSE(dir->noted_epoch());
    dir->note_epoch(999);
    dir->note_epoch(1000);
    CHECK(dir->noted_epoch() == 1000u);
  }
  {
    std::fstream note(root / "nginx/EPOCH");
    note.seekp(3);
    note.put('9');
  }
  const auto dir = StateDir::open(root.path().string(), "nginx", false, clock);
  REQUIRE(dir);
  CHECK_FALSE(dir->noted_epoch());
}
