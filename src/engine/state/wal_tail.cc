// SPDX-License-Identifier: Apache-2.0
#include "engine/state/wal_tail.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

namespace streamd {
namespace fs = std::filesystem;
namespace {

// RocksDB's format: blocks of 32 KiB hold fragments of writes. A fragment is the masked CRC-32C of
// its type and content (4 bytes), the content's length (2), the type (1), and the content. What is
// too short for a header at the end of a block is zeros.
constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;
constexpr unsigned kFull = 1, kFirst = 2, kLast = 4;

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0x82F63B78u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t c = ~0u;
  for (const char b : bytes) c = kTable[(c ^ static_cast<unsigned char>(b)) & 0xFF] ^ (c >> 8);
  c = ~c;
  return ((c >> 15) | (c << 17)) + 0xa282ead8u;
}

struct Fragment {
  unsigned type;
  std::size_t size;
  bool begins() const { return type == kFull || type == kFirst; }
};

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

// The fragment at the start of what is left of a block.
std::optional<Fragment> fragment(std::string_view rest) {
  if (rest.size() < kHeader) return std::nullopt;
  const std::size_t length = byte_at(rest, 4) | byte_at(rest, 5) << 8;
  const unsigned type = byte_at(rest, 6);
  if (type < kFull || type > kLast || kHeader + length > rest.size()) return std::nullopt;
  const std::uint32_t crc =
      byte_at(rest, 0) | byte_at(rest, 1) << 8 | byte_at(rest, 2) << 16 | byte_at(rest, 3) << 24;
  if (crc != masked_crc(rest.substr(kHeader - 1, length + 1))) return std::nullopt;
  return Fragment{type, kHeader + length};
}

// Where fragments lie behind bytes that do not decode, nobody knows: anywhere.
bool begins_within(std::string_view block) {
  for (; block.size() >= kHeader; block.remove_prefix(1))
    if (const auto found = fragment(block); found && found->begins()) return true;
  return false;
}

}  // namespace

WalEnd wal_end(std::string_view log) {
  bool torn = false;
  for (; !log.empty(); log.remove_prefix(std::min(log.size(), kBlock))) {
    std::string_view block = log.substr(0, kBlock);
    const bool cut = block.size() < kBlock;
    while (block.size() >= kHeader || (cut && !block.empty())) {
      const auto found = fragment(block);
      if (!found) {
        if (begins_within(block)) return WalEnd::damaged;
        torn = true;
        break;
      }
      if (torn && found->begins()) return WalEnd::damaged;
      block.remove_prefix(found->size);
    }
  }
  return torn ? WalEnd::torn : WalEnd::whole;
}

bool only_last_write_is_torn(const std::string& dir) {
  std::vector<fs::path> logs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error))
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  // Their names are numbers of one length, counted up.
  std::sort(logs.begin(), logs.end(), [](const fs::path& a, const fs::path& b) {
    const std::string x = a.filename(), y = b.filename();
    return x.size() != y.size() ? x.size() < y.size() : x < y;
  });
  bool torn = false;
  for (const auto& log : logs) {
    std::ifstream file(log, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file && !file.eof()) return false;
    if (torn && !bytes.empty()) return false;
    const WalEnd end = wal_end(bytes);
    if (end == WalEnd::damaged) return false;
    torn = end == WalEnd::torn;
  }
  return torn && !error;
}

}  // namespace streamd
