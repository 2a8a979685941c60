// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/gzip.h"

#include "engine/core/check.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace streamd {
namespace {

constexpr std::size_t kInputBytes = 64 * 1024;
constexpr int kGzipOnly = 15 + 16;

}  // namespace

struct GzipReader::State {
  explicit State(Input source) : input(std::move(source)), buffer(kInputBytes) {
    STREAMD_CHECK(inflateInit2(&stream, kGzipOnly) == Z_OK, "zlib refuses to start");
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // False: the input has no more for now.
  Result<bool> fill() {
    if (stream.avail_in > 0) return true;
    const auto got = input(reinterpret_cast<char*>(buffer.data()), buffer.size());
    if (!got) return tl::unexpected(got.error());
    stream.next_in = buffer.data();
    stream.avail_in = static_cast<uInt>(*got);
    taken += *got;
    return *got > 0;
  }

  // Moves to the first byte of the next member. False: there is none.
  Result<bool> begin_member() {
    while (true) {
      const auto more = fill();
      if (!more || !*more) return more;
      if (*stream.next_in != 0 || !behind_member) break;
      ++stream.next_in;
      --stream.avail_in;
    }
    if (behind_member && *stream.next_in != 0x1F) {
      return fail(ErrorKind::data, fmt::format("corrupted gzip: no member begins at byte {}",
                                               taken - stream.avail_in));
    }
    inflateReset(&stream);
    inside = true;
    return true;
  }

  Input input;
  std::vector<unsigned char> buffer;
  z_stream stream{};
  std::uint64_t taken = 0;  // compressed bytes that came from the input
  std::uint64_t produced = 0;
  bool inside = false;         // a member has begun and not ended
  bool behind_member = false;  // at least one has ended
};

GzipReader::GzipReader(Input input) : state_(std::make_unique<State>(std::move(input))) {}
GzipReader::~GzipReader() = default;
GzipReader::GzipReader(GzipReader&&) noexcept = default;
GzipReader& GzipReader::operator=(GzipReader&&) noexcept = default;

std::uint64_t GzipReader::produced() const { return state_->produced; }

Result<std::size_t> GzipReader::read(char* to, std::size_t capacity) {
  State& s = *state_;
  z_stream& z = s.stream;
  const auto room = static_cast<uInt>(std::min<std::size_t>(capacity, 1u << 30));
  z.next_out = reinterpret_cast<Bytef*>(to);
  z.avail_out = room;
  const auto done = [&]() -> std::size_t {
    s.produced += room - z.avail_out;
    return room - z.avail_out;
  };
  while (z.avail_out > 0) {
    const auto more = s.inside ? s.fill() : s.begin_member();
    if (!more || !*more) {
      // What is already there goes out first; the next call meets the same end again.
      if (z.avail_out < room) return done();
      if (!more) return tl::unexpected(more.error());
      if (s.inside) return fail(ErrorKind::data, "truncated gzip");
      return 0;
    }
    const int code = inflate(&z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      s.inside = false;
      s.behind_member = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      if (z.avail_out < room) return done();
      return fail(ErrorKind::data,
                  fmt::format("corrupted gzip: {}, near byte {}",
                              z.msg != nullptr ? z.msg : "unknown error", s.taken - z.avail_in));
    }
  }
  return done();
}

bool looks_like_gzip(const char* data, std::size_t size) {
  return size >= 3 && data[0] == '\x1F' && data[1] == '\x8B' && data[2] == 8;
}

}  // namespace streamd
