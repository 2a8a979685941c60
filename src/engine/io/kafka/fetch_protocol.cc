// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/fetch_protocol.h"

namespace streamd::kafka {
namespace {

constexpr std::int16_t kFetch = 1, kApiVersions = 18;
constexpr std::int16_t kFetchVersion = 4;
constexpr std::int32_t kNoReplica = -1;
constexpr std::int32_t kAtLeastBytes = 1;
constexpr std::int8_t kReadCommitted = 1;

std::size_t begin_request(std::int16_t kind, std::int16_t version, std::int32_t correlation,
                          std::string& out) {
  const std::size_t at = out.size();
  WireWriter w(out);
  w.number(std::int32_t{0});
  w.number(kind);
  w.number(version);
  w.number(correlation);
  w.text("streamd");
  return at;
}

void end_request(std::size_t at, std::string& out) {
  WireWriter(out).number_at(at, static_cast<std::int32_t>(out.size() - at - kLengthBytes));
}

}  // namespace

void write_versions_request(std::int32_t correlation, std::string& out) {
  end_request(begin_request(kApiVersions, 0, correlation, out), out);
}

bool takes_fetch(std::string_view answer, std::int32_t correlation) {
  WireReader in(answer);
  if (in.number<std::int32_t>() != correlation || in.number<std::int16_t>() != kNoError)
    return false;
  for (auto kinds = in.number<std::int32_t>(); kinds > 0 && !in.cut(); --kinds) {
    const auto kind = in.number<std::int16_t>();
    const auto oldest = in.number<std::int16_t>();
    const auto newest = in.number<std::int16_t>();
    if (!in.cut() && kind == kFetch) return oldest <= kFetchVersion && kFetchVersion <= newest;
  }
  return false;
}

void write_fetch_request(std::int32_t correlation, const FetchLimits& limits,
                         const std::vector<FetchWish>& wishes, std::string& out) {
  const std::size_t begin = begin_request(kFetch, kFetchVersion, correlation, out);
  WireWriter w(out);
  w.number(kNoReplica);
  w.number(limits.wait_ms);
  w.number(kAtLeastBytes);
  w.number(limits.bytes);
  w.number(kReadCommitted);
  const std::size_t topics_at = w.size();
  std::int32_t topics = 0;
  w.number(topics);
  for (std::size_t i = 0; i < wishes.size();) {
    const std::string_view topic = wishes[i].topic;
    w.text(topic);
    const std::size_t partitions_at = w.size();
    std::int32_t partitions = 0;
    w.number(partitions);
    for (; i < wishes.size() && wishes[i].topic == topic; ++i, ++partitions) {
      w.number(wishes[i].partition);
      w.number(wishes[i].offset);
      w.number(limits.bytes);
    }
    w.number_at(partitions_at, partitions);
    ++topics;
  }
  w.number_at(topics_at, topics);
  end_request(begin, out);
}

FetchAnswer::FetchAnswer(std::string_view message) : in_(message) {
  correlation_ = in_.number<std::int32_t>();
  in_.number<std::int32_t>();  // how long a quota has held it back
  topics_ = in_.number<std::int32_t>();
}

bool FetchAnswer::next(FetchedPartition& out) {
  while (partitions_ <= 0) {
    if (topics_ <= 0 || in_.cut()) return false;
    --topics_;
    topic_ = in_.text();
    partitions_ = in_.number<std::int32_t>();
  }
  --partitions_;
  out.topic = topic_;
  out.partition = in_.number<std::int32_t>();
  out.error = in_.number<std::int16_t>();
  in_.number<std::int64_t>();  // the end of what is stored, open transactions included
  out.end = in_.number<std::int64_t>();
  out.aborted.clear();
  for (auto left = in_.number<std::int32_t>(); left > 0 && !in_.cut(); --left) {
    const auto producer = in_.number<std::int64_t>();
    const auto first_offset = in_.number<std::int64_t>();
    out.aborted.push_back({producer, first_offset});
  }
  const auto size = in_.number<std::int32_t>();
  out.batches = size > 0 ? in_.take(size) : std::string_view();
  return !in_.cut();
}

}  // namespace streamd::kafka
