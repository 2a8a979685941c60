// SPDX-License-Identifier: Apache-2.0
// Keys: the values of the `by` fields as bytes. Used to shard (key group), to look up keyed state,
// and on disk. Equal values give equal bytes; different values or kinds never do.
//
// Layout, field after field: one byte Kind, then
//   missing, null            nothing
//   boolean                  one byte 0 or 1
//   int64 uint64 duration    8 bytes little endian
//   float64                  8 bytes little endian, -0.0 written as 0.0, every NaN as one NaN
//   timestamp                8 bytes little endian microseconds, 4 bytes little endian nanoseconds
//   everything else          4 bytes little endian length, then the bytes (list, map: their items)
#pragma once

#include "engine/core/arena.h"
#include "engine/core/hash.h"
#include "engine/core/value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// Appends one field to a key.
void append_key(const Value& value, std::string& key);

// A key that is one string: a front of so many bytes (kind and length), then its text.
inline constexpr std::size_t kTextKeyFront = 1 + sizeof(std::uint32_t);
void write_text_key_front(std::string_view text, char* to);

// What shards a key and finds its state; on disk, so it never changes. A key that is one string is
// hashed by its text alone, so that it need not be encoded first.
std::uint64_t hash_key(std::string_view key, std::uint64_t seed);
inline std::uint64_t hash_text_key(std::string_view text, std::uint64_t seed) {
  return hash_bytes(text, seed);
}

// How many values a key written by append_key has. nullopt: the bytes are no key.
std::optional<std::size_t> count_key(std::string_view key);
// The values themselves. Texts point into `key`, items of lists and maps into the arena.
std::optional<std::vector<Value>> decode_key(std::string_view key, Arena& arena);

}  // namespace streamd
