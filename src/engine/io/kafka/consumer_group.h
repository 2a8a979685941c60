// SPDX-License-Identifier: Apache-2.0
// ConsumerGroup: membership in a Kafka consumer group and the partitions that come with it, spread
// over the workers of this process.
//
// One librdkafka consumer with one control thread, which serves rebalances, looks whether the
// cluster answers, and commits offsets. A partition belongs to worker `partition % workers`. The
// worker's Reader fetches its records from the brokers by itself (link_feed.h), while librdkafka
// has the partition paused; or takes what librdkafka has fetched (queue_feed.h), where brokers want
// TLS or a password, or the user says so.
//
// Rebalances are eager (range): all partitions are given up and taken anew together. Before they
// are given up, nothing of them is handed out any more and a checkpoint commits what was.
#pragma once

#include "engine/api/source.h"
#include "engine/io/kafka/client_options.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd::kafka {

struct GroupOptions {
  ClientOptions client;
  std::vector<std::string> topics;
  std::string group;
  // Where to begin in a partition of which neither the state nor the group knows a position.
  bool from_latest = false;
  // Stop at the ends of the partitions as seen when the source is opened.
  bool until_end = false;
  // Workers fetch from the partitions' leaders by themselves, where the client's properties are
  // such that they can (may_fetch_directly); librdkafka keeps the membership. Else it fetches, too.
  bool direct = true;
  // Fetched records that wait for the workers, all together.
  std::uint64_t prefetch_bytes = 64u << 20;
  // What the user says of the topics, and `check` has compared with what reads them.
  std::optional<Duration> retention;
  bool partitioning_known = false;
};

class ConsumerGroup {
 public:
  virtual ~ConsumerGroup() = default;

  // Starts the control thread; returns at once, whether or not a broker is there. The group is
  // found by exactly-once sinks of the pipeline under context.node (GroupDirectory).
  static Result<std::shared_ptr<ConsumerGroup>> open(GroupOptions options, SourceContext context);

  // Valid until close(). One thread each.
  virtual Result<std::unique_ptr<Reader>> reader(unsigned worker) = 0;
  // Remembers what is durable and commits it to the group, without waiting, unless an exactly-once
  // sink does that within its transactions.
  virtual Status acknowledge(const Positions& positions) = 0;
  // Commits what was acknowledged, leaves the group. Batches handed out stay valid.
  virtual void close() noexcept = 0;
};

}  // namespace streamd::kafka
