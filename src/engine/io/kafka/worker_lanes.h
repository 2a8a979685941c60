// SPDX-License-Identifier: Apache-2.0
// WorkerLanes: the assigned partitions that one worker reads, with what was fetched of them. Shared
// by the group's control thread and the worker's, under its mutex. Included only in this folder.
#pragma once

#include "engine/io/kafka/broker_link.h"
#include "engine/io/kafka/conf.h"
#include "engine/io/kafka/fetched.h"
#include "engine/io/kafka/lane.h"
#include "engine/io/kafka/position.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::kafka {

// One assigned partition.
struct Slot {
  std::uint32_t number = 0;  // of the reader
  std::string topic;
  std::int32_t partition = 0;
  std::string name;
  Lane lane;
  std::size_t waiting = 0;                   // of its records in WorkerLanes::fetched
  const rd_kafka_topic_t* handle = nullptr;  // to recognise librdkafka's messages quickly
  std::int32_t leader = -1;                  // direct: the broker to ask; -1: not known
  std::int64_t fetch_at = 0;                 // direct: where the next answer shall begin
  bool stalled = false;                      // its offset does not exist; the control thread looks
  bool revoked = false;                      // being given up: hand out nothing
  rd_kafka_resp_err_t last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::int64_t acknowledged;    // durable in the pipeline
  std::int64_t committed = -1;  // told to the group
  Slot(Lane l, std::int64_t durable) : lane(l), acknowledged(durable) {}
};

// The partitions of one worker.
struct WorkerLanes {
  std::mutex mutex;
  std::condition_variable assigned;
  // Number of the assignment that `slots` are of, 0: none. Nothing that was asked for under another
  // one counts.
  std::uint64_t assignment = 0;
  std::vector<std::unique_ptr<Slot>> slots;
  // By streamd itself (LinkFeed), or by librdkafka (QueueFeed).
  bool direct = false;
  // direct: connections that the worker shall take, and the brokers of all that it has.
  std::vector<std::unique_ptr<BrokerLink>> links;
  std::vector<std::int32_t> linked;
  // Not direct: made anew with each assignment.
  std::shared_ptr<rd_kafka_queue_t> queue;
  std::vector<std::string> names;  // by number
  // What an earlier run has read and this one was not given yet: name and position. It may be with
  // a member that was killed, and holds event time back until that one is missed.
  std::vector<std::pair<std::string, Position>> expected;
  // Monotonic; when the last answered question after the ends of all of `slots` was sent.
  std::optional<Duration> confirmed_at;
  Slot* last = nullptr;        // of the last message: they come in runs
  std::size_t asked_next = 0;  // which slot is probably asked for by topic and partition next
  Fetched fetched;
  bool backlog = false;       // not direct: a fetch left something in the queue
  bool done = false;          // bounded: every slot has ended
  std::uint64_t expired = 0;  // records that are gone, for the books

  std::uint32_t number_of(const std::string& name);
  Slot* find(const rd_kafka_message_t& message);
  Slot* find(std::string_view topic, std::int32_t partition);
  Slot* find(const std::string& name);
  Slot* find(std::uint32_t number);
  // A record of the slot that its lane has taken: its bytes are copied, at most `longest` whole.
  void keep(Slot& slot, RawRecord record, std::size_t longest);
  // Fetched records go away; they will be fetched again.
  void forget_fetched();
  // The same, and the assignment ends. Its slots stay for the next one.
  void end_assignment();
};

}  // namespace streamd::kafka
