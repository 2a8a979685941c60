// SPDX-License-Identifier: Apache-2.0
#include "sources/line_buffer.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cstring>
#include <string>

using namespace streamd;

namespace {

// Lines of `text` when it comes in pieces of `piece` bytes; a fault's name instead of its text.
std::vector<std::string> lines(const std::string& text, std::size_t piece, std::size_t max_record,
                               bool finish = true) {
  LineBuffer buffer(max_record);
  std::vector<std::string> out;
  const auto take = [&] {
    RawBatch batch;
    do {
      batch.clear();
      buffer.take({}, 3, batch);
      for (const auto& r : batch.records)
        out.push_back(r.fault.empty() ? std::string(r.data) : std::string(r.fault));
      CHECK((batch.records.empty() || batch.padding > 0));
    } while (!batch.records.empty());
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto room = buffer.room();
    const std::size_t size = std::min({piece, room.size, text.size() - at});
    std::memcpy(room.at, text.data() + at, size);
    buffer.filled(size);
    at += size;
    take();
  }
  if (finish) {
    buffer.finish();
    take();
    CHECK(buffer.empty());
  }
  return out;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Lines are the same however their bytes arrive") {
  const std::string text = "one\r\n\n\r\ntwo two\nthree\nfour\nfive\nlast";
  for (const std::size_t piece : {1u, 2u, 3u, 5u, 7u, 1000u})
    CHECK(lines(text, piece, 100) == Lines{"one", "two two", "three", "four", "five", "last"});
}

TEST_CASE("A line that is too long is one fault, and what follows is whole") {
  const std::string text = "ok\n" + std::string(5000, 'x') + "\nnext\n" + std::string(11, 'y');
  for (const std::size_t piece : {1u, 7u, 64u, 10'000u})
    CHECK(lines(text, piece, 10) == Lines{"ok", "too-long", "next", "too-long"});
}

TEST_CASE("A line of several megabytes is put together") {
  const std::string big(5'000'000, 'x');
  CHECK(lines("a\n" + big + "\nb\n", 100'000, 10'000'000) == Lines{"a", big, "b"});
}

TEST_CASE("What a cut connection leaves is dropped, and the next stream begins anew") {
  LineBuffer buffer(10);
  const auto put = [&](std::string_view text) {
    const auto room = buffer.room();
    REQUIRE(room.size >= text.size());
    std::memcpy(room.at, text.data(), text.size());
    buffer.filled(text.size());
  };
  RawBatch batch;
  put("a\nhalf");
  buffer.take({}, 100, batch);
  REQUIRE(batch.records.size() == 1);
  CHECK(buffer.drop_rest() == 4);
  put("b\n0123456789012345");
  RawBatch second;
  buffer.take({}, 100, second);
  REQUIRE(second.records.size() == 2);
  CHECK(second.records[0].data == "b");
  CHECK(second.records[1].fault == "too-long");
  buffer.drop_rest();
  put("c\n");
  RawBatch third;
  buffer.take({}, 100, third);
  REQUIRE(third.records.size() == 1);
  CHECK(third.records[0].data == "c");
  CHECK(batch.records[0].data == "a");
}

TEST_CASE("No line is handed out twice when it does not end") {
  CHECK(lines("half", 2, 100, false) == Lines{});
  CHECK(lines("a\nhalf", 2, 100, false) == Lines{"a"});
}
