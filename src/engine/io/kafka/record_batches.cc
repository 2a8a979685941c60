// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/record_batches.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace streamd::kafka {
namespace {

// Base offset and length, which the length does not count.
constexpr std::size_t kPrefix = 12;
// Everything before the records.
constexpr std::size_t kHead = 61;
constexpr std::size_t kLengthAt = 8, kVersionAt = 16, kLastDeltaAt = 23;
// The checksum begins behind itself.
constexpr std::size_t kCheckedFrom = 21;
constexpr std::int8_t kVersion = 2;

constexpr int kCodecBits = 7, kBrokersTime = 8, kTransactional = 16, kControl = 32;
constexpr std::int16_t kAbortMarker = 0;

std::uint32_t crc32c(std::string_view bytes) {
  auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return ~crc32_iscsi(at, static_cast<int>(bytes.size()), 0xFFFFFFFFu);
}

// Of another version, or too short for its own head. Older ones have their version at the same
// place.
bool is_strange(std::string_view bytes) {
  return bytes.size() > kVersionAt &&
         (bytes[kVersionAt] != kVersion || from_big_endian<std::int32_t>(bytes.data() + kLengthAt) <
                                               static_cast<std::int32_t>(kHead - kPrefix));
}

// The first batch, whole; empty when it is cut short.
std::string_view first_batch(std::string_view bytes) {
  if (bytes.size() < kHead || is_strange(bytes)) return {};
  const auto length = from_big_endian<std::int32_t>(bytes.data() + kLengthAt);
  if (static_cast<std::size_t>(length) > bytes.size() - kPrefix) return {};
  return bytes.substr(0, kPrefix + static_cast<std::size_t>(length));
}

std::int64_t base_offset(std::string_view batch) {
  return from_big_endian<std::int64_t>(batch.data());
}

// Distances are untrusted: they wrap rather than overflow.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::int64_t last_offset(std::string_view batch) {
  return plus(base_offset(batch), from_big_endian<std::int32_t>(batch.data() + kLastDeltaAt));
}

// No checksum covers the base offset. Only the first batch may begin before what was asked for.
bool makes_sense(std::string_view batch, std::int64_t from, bool first) {
  const std::int64_t base = base_offset(batch), last = last_offset(batch);
  return (first ? 0 : from) <= base && base <= last && from <= last;
}

}  // namespace

std::int64_t RecordBatches::behind(std::string_view bytes, std::int64_t from) {
  bool first = true;
  for (auto batch = first_batch(bytes); !batch.empty() && makes_sense(batch, from, first);
       batch = first_batch(bytes)) {
    first = false;
    from = last_offset(batch) + 1;
    bytes.remove_prefix(batch.size());
  }
  return from;
}

void RecordBatches::begin(std::string_view bytes, std::int64_t from, std::vector<Aborted> aborted) {
  bytes_ = bytes;
  from_ = from;
  first_ = true;
  aborted_ = std::move(aborted);
  std::sort(aborted_.begin(), aborted_.end(),
            [](const Aborted& a, const Aborted& b) { return a.first_offset < b.first_offset; });
  next_aborted_ = 0;
  open_.clear();
  left_ = 0;
}

RecordBatches::Step RecordBatches::next(BatchRecord& out) {
  while (left_ == 0) {
    if (open_batch()) continue;
    return fault_ == Step::damaged ? give_up(out) : fault_;
  }
  WireReader record(records_.take(records_.varint()));
  record.number<std::int8_t>();  // attributes: none are defined
  const std::int64_t later = record.varint();
  out.offset = plus(base_offset_, record.varint());
  if (const auto key = record.varint(); key > 0) record.take(key);
  const std::int64_t size = record.varint();
  out.tombstone = size < 0;
  out.value = out.tombstone ? std::string_view() : record.take(size);
  // Headers follow, which nothing reads.
  if (records_.cut() || record.cut() || out.offset < next_offset_ || out.offset > last_offset_)
    return give_up(out);
  out.millis = one_time_ || base_millis_ < 0 ? base_millis_ : plus(base_millis_, later);
  next_offset_ = out.offset + 1;
  --left_;
  return Step::record;
}

RecordBatches::Step RecordBatches::give_up(BatchRecord& out) {
  left_ = 0;
  out.offset = last_offset_;
  out.millis = -1;
  out.tombstone = false;
  out.value = batch_;
  return Step::damaged;
}

bool RecordBatches::open_batch() {
  batch_ = first_batch(bytes_);
  fault_ = is_strange(bytes_) ? Step::unsupported : Step::end;
  if (batch_.empty()) return false;
  fault_ = Step::unsupported;
  if (!makes_sense(batch_, from_, first_)) return false;
  bytes_.remove_prefix(batch_.size());
  first_ = false;
  last_offset_ = last_offset(batch_);
  from_ = last_offset_ + 1;

  WireReader in(batch_);
  base_offset_ = next_offset_ = in.number<std::int64_t>();
  in.take(4 + 4 + 1);  // length, leader epoch, version
  const auto checksum = in.number<std::uint32_t>();
  const int attributes = in.number<std::int16_t>();
  in.number<std::int32_t>();  // offset of the last record from the first
  const auto first_millis = in.number<std::int64_t>();
  const auto last_millis = in.number<std::int64_t>();
  const auto producer = in.number<std::int64_t>();
  in.take(2 + 4);  // its epoch and sequence number
  const auto count = in.number<std::int32_t>();
  fault_ = Step::damaged;
  if (crc32c(batch_.substr(kCheckedFrom)) != checksum || count < 0) return false;
  const bool control = (attributes & kControl) != 0;
  if (is_aborted((attributes & kTransactional) != 0, control, producer, in.rest()) || control)
    return true;
  const int codec = attributes & kCodecBits;
  if (codec > static_cast<int>(Codec::zstd)) {
    fault_ = Step::unsupported;
    return false;
  }
  const auto records = unpacker_.unpack(static_cast<Codec>(codec), in.rest());
  if (!records) return false;
  one_time_ = (attributes & kBrokersTime) != 0;
  base_millis_ = one_time_ ? last_millis : first_millis;
  records_ = WireReader(*records);
  left_ = count;
  return true;
}

// A producer's transaction is aborted from the first offset that the broker has named to the marker
// that ends it.
bool RecordBatches::is_aborted(bool transactional, bool control, std::int64_t producer,
                               std::string_view records) {
  for (; next_aborted_ < aborted_.size() && aborted_[next_aborted_].first_offset <= last_offset_;
       ++next_aborted_)
    open_.push_back(aborted_[next_aborted_].producer);
  if (!transactional) return false;
  if (!control) return std::find(open_.begin(), open_.end(), producer) != open_.end();
  WireReader in(records);
  WireReader marker(in.take(in.varint()));
  marker.number<std::int8_t>();
  marker.varint();
  marker.varint();
  WireReader key(marker.take(marker.varint()));
  key.number<std::int16_t>();  // its version
  const auto type = key.number<std::int16_t>();
  if (!key.cut() && type == kAbortMarker) std::erase(open_, producer);
  return true;
}

}  // namespace streamd::kafka
