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
constexpr int kZlibOnly = 15;
constexpr int kNoHeader = -15;
constexpr int kWriteMemory = 8;  // zlib's default

}  // namespace

struct GzipReader::State {
  State(Input source, Format what) : input(std::move(source)), buffer(kInputBytes), format(what) {
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

  // The method in the low half of a zlib header's first byte is 8, as in no block that a compressor
  // begins with.
  int window_bits() const {
    if (format == Format::gzip) return kGzipOnly;
    return (*stream.next_in & 0x0F) == 8 ? kZlibOnly : kNoHeader;
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
    if (behind_member && (format == Format::deflate || *stream.next_in != 0x1F)) {
      return fail(ErrorKind::data, fmt::format("corrupted gzip: no member begins at byte {}",
                                               taken - stream.avail_in));
    }
    inflateReset2(&stream, window_bits());
    inside = true;
    return true;
  }

  Input input;
  std::vector<unsigned char> buffer;
  const Format format;
  z_stream stream{};
  std::uint64_t taken = 0;  // compressed bytes that came from the input
  std::uint64_t produced = 0;
  bool inside = false;         // a member has begun and not ended
  bool behind_member = false;  // at least one has ended
  bool full = false;           // there was no room for all that zlib holds
};

GzipReader::GzipReader(Input input, Format format)
    : state_(std::make_unique<State>(std::move(input), format)) {}
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
    const bool holds_more = s.inside && s.full;
    const auto more = holds_more ? Result<bool>(true) : s.inside ? s.fill() : s.begin_member();
    if (!more || !*more) {
      // What is already there goes out first; the next call meets the same end again.
      if (z.avail_out < room) return done();
      if (!more) return tl::unexpected(more.error());
      if (s.inside) return fail(ErrorKind::data, "truncated gzip");
      return 0;
    }
    const int code = inflate(&z, Z_NO_FLUSH);
    s.full = z.avail_out == 0;
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

void append_gzip(std::string_view text, int level, std::string& out) {
  z_stream z{};
  STREAMD_CHECK(
      deflateInit2(&z, level, Z_DEFLATED, kGzipOnly, kWriteMemory, Z_DEFAULT_STRATEGY) == Z_OK,
      "zlib refuses to start");
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  std::size_t size = out.size();
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    const auto piece = static_cast<uInt>(std::min<std::size_t>(left, 1u << 30));
    // zlib only reads what it gets.
    z.next_in = const_cast<unsigned char*>(from);
    z.avail_in = piece;
    out.resize(size + std::max<std::size_t>(kInputBytes, text.size() / 8));
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - size, 1u << 30));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    z.avail_out = room;
    code = deflate(&z, piece == left ? Z_FINISH : Z_NO_FLUSH);
    from += piece - z.avail_in;
    left -= piece - z.avail_in;
    size += room - z.avail_out;
  }
  out.resize(size);
  deflateEnd(&z);
}

bool looks_like_gzip(const char* data, std::size_t size) {
  return size >= 3 && data[0] == '\x1F' && data[1] == '\x8B' && data[2] == 8;
}

}  // namespace streamd
