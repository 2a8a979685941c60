// SPDX-License-Identifier: Apache-2.0
// Unpacker: what the compressed part of a record batch holds. Kafka's codecs are gzip, Snappy (as
// one block, or in the frames of Java's library), LZ4 frames and Zstandard. The room for it is kept
// and used again. One thread. Included only in this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace streamd::kafka {

// As in the lowest three bits of a record batch's attributes.
enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// A batch that unpacks to more is taken for damaged: brokers refuse to store batches of this size.
inline constexpr std::size_t kUnpackedLimit = std::size_t{256} << 20;

class Unpacker {
 public:
  Unpacker();
  ~Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  // Valid until the next call. nullopt: the bytes are not what they should be, or too many.
  std::optional<std::string_view> unpack(Codec codec, std::string_view packed);

 private:
  bool make_room(std::size_t bytes);  // keeps the first used_ bytes
  bool gzip(std::string_view packed);
  bool snappy(std::string_view packed);
  bool snappy_block(std::string_view packed);
  bool lz4(std::string_view packed);
  bool zstd(std::string_view packed);

  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
  std::unique_ptr<char[]> room_;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
};

}  // namespace streamd::kafka
