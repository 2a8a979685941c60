// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/outbox.h"

#include "tests/engine/io/delivery/items.h"

#include <filesystem>

namespace streamd::delivery {
namespace {

using test::documents_of;
using test::frames_of;
using test::Texts;

constexpr std::size_t kMany = 1000, kBytes = 1 << 16;

class Box {
 public:
  explicit Box(const test::TempDir& dir, std::uint64_t segment = 16 << 20,
               std::uint64_t limit = 1 << 30) {
    options_.folder = dir.path() + "/outbox/node";
    options_.segment = segment;
    options_.limit = limit;
  }
  Result<std::unique_ptr<Outbox>> open(const std::string& state) const {
    return Outbox::open(options_, state);
  }
  std::unique_ptr<Outbox> opened(const std::string& state) const {
    auto box = open(state);
    INFO((box ? "" : box.error().message));
    REQUIRE(box);
    return std::move(*box);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder))
      names.push_back(entry.path().filename().string());
    return names;
  }
  const std::string& folder() const { return options_.folder; }

 private:
  OutboxOptions options_;
};

void put(Outbox& box, const Texts& documents) {
  REQUIRE(box.append(frames_of(documents, box.end())));
}

Texts left(const Outbox& box) {
  Texts all;
  for (std::uint64_t place = box.begin(); place < box.end();) {
    auto items = box.read(place, box.end(), kMany, kBytes);
    INFO((items ? "" : items.error().message));
    REQUIRE(items);
    REQUIRE(!items->empty());
    for (auto& document : documents_of(*items)) all.push_back(document);
    place = items->back().end;
  }
  return all;
}

std::string commit(Outbox& box) {
  const std::string state = box.state();
  REQUIRE(Outbox::sync(box.begin_sync().value()));
  REQUIRE(box.committed(box.end()));
  return state;
}

