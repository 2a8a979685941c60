// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/gzip.h"

#include "tests/support/catch.h"

#include <zlib.h>

#include <algorithm>
#include <string>

using namespace streamd;

namespace {

std::string member(const std::string& text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// Hands out `bytes` in pieces; may grow between reads.
struct Feed {
  std::string bytes;
  std::size_t piece = 7;
  std::size_t at = 0;
  GzipReader::Input input() {
    return [this](char* to, std::size_t capacity) -> Result<std::size_t> {
      const std::size_t n = std::min({piece, capacity, bytes.size() - at});
      bytes.copy(to, n, at);
      at += n;
      return n;
    };
  }
};

struct Outcome {
  std::string text;
  std::string error;
};
Outcome read_all(GzipReader& reader, std::size_t capacity = 1000) {
  Outcome out;
  std::string buffer(capacity, '\0');
  while (true) {
    const auto got = reader.read(buffer.data(), buffer.size());
    if (!got) {
      CHECK(got.error().kind == ErrorKind::data);
      out.error = got.error().message;
      return out;
    }
    if (*got == 0) return out;
    out.text.append(buffer, 0, *got);
  }
}
Outcome inflate_text(std::string bytes, std::size_t piece = 7, std::size_t capacity = 1000) {
  Feed feed{std::move(bytes), piece};
  GzipReader reader(feed.input());
  return read_all(reader, capacity);
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

}  // namespace

TEST_CASE("Members are read one after the other, whatever the sizes of the pieces") {
  const std::string text = long_text();
  const std::string bytes = member("first\n") + member("") + member(text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{1} << 20}) {
    for (const std::size_t capacity : {std::size_t{17}, std::size_t{1} << 16}) {
      const Outcome out = inflate_text(bytes, piece, capacity);
      CHECK(out.error.empty());
      CHECK(out.text == "first\n" + text);
    }
  }
}

TEST_CASE("No bytes at all are an empty text, zeros behind a member are padding") {
  CHECK(inflate_text("").error.empty());
  const Outcome padded = inflate_text(member("x") + std::string(600, '\0'));
  CHECK(padded.error.empty());
  CHECK(padded.text == "x");
  CHECK(inflate_text(member("x") + std::string(3, '\0') + member("y")).text == "xy");
}

TEST_CASE("A cut member gives what can be read, then says truncated") {
  const std::string text = long_text();
  const std::string bytes = member("first\n") + member(text);
  const std::size_t first = member("first\n").size();
  for (const std::size_t size : {first + 1, first + 9, first + 100, bytes.size() - 1}) {
    const Outcome out = inflate_text(bytes.substr(0, size));
    CHECK(out.error == "truncated gzip");
    CHECK(out.text.substr(0, 6) == "first\n");
    CHECK(("first\n" + text).substr(0, out.text.size()) == out.text);
  }
  CHECK(inflate_text(bytes.substr(0, bytes.size() - 1)).text.size() == text.size() + 6);
}

TEST_CASE("Reading goes on when a truncated member grows") {
  const std::string text = long_text();
  const std::string bytes = member(text);
  Feed feed{bytes.substr(0, 1000)};
  GzipReader reader(feed.input());
  Outcome begin = read_all(reader);
  CHECK(begin.error == "truncated gzip");
  feed.bytes = bytes;
  const Outcome rest = read_all(reader);
  CHECK(rest.error.empty());
  CHECK(begin.text + rest.text == text);
  CHECK(reader.produced() == text.size());
  feed.bytes += member("more");
  CHECK(read_all(reader).text == "more");
}

TEST_CASE("Corrupted members and garbage behind them are told apart from truncation") {
  std::string bytes = member(long_text());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
  CHECK(inflate_text(bytes).error.find("corrupted gzip") == 0);
  std::string crc = member("x");
  crc[crc.size() - 8] = static_cast<char>(crc[crc.size() - 8] ^ 1);
  const Outcome wrong = inflate_text(crc);
  CHECK(wrong.error.find("corrupted gzip") == 0);
  CHECK(inflate_text("plain text").error.find("corrupted gzip") == 0);
  CHECK(inflate_text(member("x") + "junk").error ==
        "corrupted gzip: no member begins at byte " + std::to_string(member("x").size()));
  CHECK(inflate_text(member("x") + "junk").text == "x");
}

TEST_CASE("Errors of the input are passed on and may be retried") {
  const std::string bytes = member("hello");
  bool broken = true;
  std::size_t at = 0;
  GzipReader reader([&](char* to, std::size_t capacity) -> Result<std::size_t> {
    if (at > 0 && broken) return fail_for_now("disk is away");
    const std::size_t n = std::min({std::size_t{5}, capacity, bytes.size() - at});
    bytes.copy(to, n, at);
    at += n;
    return n;
  });
  std::string buffer(100, '\0');
  const auto first = reader.read(buffer.data(), buffer.size());
  REQUIRE_FALSE(first);
  CHECK(first.error().retry == Retry::backoff);
  broken = false;
  CHECK(reader.read(buffer.data(), buffer.size()).value_or(0) == 5);
  CHECK(buffer.substr(0, 5) == "hello");
}

TEST_CASE("Gzip is known by its first bytes") {
  const std::string bytes = member("x");
  CHECK(looks_like_gzip(bytes.data(), bytes.size()));
  CHECK_FALSE(looks_like_gzip(bytes.data(), 2));
  CHECK_FALSE(looks_like_gzip("{\"a\":1}", 7));
}

TEST_CASE("what was packed is what comes out, whatever its size", "[codec]") {
  for (const std::size_t size : {0u, 1u, 1000u, 65'536u, 1'000'000u}) {
    std::string text;
    for (std::uint64_t i = 0, x = 1; text.size() < size; ++i, x *= 6364136223846793005u)
      text += static_cast<char>(i % 3 == 0 ? x >> 56 : 'a');
    text.resize(size);
    std::string packed = "before";
    append_gzip(text, 1, packed);
    CHECK(packed.starts_with("before"));
    Feed feed{packed.substr(6), 1000};
    GzipReader reader(feed.input());
    const Outcome out = read_all(reader, 65'536);
    CHECK(out.error.empty());
    CHECK(out.text == text);
  }
}

TEST_CASE("deflate is read with zlib's header and without", "[codec]") {
  const std::string raw("\xcb\x48\xcd\xc9\xc9\x07\x00", 7);
  const std::string zlib = "\x78\x9c" + raw + std::string("\x06\x2c\x02\x15", 4);
  for (const std::string& bytes : {raw, zlib}) {
    Feed feed{bytes, 1};
    GzipReader reader(feed.input(), GzipReader::Format::deflate);
    const Outcome out = read_all(reader, 3);
    CHECK(out.error.empty());
    CHECK(out.text == "hello");
  }
  Feed cut{zlib.substr(0, 8), 100};
  GzipReader reader(cut.input(), GzipReader::Format::deflate);
  CHECK(read_all(reader).error == "truncated gzip");
  Feed more{zlib + zlib, 100};
  GzipReader twice(more.input(), GzipReader::Format::deflate);
  CHECK(read_all(twice).error.find("no member begins") != std::string::npos);
}
