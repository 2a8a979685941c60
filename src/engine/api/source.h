// SPDX-License-Identifier: Apache-2.0
// Sources: what a component author implements to bring raw records in. Decoding, event time,
// watermarks, dead letters and checkpoints are the engine's.
//
// Three objects: SourcePlan (configuration, const, shared), Source (one per running pipeline:
// membership, acknowledgement; its methods are called on the control thread), Reader (one per
// worker, called by that worker's thread only).
#pragma once

#include "engine/api/shared.h"
#include "engine/core/clock.h"
#include "engine/core/error.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

using Epoch = std::uint64_t;

// Where a source stands in a partition, in the source's own text form (short, printable, versioned
// by the source). The engine stores it in the epoch and never looks inside.
using Position = std::string;

// By partition name: "topic/3", "/var/log/nginx/access.log#2049:1311", "generate/0".
using Positions = std::map<std::string, Position>;

struct RawRecord {
  std::string_view data;       // the record's bytes, without line end; points into RawBatch::buffer
  std::uint64_t position = 0;  // number of the record in its partition: offset, byte, count
  EventTime arrival{};     // when the source got it, or the broker's timestamp; micros 0 = unknown
  bool tombstone = false;  // no value at all (Kafka); data is empty
  // Not usable as it is (too long, torn gzip, …): code of the dead letter, or empty.
  std::string_view fault;
};

// Some consecutive records of ONE partition. Reused between calls: pull() clears it first.
struct RawBatch {
  std::uint32_t partition = 0;  // the reader's own number for it, see Reader::partition_name
  std::vector<RawRecord> records;
  std::shared_ptr<const void> buffer;  // keeps the bytes alive
  // At least this many readable bytes follow every record's data (the parser may read, not use
  // them). 0 when unknown.
  std::size_t padding = 0;
  // Records that nobody can read any more, noticed since the last pull: the engine counts them as
  // read and dropped{expired}. Any partition's; also beside Pull::idle and Pull::end.
  std::uint64_t expired = 0;
  // The same for records of somebody who sends more than is allowed: dropped{throttled}.
  std::uint64_t throttled = 0;
  void clear() {
    records.clear();
    buffer.reset();
    padding = 0;
    expired = 0;
    throttled = 0;
  }
};

enum class Pull : std::uint8_t {
  data,  // records were appended
  idle,  // nothing now, more may come
  end,   // every partition of this reader has ended; do not call again
};

struct PullLimits {
  std::size_t max_records = 4096;
  Duration max_wait{};  // how long pull() may block when there is nothing
};

// State of one partition as the reader sees it, asked for at every checkpoint and watermark.
struct PartitionState {
  std::uint32_t partition = 0;
  Position position;  // just after the last record handed out
  // Healthy and read to its end, as of Reader::confirmed_at: only then it may count as idle.
  bool caught_up = false;
  bool ended = false;  // bounded and read to its end
};

class Reader {
 public:
  virtual ~Reader() = default;
  // Fills `out` from one partition; blocks at most limits.max_wait. An error with Retry::backoff is
  // logged once and retried by the engine with back-off; any other stops the pipeline.
  virtual Result<Pull> pull(const PullLimits& limits, RawBatch& out) = 0;
  // The partitions that this reader owns now. A partition that was taken away (rebalance) is simply
  // no longer listed: its position stays, as another process may go on with it, or this one later.
  virtual void partitions(std::vector<PartitionState>& out) = 0;
  // Partitions that are over since the last call, no longer listed: nothing of them can ever be
  // read again. Asked at every checkpoint, whose epoch forgets their positions.
  virtual void over(std::vector<std::uint32_t>& /*out*/) {}
  // Until when what partitions() said last is known to be true: a partition is idle, and event time
  // goes on without records, only so far. `pulled_at`: when the last pull() that went well began;
  // it is the answer of a reader that looks at every pull. One that has to ask somebody says when
  // it sent the last question that was answered; nullopt: nothing is known. Monotonic times.
  virtual std::optional<Duration> confirmed_at(Duration pulled_at) const { return pulled_at; }
  // Stable name, also after a restart. Numbers are never reused for another partition.
  virtual std::string partition_name(std::uint32_t partition) const = 0;
};

// What a stateful node wants of a source that it reads, directly or through others.
struct SourceUse {
  std::string node;
  std::optional<Duration> span;  // of its windows; none: it has none, or they have no limit
  // Fields of its key, where they are the source's own and so may be what the far side is
  // partitioned by; none in the list: all records have one key. nullopt: nobody knows.
  std::optional<std::vector<std::string>> keys;
};

struct SourceContext {
  std::string node;
  std::string pipeline;
  unsigned workers = 1;
  const Clock* clock = nullptr;
  Shared* shared = nullptr;
  std::vector<SourceUse> uses;
  // Records longer than this come as a RawRecord with fault "too-long" and a shortened text.
  std::size_t max_record = std::size_t{1} << 20;
  // Committed positions of an earlier run, by partition; empty on a first start or with --fresh.
  Positions resume_at;
  bool fresh = false;  // --fresh: positions kept at the far side (consumer groups) do not count
  // Runs a checkpoint now and waits for its commit, at most `limit`. False: not committed. Any
  // thread but a worker's. Called before partitions are given up.
  std::function<bool(Duration limit)> checkpoint_now;
  // One-line notice for the log: level 0 info, 1 warning, 2 error. Any thread.
  std::function<void(int level, const std::string& text)> log;
};

class Source {
 public:
  virtual ~Source() = default;
  // Called once per worker before any record flows.
  virtual Result<std::unique_ptr<Reader>> reader(unsigned worker) = 0;
  // Epoch committed: everything before these positions is done. Tell the far side (commit
  // offsets). Called after every commit with all partitions of the source.
  virtual Status acknowledge(Epoch /*epoch*/, const Positions& /*positions*/) { return {}; }
  // No reader is used after this.
  virtual void close() noexcept {}
};

class SourcePlan {
 public:
  virtual ~SourcePlan() = default;
  virtual bool bounded() const = 0;  // ends by itself: file without follow, generate with count
  // One line for `check`: "topic nginx-access at localhost:9092, group streamd-nginx".
  virtual std::string describe() const = 0;
  // Records arrive as text lines of this codec when the pipeline does not say `decode:`.
  virtual std::string default_decode() const { return "json"; }
  virtual Result<std::unique_ptr<Source>> open(SourceContext context) const = 0;
};

}  // namespace streamd
