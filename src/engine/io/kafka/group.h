// SPDX-License-Identifier: Apache-2.0
// Group: the inside of ConsumerGroup. Included only in this folder.
//
// Threads: the control thread runs serve() and everything it calls; each worker thread calls its
// LaneReader; the engine's control thread calls acknowledge(), close() and what transactions need.
// Locks: holding_, WorkerLanes::mutex, Group::mutex_, in this order; never two WorkerLanes at once.
#pragma once

#include "engine/io/kafka/conf.h"
#include "engine/io/kafka/consumer_group.h"
#include "engine/io/kafka/outage.h"
#include "engine/io/kafka/position.h"
#include "engine/io/kafka/topic_advice.h"
#include "engine/io/kafka/worker_lanes.h"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace streamd::kafka {

// The control thread's rounds, and its questions that must not keep it from them.
inline constexpr int kPollMs = 100;
inline constexpr int kProbeLimitMs = 1000;

// How far a partition was read, and how much of that is durable in the pipeline.
struct Known {
  std::int64_t position = 0;
  std::int64_t acknowledged = 0;
};

// Whether everything that was read is still this process's to commit.
enum class Ownership : std::uint8_t {
  whole,
  in_doubt,  // membership was lost with records uncommitted; the next assignment will tell
  broken,    // another member has gone on from before them
};

class Group final : public ConsumerGroup, public std::enable_shared_from_this<Group> {
 public:
  Group(GroupOptions options, SourceContext context);
  ~Group() override;

  Status start();
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override;
  Status acknowledge(const Positions& positions) override;
  void close() noexcept override;

  // --- for LaneReader and its feeds, any worker's thread
  WorkerLanes& lanes(unsigned worker) { return *workers_[worker]; }
  const std::shared_ptr<Client>& client() const { return client_; }
  bool bounded() const { return options_.until_end; }
  bool healthy() const { return healthy_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  Error error() const;
  // The worker's lock is held.
  void sort_in(WorkerLanes& to, const rd_kafka_message_t& message);
  // The same for what a broker has told of a partition instead of records.
  void sort_in(Slot& slot, rd_kafka_resp_err_t code, const std::string& text);
  std::size_t max_record() const { return context_.max_record; }
  FetchLimits fetch_limits() const;
  // A connection of a worker's is gone, or an answer on it was of no use.
  void link_lost(const std::string& reason);
  // What a broker sends only librdkafka understands; it reads on from here.
  void leave_to_librdkafka(const std::string& why);
  // Bounded: every partition has been read to its end, by this process or by others of the group.
  // No lock is held.
  bool finished();
  // There are partitions whose records others have not read and this process may still get, so
  // that nobody may go on without them in event time. No lock is held.
  bool waits_for_others() const { return bounded() && !rest_is_read_; }
  // Monotonic micros: when a member that was killed before this one began is no longer in the
  // group.
  std::int64_t ghosts_until() const { return ghosts_until_; }
  Duration now() const { return context_.clock->monotonic(); }

  // --- for Transaction
  std::string cluster_id(int limit_ms) const;
  // Offsets are committed by a transaction from now on.
  void leave_commits_to_transaction() { transactional_ = true; }
  // While it is held no partition is given up, so that offsets and metadata belong together.
  std::unique_lock<std::mutex> hold_partitions() { return std::unique_lock(holding_); }
  Ownership ownership() const { return ownership_; }
  // The group has dropped this member; the rebalance that says so is on its way.
  bool membership_lost() const { return rd_kafka_assignment_lost(client_->get()) != 0; }
  // The positions of partitions that this process has now, for the group's metadata of now.
  PartitionList offsets_of(const Positions& positions);
  GroupMetadata metadata() const;
  // Everything before these positions is durable in the pipeline.
  void note_durable(const Positions& positions);
  const std::vector<std::string>& topics() const { return options_.topics; }
  const std::string& name() const { return options_.group; }

 private:
  // Which worker reads a partition.
  std::size_t worker_of(std::int32_t partition) const {
    return static_cast<std::size_t>(partition) % workers_.size();
  }
  WorkerLanes& lanes_of(std::int32_t partition) { return *workers_[worker_of(partition)]; }

  // consumer_group.cc
  Settings settings() const;
  Duration session_timeout() const;
  void serve(std::stop_token stop);
  void poll(int limit_ms);
  bool keep_fetching();
  void add_some(const WorkerLanes& worker, const PartitionList& list);
  void serve_message(const rd_kafka_message_t* message);
  void on_error(rd_kafka_resp_err_t code, const char* reason);
  void fail(Error error);
  bool probe_due();
  void probe();
  rd_kafka_resp_err_t take_ends(const rd_kafka_topic_partition_list_t& ends, Duration asked_at);
  void serve_resets();
  bool find_reset(const TopicPartition& target, const std::string& name);
  void missing(const std::string& topic);
  void log(int level, const std::string& text) const { context_.log(level, text); }

  // until_end.cc
  Result<PartitionList> all_partitions();
  bool find_ends(const std::stop_token& stop);
  void look_at_others();
  bool is_read_by_others(const rd_kafka_topic_partition_t& committed);

  // group_offsets.cc
  void commit_acknowledged(int limit_ms);
  void on_committed(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& offsets);

  // rebalance.cc
  void on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions);
  void assign(rd_kafka_topic_partition_list_t* partitions);
  bool find_starts(rd_kafka_topic_partition_list_t* partitions);
  void tell_offset_lost(const std::string& name) const;
  void settle_doubts(const rd_kafka_topic_partition_list_t& committed);
  bool find_unknown_starts(rd_kafka_topic_partition_list_t* partitions);
  std::unique_ptr<Slot> make_slot(const rd_kafka_topic_partition_t& partition) const;
  using Queues = std::vector<std::shared_ptr<rd_kafka_queue_t>>;  // by worker
  Queues forward(const rd_kafka_topic_partition_list_t& partitions);
  void place(const rd_kafka_topic_partition_list_t& partitions);
  void take(rd_kafka_topic_partition_list_t* partitions);
  void take_anew();
  void unassign();
  void revoke();
  bool stop_handing_out();
  void remember(bool committed);
  bool pause();  // false: closing

