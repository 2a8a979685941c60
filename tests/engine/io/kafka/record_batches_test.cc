// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/record_batches.h"

#include "tests/engine/io/kafka/made_batch.h"
#include "tests/support/catch.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <limits>
#include <string>

using namespace streamd;
using namespace streamd::kafka;
using namespace streamd::test;
using Step = RecordBatches::Step;

namespace {

struct Found {
  std::vector<std::int64_t> offsets;
  std::vector<std::string> values;  // "-" for a tombstone
  std::vector<std::int64_t> damaged;
  Step last = Step::record;
};

Found walked(const std::string& bytes, std::int64_t from = 0, std::vector<Aborted> aborted = {}) {
  RecordBatches batches;
  batches.begin(bytes, from, std::move(aborted));
  Found found;
  BatchRecord record;
  while ((found.last = batches.next(record)) == Step::record || found.last == Step::damaged) {
    if (found.last == Step::damaged) {
      found.damaged.push_back(record.offset);
      continue;
    }
    found.offsets.push_back(record.offset);
    found.values.push_back(record.tombstone ? "-" : std::string(record.value));
  }
  return found;
}

using Offsets = std::vector<std::int64_t>;
using Values = std::vector<std::string>;

std::string gzipped(const std::string& text) {
  std::string out(text.size() + 1000, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string lz4(const std::string& text) {
  std::string out(LZ4F_compressFrameBound(text.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), nullptr));
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

std::string snappy_block(const std::string& text) {
  std::string out;
  snappy::Compress(text.data(), text.size(), &out);
  return out;
}

// As Java's library frames them.
std::string snappy_frames(const std::string& text) {
  std::string out("\x82SNAPPY\0", 8);
  put(out, std::int32_t{1});
  put(out, std::int32_t{1});
  for (std::size_t at = 0; at < text.size(); at += 1000) {
    const std::string block = snappy_block(text.substr(at, 1000));
    put(out, static_cast<std::int32_t>(block.size()));
    out += block;
  }
  return out;
}

}  // namespace

TEST_CASE("records come with their offsets, times and values", "[kafka]") {
  const std::string bytes =
      made({.base = 7,
            .records = {{.offset = 0, .value = "one", .later = 5},
                        {.offset = 1, .value = std::nullopt, .key = "k"},
                        {.offset = 4, .value = "", .later = 2'000, .key = "k", .headers = 3}}}) +
      made({.base = 20, .records = {{.value = "log time"}}, .attributes = 8});
  RecordBatches batches;
  batches.begin(bytes, 7, {});
  BatchRecord r;
  REQUIRE(batches.next(r) == Step::record);
  CHECK((r.offset == 7 && r.millis == 1005 && !r.tombstone && r.value == "one"));
  REQUIRE(batches.next(r) == Step::record);
  CHECK((r.offset == 8 && r.millis == 1000 && r.tombstone && r.value.empty()));
  REQUIRE(batches.next(r) == Step::record);
  CHECK((r.offset == 11 && r.millis == 3000 && !r.tombstone && r.value.empty()));
  REQUIRE(batches.next(r) == Step::record);
  CHECK((r.offset == 20 && r.millis == 9000 && r.value == "log time"));
  CHECK(batches.next(r) == Step::end);
  CHECK(RecordBatches::behind(bytes, 7) == 21);
}

TEST_CASE("a batch of each codec is unpacked, whatever its size", "[kafka]") {
  std::vector<MadeRecord> records;
  const int count = GENERATE(1, 50, 5000);
  for (int i = 0; i < count; ++i)
    records.push_back({.offset = i, .value = "record " + std::to_string(i * 7919 % 5003)});
  const std::string body = body_of(records);
  const auto holds_all = [&](int codec, const std::string& packed) {
    const auto found = walked(made({.records = records, .attributes = codec, .body = packed}));
    REQUIRE(found.last == Step::end);
    REQUIRE(found.values.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) REQUIRE(found.values[i] == records[i].value);
  };
  holds_all(0, body);
  holds_all(1, gzipped(body));
  holds_all(2, snappy_block(body));
  holds_all(2, snappy_frames(body));
  holds_all(3, lz4(body));
  holds_all(4, zstd(body));
}

TEST_CASE("what does not unpack is a damaged batch, and the next one is read", "[kafka]") {
  const std::vector<MadeRecord> records = {{.value = std::string(3000, 'x')}, {.offset = 1}};
  const std::string good = made({.base = 2, .records = {{.value = "good"}}});
  const std::string body = body_of(records);
  const std::vector<std::pair<int, std::string>> packed = {
      {1, gzipped(body)}, {2, snappy_block(body)}, {2, snappy_frames(body)},
      {3, lz4(body)},     {4, zstd(body)},         {0, body}};
  for (const auto& [codec, whole] : packed) {
    CAPTURE(codec);
    const auto found = walked(
        made({.records = records, .attributes = codec, .body = whole.substr(0, whole.size() / 2)}) +
        good);
    CHECK(found.damaged == Offsets{1});
    CHECK(found.values == Values{"good"});
    CHECK(found.last == Step::end);
  }
}

TEST_CASE("a bomb is a damaged batch", "[kafka]") {
  const std::string zeros(kUnpackedLimit + 1, '\0');
  const auto found = walked(made({.records = {{}}, .attributes = 4, .body = zstd(zeros)}));
  CHECK(found.damaged == Offsets{0});
  CHECK(found.last == Step::end);
}

TEST_CASE("one flipped bit behind the checksum damages one batch", "[kafka]") {
  const std::string first = made({.records = {{.value = "a"}, {.offset = 1, .value = "b"}}});
  const std::string second = made({.base = 2, .records = {{.value = "c"}}});
  for (std::size_t at = 21; at < first.size(); ++at) {
    // A head that says where the batch ends is looked at before its checksum.
    if (at >= 23 && at < 27) continue;
    std::string bytes = first + second;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    CAPTURE(at);
    const auto found = walked(bytes);
    CHECK(found.damaged == Offsets{1});
    CHECK(found.values == Values{"c"});
  }
}

TEST_CASE("records that do not fit their batch damage it from there on", "[kafka]") {
  SECTION("fewer than its head says") {
    const auto found = walked(made({.records = {{.value = "a"}}, .last = 4, .count = 3}));
    CHECK(found.values == Values{"a"});
    CHECK(found.damaged == Offsets{4});
  }
  SECTION("offsets that go back, or beyond the last") {
    const auto back = walked(made({.records = {{.offset = 2}, {.offset = 1}}, .last = 3}));
    CHECK(back.offsets == Offsets{2});
    CHECK(back.damaged == Offsets{3});
    const auto beyond = walked(made({.records = {{.offset = 2}, {.offset = 5}}, .last = 3}));
    CHECK(beyond.offsets == Offsets{2});
    CHECK(beyond.damaged == Offsets{3});
  }
  SECTION("a value that is longer than its record") {
    std::string body;
    put_varint(body, 8);
    body += std::string(3, '\0');
    put_varint(body, -1);
    put_varint(body, 1000);
    body += std::string(8, 'v');
    const auto found = walked(made({.records = {{}}, .body = body}));
    CHECK(found.values.empty());
    CHECK(found.damaged == Offsets{0});
  }
}

TEST_CASE("a batch that is cut short is left for the next fetch", "[kafka]") {
  const std::string first = made({.records = {{.value = "a"}}});
  const std::string both = first + made({.base = 1, .records = {{.value = "b"}}});
  for (std::size_t size = first.size(); size < both.size(); ++size) {
    const auto found = walked(both.substr(0, size));
    CHECK(found.values == Values{"a"});
    CHECK(found.damaged.empty());
    CHECK(found.last == Step::end);
    CHECK(RecordBatches::behind(both.substr(0, size), 0) == 1);
  }
  CHECK(RecordBatches::behind("", 5) == 5);
}

TEST_CASE("what only librdkafka reads is told apart, and nothing is skipped", "[kafka]") {
  const std::string good = made({.records = {{.value = "a"}}});
  const auto stops = [&](const MadeBatch& strange) {
    const auto found = walked(good + made(strange));
    CHECK(found.values == Values{"a"});
    CHECK(found.damaged.empty());
    CHECK(found.last == Step::unsupported);
    if (strange.attributes == 0) CHECK(RecordBatches::behind(good + made(strange), 0) == 1);
  };
  stops({.base = 1, .records = {{}}, .version = 1});
  stops({.base = 1, .records = {{}}, .attributes = 5});
  // Nothing checks the first offset but what was asked for.
  stops({.base = -5, .records = {{}}});
  stops({.base = 0, .records = {{}}});
  stops({.base = 0, .records = {{.offset = 1}}});
  stops({.base = 1, .records = {{}}, .last = -1});
  stops({.base = std::numeric_limits<std::int64_t>::max(), .records = {{}, {.offset = 1}}});
  // Before 0.11 a message could be shorter than the head of a batch.
  std::string old;
  put(old, std::int64_t{1});
  put(old, std::int32_t{14});
  old += std::string(14, '\0');
  CHECK(walked(good + old).last == Step::unsupported);
}

TEST_CASE("a batch that begins before what was asked for comes whole", "[kafka]") {
  const auto found =
      walked(made({.base = 3, .records = {{.offset = 0}, {.offset = 1}, {.offset = 2}}}), 4);
  CHECK(found.offsets == Offsets{3, 4, 5});
  // Compaction may have left none of them.
  CHECK(walked(made({.base = 3, .last = 8}), 4).last == Step::end);
  CHECK(RecordBatches::behind(made({.base = 3, .last = 8}), 4) == 12);
}

TEST_CASE("records of aborted transactions and markers are left out", "[kafka]") {
  const auto of = [](std::int64_t base, std::int64_t producer, const char* value) {
    return made(
        {.base = base, .records = {{.value = value}}, .attributes = 16, .producer = producer});
  };
  const std::string bytes = of(0, 1, "kept") + of(1, 2, "aborted") + of(2, 1, "kept too") +
                            marker(3, 1, true) + of(4, 2, "aborted too") + marker(5, 2, false) +
                            of(6, 2, "a new one") + marker(7, 2, true) + of(8, 1, "gone") +
                            made({.base = 9, .records = {{.value = "none"}}, .producer = 1}) +
                            marker(10, 1, false);
  // Not in their order, as logs of several segments have them.
  const auto found = walked(bytes, 0, {{1, 8}, {2, 1}});
  CHECK(found.values == Values{"kept", "kept too", "a new one", "none"});
  CHECK(found.offsets == Offsets{0, 2, 6, 9});
  CHECK(found.last == Step::end);
  CHECK(RecordBatches::behind(bytes, 0) == 11);
  SECTION("a transaction that began before what was asked for") {
    CHECK(
        walked(of(4, 2, "aborted") + marker(5, 2, false) + of(6, 2, "kept"), 4, {{2, 1}}).values ==
        Values{"kept"});
  }
}
