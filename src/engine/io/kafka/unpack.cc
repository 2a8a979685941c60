// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/unpack.h"

#include "engine/codec/gzip.h"
#include "engine/io/kafka/wire.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace streamd::kafka {
namespace {

constexpr std::size_t kFirstRoom = std::size_t{256} << 10;
// Java's library puts this, a version and the oldest version that can read it before its blocks.
constexpr std::string_view kSnappyFrames("\x82SNAPPY\0", 8);
constexpr std::int64_t kSnappyVersions = 8;

}  // namespace

struct Unpacker::Contexts {
  LZ4F_dctx* lz4 = nullptr;
  ZSTD_DCtx* zstd = nullptr;
};

Unpacker::Unpacker() : contexts_(std::make_unique<Contexts>()) {}

Unpacker::~Unpacker() {
  LZ4F_freeDecompressionContext(contexts_->lz4);
  ZSTD_freeDCtx(contexts_->zstd);
}

std::optional<std::string_view> Unpacker::unpack(Codec codec, std::string_view packed) {
  used_ = 0;
  bool good = false;
  switch (codec) {
    case Codec::none: return packed;
    case Codec::gzip: good = gzip(packed); break;
    case Codec::snappy: good = snappy(packed); break;
    case Codec::lz4: good = lz4(packed); break;
    case Codec::zstd: good = zstd(packed); break;
  }
  if (!good) return std::nullopt;
  return std::string_view(room_.get(), used_);
}

bool Unpacker::make_room(std::size_t bytes) {
  if (bytes > kUnpackedLimit) return false;
  if (bytes <= capacity_) return true;
  const std::size_t capacity =
      std::min(kUnpackedLimit, std::max({bytes, capacity_ * 2, kFirstRoom}));
  auto room = std::make_unique_for_overwrite<char[]>(capacity);
  if (used_ > 0) std::memcpy(room.get(), room_.get(), used_);
  room_ = std::move(room);
  capacity_ = capacity;
  return true;
}

bool Unpacker::gzip(std::string_view packed) {
  GzipReader reader([&packed](char* to, std::size_t capacity) -> Result<std::size_t> {
    const std::size_t size = std::min(capacity, packed.size());
    std::memcpy(to, packed.data(), size);
    packed.remove_prefix(size);
    return size;
  });
  for (;;) {
    if (!make_room(used_ + 1)) return false;
    const auto got = reader.read(room_.get() + used_, capacity_ - used_);
    if (!got) return false;
    if (*got == 0) return true;
    used_ += *got;
  }
}

bool Unpacker::snappy_block(std::string_view packed) {
  std::size_t size = 0;
  if (!::snappy::GetUncompressedLength(packed.data(), packed.size(), &size) ||
      size > kUnpackedLimit || !make_room(used_ + size) ||
      !::snappy::RawUncompress(packed.data(), packed.size(), room_.get() + used_))
    return false;
  used_ += size;
  return true;
}

bool Unpacker::snappy(std::string_view packed) {
  if (!packed.starts_with(kSnappyFrames)) return snappy_block(packed);
  WireReader in(packed.substr(kSnappyFrames.size()));
  in.take(kSnappyVersions);
  while (!in.rest().empty()) {
    const std::string_view block = in.take(in.number<std::int32_t>());
    if (in.cut() || !snappy_block(block)) return false;
  }
  return !in.cut();
}

bool Unpacker::lz4(std::string_view packed) {
  auto& context = contexts_->lz4;
  if (context == nullptr && LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
    return false;
  LZ4F_resetDecompressionContext(context);
  std::size_t wanted = 1;
  while (wanted > 0) {
    if (!make_room(used_ + 1)) return false;
    std::size_t out = capacity_ - used_, in = packed.size();
    wanted = LZ4F_decompress(context, room_.get() + used_, &out, packed.data(), &in, nullptr);
    if (LZ4F_isError(wanted) || (wanted > 0 && in == 0 && out == 0)) return false;
    used_ += out;
    packed.remove_prefix(in);
  }
  return true;
}

bool Unpacker::zstd(std::string_view packed) {
  auto& context = contexts_->zstd;
  if (context == nullptr) context = ZSTD_createDCtx();
  if (context == nullptr) return false;
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  for (std::size_t wanted = 1; wanted > 0;) {
    if (!make_room(used_ + 1)) return false;
    ZSTD_outBuffer out{room_.get(), capacity_, used_};
    const std::size_t before = in.pos;
    wanted = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(wanted) || (wanted > 0 && in.pos == before && out.pos == used_)) return false;
    used_ = out.pos;
  }
  return true;
}

}  // namespace streamd::kafka
