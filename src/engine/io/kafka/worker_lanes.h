// SPDX-License-Identifier: Apache-2.0
// WorkerLanes: the assigned partitions that one worker reads, with what was fetched of them. Shared
// by the group's control thread and the worker's, under its mutex. Included only in this folder.
#pragma once

#include "engine/io/kafka/conf.h"
#include "engine/io/kafka/fetched.h"
#include "engine/io/kafka/lane.h"
#include "engine/io/kafka/position.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
  const rd_kafka_topic_t* handle = nullptr;  // to recognise messages quickly
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
  // Made anew with each assignment, so that nothing fetched for an earlier one is in it.
  std::shared_ptr<rd_kafka_queue_t> queue;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::string> names;  // by number
  // What an earlier run has read and this one was not given yet: name and position. It may be with
  // a member that was killed, and holds event time back until that one is missed.
  std::vector<std::pair<std::string, Position>> expected;
  // Monotonic; when the last answered question after the ends of all of `slots` was sent.
  std::optional<Duration> confirmed_at;
  Slot* last = nullptr;  // of the last message: they come in runs
  Fetched fetched;
  bool backlog = false;       // a fetch left something in the queue
  bool done = false;          // bounded: every slot has ended
  std::uint64_t expired = 0;  // records that are gone, for the books

  std::uint32_t number_of(const std::string& name);
  Slot* find(const rd_kafka_message_t& message);
  Slot* find(const std::string& name);
  Slot* find(std::uint32_t number);
  // Fetched records go away; they will be fetched again.
  void forget_fetched();
};

}  // namespace streamd::kafka
