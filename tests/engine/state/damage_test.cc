// SPDX-License-Identifier: Apache-2.0
// One flipped byte anywhere in the state: noticed, or without effect. Never used, never a silent
// fresh start.
#include "engine/state/epoch_store.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace streamd;
namespace fs = std::filesystem;

namespace {

void write_epochs(const std::string& dir) {
  auto backend = open_rocksdb_backend(dir);
  REQUIRE(backend);
  auto store = EpochStore::open(std::move(*backend), 7);
  REQUIRE(store);
  REQUIRE((*store)->declare({{"window", "by a"}}, {}));
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
  if (!(*store)->declare({{"window", "by a"}}, {})) return 0;
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

}  // namespace

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