TEST_CASE("What was put in comes out in order, with all its texts") {
  test::TempDir dir;
  auto box = Box(dir).opened("");
  put(*box, {"a", "b"});
  put(*box, {"", std::string(100'000, 'x')});
  CHECK(left(*box) == Texts{"a", "b", "", std::string(100'000, 'x')});
  const auto items = box->read(box->begin(), box->end(), 1, 1).value();
  REQUIRE(items.size() == 1);
  CHECK(items[0].route == "route");
  CHECK(items[0].node == "source");
  CHECK(items[0].id == "a");
}

TEST_CASE("What no epoch knows is cut off at the next start, what is over is not sent again") {
  test::TempDir dir;
  const Box place(dir, 64);
  std::string state;
  {
    auto box = place.opened("");
    put(*box, {"a", "b", "c"});
    state = commit(*box);
    put(*box, {"lost"});
    put(*box, {"lost too"});
    const auto items = box->read(box->begin(), box->end(), 1, kBytes).value();
    REQUIRE(box->finished(items[0].end));
  }
  {
    auto box = place.opened(state);
    CHECK(left(*box) == Texts{"b", "c"});
    put(*box, {"d"});
    CHECK(left(*box) == Texts{"b", "c", "d"});
    // Without an epoch of its own, this run is as if it had never been.
  }
  CHECK(left(*place.opened(state)) == Texts{"b", "c"});
}

TEST_CASE("What is over but not committed is not counted as over after a restart") {
  test::TempDir dir;
  const Box place(dir);
  std::string state;
  {
    auto box = place.opened("");
    put(*box, {"a"});
    state = commit(*box);
    put(*box, {"b", "c"});
    REQUIRE(box->finished(box->end()));
    CHECK(left(*box).empty());
  }
  auto box = place.opened(state);
  put(*box, {"B", "C"});
  CHECK(left(*box) == Texts{"B", "C"});
}

TEST_CASE("Without a committed epoch the outbox begins empty") {
  test::TempDir dir;
  const Box place(dir);
  put(*place.opened(""), {"a"});
  CHECK(left(*place.opened("")).empty());
}

TEST_CASE("Files that hold nothing but what is over are deleted") {
  test::TempDir dir;
  const Box place(dir, 1000);
  auto box = place.opened("");
  for (int i = 0; i < 100; ++i) put(*box, {std::string(100, 'x')});
  CHECK(place.files().size() > 10);
  REQUIRE(box->finished(box->end()));
  CHECK(place.files().size() > 10);  // not committed yet
  const std::string state = commit(*box);
  CHECK(place.files().size() <= 2);
  box.reset();
  box = place.opened(state);
  CHECK(left(*box).empty());
  put(*box, {"next"});
  CHECK(left(*box) == Texts{"next"});
}

TEST_CASE("An outbox takes what fits, and anything when it is empty") {
  test::TempDir dir;
  auto box = Box(dir, 256, 1000).opened("");
  CHECK(box->has_room(5000));
  put(*box, {std::string(200, 'x')});
  CHECK(box->has_room(100));
  CHECK_FALSE(box->has_room(900));
  REQUIRE(box->finished(box->end()));
  CHECK(box->has_room(900));
}

TEST_CASE("Damage is told with the file and what to do, never read over") {
  test::TempDir dir;
  const Box place(dir, 200);
  std::string state;
  {
    auto box = place.opened("");
    for (int i = 0; i < 5; ++i) put(*box, {std::string(150, 'x')});
    state = commit(*box);
  }
  auto names = place.files();
  std::sort(names.begin(), names.end());
  REQUIRE(names.size() == 6);  // and `sent`
  const std::string second = place.folder() + "/" + names[1];

  SECTION("every flipped byte") {
    const std::string good = test::read_file(second);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] ^= 0x20;
      test::write_file(second, bad);
      auto box = place.opened(state);
      const auto first = box->read(0, box->end(), 1, kBytes).value();
      const auto read = box->read(first[0].end, box->end(), 1, kBytes);
      REQUIRE_FALSE(read);
      CHECK(read.error().message.find("damaged") != std::string::npos);
      CHECK(read.error().hint.find("--fresh") != std::string::npos);
    }
  }
  SECTION("a file in the middle is missing") {
    std::filesystem::remove(second);
    const auto box = place.open(state);
    REQUIRE_FALSE(box);
    CHECK(box.error().message.find("missing") != std::string::npos);
  }
  SECTION("the first one is missing") {
    std::filesystem::remove(place.folder() + "/" + names[0]);
    CHECK_FALSE(place.open(state));
  }
  SECTION("the end is missing") {
    std::filesystem::resize_file(place.folder() + "/" + names[4], 10);
    CHECK_FALSE(place.open(state));
  }
  SECTION("two files have changed places") {
    std::filesystem::rename(second, dir.file("kept"));
    std::filesystem::rename(place.folder() + "/" + names[2], second);
    std::filesystem::rename(dir.file("kept"), place.folder() + "/" + names[2]);
    auto box = place.opened(state);
    const auto first = box->read(0, box->end(), 1, kBytes).value();
    CHECK_FALSE(box->read(first[0].end, box->end(), 1, kBytes));
  }
  SECTION("what is over up to is unreadable: all is sent again") {
    test::write_file(place.folder() + "/sent", "nonsense that is long enough for two slots");
    CHECK(left(*place.opened(state)).size() == 5);
  }
  SECTION("the stored end is of another version") { CHECK_FALSE(place.open("2:10")); }
}

TEST_CASE("A copy of an item stands by itself") {
  Item copy;
  {
    auto chunk = std::make_shared<std::string>(frames_of({"some document"}, 7));
    Item item;
    REQUIRE(read_frame(*chunk, 7, item) == Frame::whole);
    item.chunk = chunk;
    copy = own_copy(item);
  }
  CHECK(copy.document == "some document");
  CHECK(copy.begin == 7);
  CHECK(copy.chunk.use_count() == 1);
}

TEST_CASE("A frame that is cut anywhere says so") {
  const std::string whole = frames_of({"document"}, 0);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    Item item;
    CHECK(read_frame(std::string_view(whole).substr(0, n), 0, item) == Frame::cut);
  }
}

}  // namespace
}  // namespace streamd::delivery
