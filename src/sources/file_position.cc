// SPDX-License-Identifier: Apache-2.0
#include "sources/file_position.h"

#include "engine/core/hash.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace streamd {
namespace {

constexpr std::size_t kHeadBytes = 1024;
constexpr std::uint64_t kSeed = 0x66696C65;  // hashes are stored: never changes

bool take_number(std::string_view& text, std::uint64_t& into, int base) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  const auto used = static_cast<std::size_t>(at - text.data());
  if (error != std::errc() || used >= text.size() || *at != ':') return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

Position FilePosition::print() const {
  return fmt::format("1:{}:{}:{:x}:{}:{:x}:{}", id.dev, id.ino, fingerprint, offset, tail,
                     static_cast<char>(state));
}

std::optional<FilePosition> FilePosition::parse(std::string_view text) {
  FilePosition p;
  if (!text.starts_with("1:")) return std::nullopt;
  text.remove_prefix(2);
  if (!take_number(text, p.id.dev, 10) || !take_number(text, p.id.ino, 10) ||
      !take_number(text, p.fingerprint, 16) || !take_number(text, p.offset, 10) ||
      !take_number(text, p.tail, 16) || text.size() != 1)
    return std::nullopt;
  if (text[0] != 'r' && text[0] != 's' && text[0] != 'e') return std::nullopt;
  p.state = static_cast<State>(text[0]);
  return p;
}

Result<std::optional<std::uint64_t>> fingerprint_of(FileInput& file, bool complete) {
  char head[kHeadBytes];
  auto got = file.read_at(0, head, sizeof head);
  if (!got) return tl::unexpected(std::move(got).error());
  std::size_t size = *got;
  if (const void* end = std::memchr(head, '\n', size))
    size = static_cast<std::size_t>(static_cast<const char*>(end) - head) + 1;
  else if (size < sizeof head && !complete)
    return std::optional<std::uint64_t>{};
  return std::optional<std::uint64_t>{hash_bytes({head, size}, kSeed)};
}

Result<std::optional<std::string>> tail_of(FileInput& file, std::uint64_t offset) {
  std::string tail(std::min<std::uint64_t>(kTailBytes, offset), '\0');
  auto got = file.read_at(offset - tail.size(), tail.data(), tail.size());
  if (!got) return tl::unexpected(std::move(got).error());
  if (*got < tail.size()) return std::optional<std::string>{};
  return std::optional<std::string>{std::move(tail)};
}

std::uint64_t hash_tail(std::string_view tail) { return hash_bytes(tail, kSeed); }

Result<bool> continues(FileInput& file, const FilePosition& position) {
  auto fingerprint = fingerprint_of(file, true);
  if (!fingerprint) return tl::unexpected(std::move(fingerprint).error());
  if (**fingerprint != position.fingerprint) return false;
  auto tail = tail_of(file, position.offset);
  if (!tail) return tl::unexpected(std::move(tail).error());
  return tail->has_value() && hash_tail(**tail) == position.tail;
}

}  // namespace streamd
