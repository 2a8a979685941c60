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
  CHECK(dir->archived_to() == std::vector{root / "nginx.archived-20240101T000000Z"});
  CHECK(std::filesystem::exists(dir->archived_to().front() + "/db/row"));
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

TEST_CASE("state of a pipeline that ran alone is not left behind in silence by a joint job",
          "[state]") {
  const test::TempDir root;
  const ManualClock clock({1'704'067'200'000'000});
  const auto open = [&](const std::string& name, bool fresh,
                        const std::vector<std::string>& members) {
    return StateDir::open(root.path().string(), name, fresh, clock, members);
  };
  const auto with_state = [](const StateDir& dir) {
    std::filesystem::create_directories(dir.db());
  };
  with_state(*open("a", false, {}));

  const auto refused = open("a+b", false, {"a", "b"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::state);
  CHECK(refused.error().message.find("a+b has no state yet, but " + (root / "a")) == 0);
  CHECK(refused.error().hint.find("run a again") != std::string::npos);

  {
    const auto anew = open("a+b", true, {"a", "b"});
    REQUIRE(anew);
    CHECK(anew->archived_to() == std::vector{root / "a.archived-20240101T000000Z"});
    with_state(*anew);
  }
  CHECK(open("a+b", false, {"a", "b"}));  // what was archived does not count

  const auto alone = open("b", false, {});
  REQUIRE_FALSE(alone);
  CHECK(alone.error().message.find(root / "a+b") != std::string::npos);
  CHECK(alone.error().hint.find("a, b") != std::string::npos);
  CHECK(open("c", false, {}));

  const auto held = open("a+b", false, {"a", "b"});
  REQUIRE(held);
  const auto busy = open("b", true, {});
  REQUIRE_FALSE(busy);
  CHECK(busy.error().message.find("is locked by process") != std::string::npos);
}