  // links.cc
  void serve_links(const std::stop_token& stop);
  void hear_of_links();
  bool find_leaders();
  bool make_links(WorkerLanes& lanes, const std::stop_token& stop);

  const GroupOptions options_;
  const SourceContext context_;
  std::shared_ptr<Client> client_;
  std::vector<std::unique_ptr<WorkerLanes>> workers_;
  std::jthread control_;

  // Control thread only
  Health health_;
  TopicAdvice advice_;
  std::map<std::string, Known> known_;        // by partition name
  std::set<std::string> doubtful_;            // partitions lost with records uncommitted
  std::map<std::string, std::int64_t> ends_;  // bounded: by partition name
  std::set<std::string> begun_;               // --fresh: the group's offset counts from now on
  std::set<std::string> missing_;             // topics
  Duration others_seen_{};                    // bounded: when their offsets were asked for last
  std::size_t wake_turn_ = 0;
  std::vector<Queue> forwarded_;  // the assigned partitions' own queues
  bool direct_;                   // the workers fetch by themselves (LinkFeed)
  bool paused_ = false;           // partitions were, for that: librdkafka remembers it
  std::uint64_t assignments_ = 0;
  Duration links_due_{};  // monotonic; no earlier after a failure
  std::map<std::int32_t, std::pair<std::string, std::uint16_t>> brokers_;  // by id: host and port

  std::atomic<bool> healthy_{true};
  std::atomic<bool> failed_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> assigned_{false};  // an assignment has come
  std::atomic<bool> finished_{false};
  std::atomic<std::int64_t> ghosts_until_{INT64_MAX};
  std::atomic<bool> rest_is_read_{false};  // bounded: what is not assigned here
  std::atomic<bool> transactional_{false};
  std::atomic<Ownership> ownership_{Ownership::whole};
  std::mutex holding_;
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  std::vector<std::string> resets_;                         // partition names
  std::optional<std::string> link_lost_, only_librdkafka_;  // why
};

// The groups of a pipeline, by source node, for exactly-once sinks. Thread-safe.
class GroupDirectory {
 public:
  static std::shared_ptr<GroupDirectory> of(Shared& shared);
  void add(const std::string& node, std::weak_ptr<Group> group);
  std::map<std::string, std::shared_ptr<Group>> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Group>> groups_;
};

}  // namespace streamd::kafka
