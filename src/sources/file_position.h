// SPDX-License-Identifier: Apache-2.0
// FilePosition: which file, and how far. Recognises the file again after it was renamed, copied or
// compressed, and notices when another one has taken its place.
#pragma once

#include "engine/api/source.h"
#include "sources/file_input.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

struct FilePosition {
  // What the bytes before the next one to read are part of.
  enum class State : char { reading = 'r', skipping = 's', ended = 'e' };

  FileId id;
  std::uint64_t fingerprint = 0;  // of the first line, at most 1 KiB of it
  std::uint64_t offset = 0;       // of the next line
  std::uint64_t tail = 0;         // hash of the last kTailBytes before `offset`
  State state = State::reading;   // skipping: inside a line that was too long

  bool operator==(const FilePosition&) const = default;

  // What becomes of the position in a file that was cut or written anew: no file continues it.
  static FilePosition overwritten(const FileId& id) {
    FilePosition past;
    past.id = id;
    past.state = State::ended;
    return past;
  }
  bool is_overwritten() const { return fingerprint == 0 && state == State::ended; }

  Position print() const;  // "1:<dev>:<ino>:<fingerprint>:<offset>:<tail>:<state>", hashes in hex
  static std::optional<FilePosition> parse(std::string_view text);
};

inline constexpr std::size_t kTailBytes = 256;

// nullopt: the first line is not complete yet (unless `complete`: the file will not grow).
Result<std::optional<std::uint64_t>> fingerprint_of(FileInput& file, bool complete);
// The last kTailBytes before `offset`, less at the beginning; nullopt: the file is shorter.
Result<std::optional<std::string>> tail_of(FileInput& file, std::uint64_t offset);
std::uint64_t hash_tail(std::string_view tail);
// Whether the file begins like the one of `position` and has the same bytes before its offset. Also
// true for a copy, and for a compressed one.
Result<bool> continues(FileInput& file, const FilePosition& position);

}  // namespace streamd
