// SPDX-License-Identifier: Apache-2.0
// Record batches as a broker stores them, made by the letter of Kafka's documentation ("Message
// Format"), for what no producer would write.
#pragma once

#include <isa-l/crc.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::test {

template <class T>
void put(std::string& out, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
}

inline void put_varint(std::string& out, std::int64_t value) {
  auto zigzag = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (; zigzag >= 128; zigzag >>= 7) out.push_back(static_cast<char>(zigzag | 128));
  out.push_back(static_cast<char>(zigzag));
}

struct MadeRecord {
  std::int64_t offset = 0;  // from the batch's first
  std::optional<std::string> value = "";
  std::int64_t later = 0;  // ms after the batch's first time
  std::string key = {};
  int headers = 0;
};

struct MadeBatch {
  std::int64_t base = 0;
  std::vector<MadeRecord> records = {};
  int attributes = 0;
  std::int64_t first_millis = 1000, last_millis = 9000;
  std::int64_t producer = -1;
  std::optional<std::int32_t> last = {};   // from the batch's first; else the last record's
  std::optional<std::string> body = {};    // instead of the records
  std::optional<std::int32_t> count = {};  // instead of their number
  char version = 2;
};

inline std::string body_of(const std::vector<MadeRecord>& records) {
  std::string body;
  for (const auto& r : records) {
    std::string one(1, '\0');
    put_varint(one, r.later);
    put_varint(one, r.offset);
    put_varint(one, r.key.empty() ? -1 : static_cast<std::int64_t>(r.key.size()));
    one += r.key;
    put_varint(one, r.value ? static_cast<std::int64_t>(r.value->size()) : -1);
    one += r.value.value_or("");
    put_varint(one, r.headers);
    for (int h = 0; h < r.headers; ++h) one += "\x02h\x02v";
    put_varint(body, static_cast<std::int64_t>(one.size()));
    body += one;
  }
  return body;
}

// Makes the checksum of a whole batch right.
inline void mend_checksum(char* batch, std::size_t size) {
  auto* checked = reinterpret_cast<unsigned char*>(batch) + 21;
  std::string sum;
  put(sum, ~crc32_iscsi(checked, static_cast<int>(size - 21), 0xFFFFFFFFu));
  std::memcpy(batch + 17, sum.data(), 4);
}

inline std::string made(const MadeBatch& batch) {
  const std::string body = batch.body.value_or(body_of(batch.records));
  const std::int64_t last = batch.records.empty() ? 0 : batch.records.back().offset;
  std::string out;
  put(out, batch.base);
  put(out, static_cast<std::int32_t>(49 + body.size()));
  put(out, std::int32_t{3});  // leader epoch
  out.push_back(batch.version);
  put(out, std::int32_t{0});
  put(out, static_cast<std::int16_t>(batch.attributes));
  put(out, batch.last.value_or(static_cast<std::int32_t>(last)));
  put(out, batch.first_millis);
  put(out, batch.last_millis);
  put(out, batch.producer);
  put(out, std::int16_t{0});
  put(out, std::int32_t{0});
  put(out, batch.count.value_or(static_cast<std::int32_t>(batch.records.size())));
  out += body;
  mend_checksum(out.data(), out.size());
  return out;
}

// The marker that ends a transaction.
inline std::string marker(std::int64_t offset, std::int64_t producer, bool commits) {
  std::string key;
  put(key, std::int16_t{0});
  put(key, static_cast<std::int16_t>(commits ? 1 : 0));
  return made({.base = offset,
               .records = {{.value = "......", .key = key}},
               .attributes = 16 | 32,
               .producer = producer});
}

}  // namespace streamd::test
