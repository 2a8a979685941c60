// SPDX-License-Identifier: Apache-2.0
// One flipped byte anywhere in the state: noticed, or without effect. Never used, never a silent
// fresh start.
#include "engine/state/epoch_store.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
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

fs::path newest_log(const std::string& dir) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(dir))
    if (entry.path().extension() == ".log") newest = std::max(newest, entry.path());
  return newest;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes until so many memory tables were full and are files. RocksDB joins files from four on.
void fill_tables(const std::string& dir, std::ptrdiff_t files) {
  const auto is_table = [](const auto& entry) { return entry.path().extension() == ".sst"; };
  auto backend = open_rocksdb_backend(dir);
  REQUIRE(backend);
  const std::string value(1 << 20, 'x');
  for (int row = 0;
       std::count_if(fs::directory_iterator(dir), fs::directory_iterator(), is_table) < files;
       ++row) {
    ChangeSet changes;
    changes.put("row/" + std::to_string(row), value);
    REQUIRE((*backend)->write(changes));
  }
}

std::optional<std::size_t> count_rows(const std::string& dir) {
  auto backend = open_rocksdb_backend(dir);
  if (!backend) return std::nullopt;
  std::size_t rows = 0;
  const auto status = (*backend)->scan("row/", "row0", [&](auto, auto) -> Status {
    ++rows;
    return {};
  });
  return status ? std::optional(rows) : std::nullopt;
}

// Makes each record of the manifest in `good` look like a torn write, one at a time. `look` must
// find all that is there, or be refused (nullopt).
template <class Look>
void check_manifest(const test::TempDir& root, Look look) {
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(root / "good"))
    if (entry.path().filename().string().rfind("MANIFEST", 0) == 0) manifest = entry.path();
  const std::string bytes = read_file(manifest);
  fs::copy(root / "good", root / "whole", fs::copy_options::recursive);
  const auto expected = look(root / "whole");
  REQUIRE(expected);

  // A record: checksum (4 bytes), length (2), type (1), content.
  std::size_t records = 0, refused = 0;
  for (std::size_t at = 0; at + 7 <= bytes.size(); ++records) {
    fs::remove_all(root / "bad");
    fs::copy(root / "good", root / "bad", fs::copy_options::recursive);
    std::string flipped = bytes;
    flipped[at + 5] = static_cast<char>(flipped[at + 5] ^ 0x10);
    std::ofstream(fs::path(root / "bad") / manifest.filename(), std::ios::binary) << flipped;
    INFO("record at byte " << at << " of " << bytes.size());
    const auto found = look(root / "bad");
    CHECK((!found || found == expected));
    refused += !found;
    at += 7 + static_cast<unsigned char>(bytes[at + 4]) +
          256u * static_cast<unsigned char>(bytes[at + 5]);
  }
  CHECK(records > 3);
  CHECK(refused > 1);
}

}  // namespace

TEST_CASE("a last write of which a power cut left some pages did not happen", "[state]") {
  const test::TempDir root;
  const std::string good = root / "good", bad = root / "bad";
  std::string before;
  {
    auto backend = open_rocksdb_backend(good);
    REQUIRE(backend);
    ChangeSet small, large;
    small.put("a", "kept");
    large.put("a", "lost");
    // Over several blocks of the log, each with its own checksums.
    large.put("b", std::string(100'000, 'x'));
    REQUIRE((*backend)->write(small));
    before = read_file(newest_log(good));
    REQUIRE((*backend)->write(large));
    fs::copy(good, root / "killed", fs::copy_options::recursive);
  }
  const std::string log = newest_log(root / "killed").filename();
  const std::string whole = read_file(newest_log(root / "killed"));
  REQUIRE(whole.size() > before.size() + 100'000);

  const auto stored = [&](const std::string& bytes) -> std::string {
    fs::remove_all(bad);
    fs::copy(root / "killed", bad, fs::copy_options::recursive);
    std::ofstream(bad + "/" + log, std::ios::binary) << bytes;
    auto backend = open_rocksdb_backend(bad);
    return backend ? (*backend)->get("a")->value_or("nothing") : "refused";
  };
  CHECK(stored(whole) == "lost");
  for (std::size_t at = before.size(); at < whole.size(); at += 4096 - at % 4096) {
    const std::size_t end = std::min(whole.size(), at - at % 4096 + 4096);
    std::string bytes = whole;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
              bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    INFO("zeros from " << at << " to " << end << " of " << whole.size());
    CHECK(stored(bytes) == "kept");
  }
  // What another write follows was synced.
  for (std::size_t at = 0; at < before.size(); at += 3) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x21);
    INFO("byte " << at << " of " << before.size());
    CHECK(stored(bytes) == "refused");
  }
}

TEST_CASE("a manifest that seems to end early is no hole in the state", "[state]") {
  const test::TempDir root;
  write_epochs(root / "good");
  for (unsigned group = 0; group < 5; ++group) write_one_more(root / "good", group);
  check_manifest(root, rows_in);
}

TEST_CASE("nor is one when its tables were filled in one run", "[state]") {
  const test::TempDir root;
  fill_tables(root / "good", 3);
  check_manifest(root, count_rows);
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
