// SPDX-License-Identifier: Apache-2.0
// One flipped byte anywhere in the state: noticed, or without effect. Never used, never a silent
// fresh start.
#include "engine/state/epoch_store.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

using namespace streamd;
namespace fs = std::filesystem;

namespace {

void write_epochs(const std::string& dir) {
  auto backend = open_rocksdb_backend(dir);
  REQUIRE(backend);
  auto store = EpochStore::open(std::move(*backend), 7);
  REQUIRE(store);
  REQUIRE((*store)->declare({{{"window"}, "by a"}}, {}));
  for (Epoch epoch = 1; epoch <= 3; ++epoch) {
    EpochParts parts;
    const auto writer = (*store)->writer("window", parts.state);
    for (unsigned group = 0; group < 8; ++group)
      writer->put(group, "key", std::string(40, static_cast<char>('a' + epoch)));
    REQUIRE((*store)->commit(epoch, parts));
  }
}

// The letter that all rows hold: they are of one epoch. 0: reading was refused.
char epoch_letter(const std::string& dir) {
  auto backend = open_rocksdb_backend(dir);
  if (!backend) return 0;
  auto store = EpochStore::open(std::move(*backend), 7);
  if (!store) return 0;
  if ((*store)->is_new()) return '?';
  if (!(*store)->declare({{{"window"}, "by a"}}, {})) return 0;
  char letter = 0;
  std::size_t rows = 0;
  const auto status = (*store)
                          ->reader("window", 0, 255)
                          ->scan([&](unsigned, std::string_view, std::string_view value) -> Status {
                            for (const char c : value) {
                              if (letter == 0) letter = c;
                              if (c != letter) return fail(ErrorKind::internal, "mixed");
                            }
                            ++rows;
                            return {};
                          });
  if (!status) return status.error().message == "mixed" ? '?' : 0;
  if (rows == 0 && (*store)->last_epoch() == 0) return 'a';
  return rows == 8 && letter == static_cast<char>('a' + (*store)->last_epoch()) ? letter : '?';
}

// What is stored of the window by group; nullopt: reading was refused.
std::optional<std::map<unsigned, std::string>> rows_in(const std::string& dir) {
  auto backend = open_rocksdb_backend(dir);
  if (!backend) return std::nullopt;
  auto store = EpochStore::open(std::move(*backend), 7);
  if (!store || !(*store)->declare({{{"window"}, "by a"}}, {})) return std::nullopt;
  std::map<unsigned, std::string> found;
  const auto status =
      (*store)
          ->reader("window", 0, 255)
          ->scan([&](unsigned group, std::string_view, std::string_view value) -> Status {
            found[group] = value;
            return {};
          });
  return status ? std::optional(found) : std::nullopt;
}

// Another start, which finds the log of the one before and makes a table file of it.
void write_one_more(const std::string& dir, unsigned group) {
  auto backend = open_rocksdb_backend(dir);
  REQUIRE(backend);
  auto store = EpochStore::open(std::move(*backend), 7);
  REQUIRE(store);
  REQUIRE((*store)->declare({{{"window"}, "by a"}}, {}));
  EpochParts parts;
  (*store)->writer("window", parts.state)->put(group, "key", "more");
  REQUIRE((*store)->commit((*store)->last_epoch() + 1, parts));
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a manifest that seems to end early is no hole in the state", "[state]") {
  const test::TempDir root;
  write_epochs(root / "good");
  for (unsigned group = 0; group < 5; ++group) write_one_more(root / "good", group);
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(root / "good"))
    if (entry.path().filename().string().rfind("MANIFEST", 0) == 0) manifest = entry.path();
  const std::string bytes = read_file(manifest);
  fs::copy(root / "good", root / "whole", fs::copy_options::recursive);
  const auto expected = rows_in(root / "whole");
  REQUIRE(expected);
  REQUIRE(expected->size() == 8);

  // A record: checksum (4 bytes), length (2), type (1), content.
  std::size_t records = 0, refused = 0;
  for (std::size_t at = 0; at + 7 <= bytes.size(); ++records) {
    fs::remove_all(root / "bad");
    fs::copy(root / "good", root / "bad", fs::copy_options::recursive);
    std::string flipped = bytes;
    flipped[at + 5] = static_cast<char>(flipped[at + 5] ^ 0x10);
    std::ofstream(fs::path(root / "bad") / manifest.filename(), std::ios::binary) << flipped;
    INFO("record at byte " << at << " of " << bytes.size());
    const auto found = rows_in(root / "bad");
    CHECK((!found || found == expected));
    refused += !found;
    at += 7 + static_cast<unsigned char>(bytes[at + 4]) +
          256u * static_cast<unsigned char>(bytes[at + 5]);
  }
  CHECK(records > 3);
  CHECK(refused > 1);
}

TEST_CASE("a flipped byte in the state is refused or leaves a whole epoch", "[state]") {
  const test::TempDir root;
  write_epochs(root / "good");
  REQUIRE(epoch_letter(root / "good") == 'd');
  fs::remove_all(root / "good");
  write_epochs(root / "good");
  std::size_t tried = 0, refused = 0;
  for (const auto& entry : fs::directory_iterator(root / "good")) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.rfind("LOG", 0) == 0 || name == "LOCK") continue;
    const auto size = entry.file_size();
    for (std::uintmax_t at = 0; at < size; at += 1 + size / 23) {
      fs::remove_all(root / "bad");
      fs::copy(root / "good", root / "bad", fs::copy_options::recursive);
      std::fstream file(root / ("bad/" + name), std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const char byte = static_cast<char>(file.get() ^ 0x5a);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(byte);
      file.close();
      INFO(name << " byte " << at);
      const char letter = epoch_letter(root / "bad");
      CHECK(letter != '?');
      ++tried;
      if (letter == 0) ++refused;
    }
  }
  CHECK(tried > 40);
  CHECK(refused > tried / 4);
}
