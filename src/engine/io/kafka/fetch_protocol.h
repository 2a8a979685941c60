// SPDX-License-Identifier: Apache-2.0
// The two requests of Kafka's protocol that reading records takes, and their answers: ApiVersions
// (version 0) and Fetch (version 4: since Kafka 0.11, and the oldest that Kafka 4 takes). No I/O.
// Included only in this folder.
#pragma once

#include "engine/io/kafka/record_batches.h"
#include "engine/io/kafka/wire.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::kafka {

// Every message, either way, begins with its length in this many bytes.
inline constexpr std::size_t kLengthBytes = 4;

// Errors of a partition in an answer; Kafka has the same numbers as librdkafka's
// rd_kafka_resp_err_t.
inline constexpr std::int16_t kNoError = 0;
inline constexpr std::int16_t kOffsetOutOfRange = 1;

void write_versions_request(std::int32_t correlation, std::string& out);
// Whether who answers takes the Fetch requests that are written here.
bool takes_fetch(std::string_view answer, std::int32_t correlation);

struct FetchLimits {
  std::int32_t wait_ms = 500;    // of the broker, when there is nothing
  std::int32_t bytes = 1 << 20;  // of the answer; the first batch comes whatever its size
};

struct FetchWish {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

// Wishes of one topic stand together. Only what is committed is asked for. Appends the whole
// message.
void write_fetch_request(std::int32_t correlation, const FetchLimits& limits,
                         const std::vector<FetchWish>& wishes, std::string& out);

struct FetchedPartition {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int16_t error = kNoError;
  std::int64_t end = 0;  // of what may be read: the last stable offset
  std::vector<Aborted> aborted;
  std::string_view batches;
};

// Goes through an answer, without its length, partition by partition. The bytes stay where they
// are.
class FetchAnswer {
 public:
  FetchAnswer() = default;
  explicit FetchAnswer(std::string_view message);
  std::int32_t correlation() const { return correlation_; }
  // False: there is none any more, or the answer is cut short.
  bool next(FetchedPartition& out);
  bool cut() const { return in_.cut(); }

 private:
  WireReader in_;
  std::int32_t correlation_ = 0;
  std::int32_t topics_ = 0, partitions_ = 0;
  std::string_view topic_;
};

}  // namespace streamd::kafka
