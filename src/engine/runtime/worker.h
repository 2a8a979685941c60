// SPDX-License-Identifier: Apache-2.0
// Worker: one thread's copy of the pipeline. It reads its lanes, runs each batch to its end through
// its own instances of the nodes, and exchanges keyed records with the other workers over rings.
//
// Life of an epoch on a worker: the control thread wants epoch e; between two batches the worker
// notes its positions, stops reading, and lets the barrier pass its nodes in the order of the plan.
// A node that gets records from other workers waits for the barrier of each of them; a ring whose
// barriers have all come is not read until the epoch has passed here, so nothing after a barrier
// can overtake it and nothing has to be kept aside. Then reading goes on while sinks make the epoch
// durable; when all have, the worker hands in its part.
#pragma once

#include "engine/runtime/dead_letters.h"
#include "engine/runtime/exchange.h"
#include "engine/runtime/ingest.h"
#include "engine/runtime/lane.h"
#include "engine/runtime/pace.h"
#include "engine/runtime/run_context.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace streamd {

class Worker {
 public:
  Worker(RunContext& run, unsigned index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before the thread starts, on the control thread: opens sinks, restores operators, takes
  // readers. `opened`: by node, sinks that are open already; this worker takes those that it owns.
  Status open(Shared& shared, const std::string& pipeline_dir,
              const std::vector<std::unique_ptr<Source>>& sources,
              std::vector<std::unique_ptr<Sink>>& opened);
  // The thread's body: returns after the last epoch was committed, or after a failure anywhere.
  void run();
  // One round of run(), for who drives the worker himself instead: messages, one batch per source,
  // event time, barriers, sinks. True when there was something to do.
  bool turn();
  // All input of every node has ended (bounded sources). Any thread.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // And the sinks have nothing left to send.
  bool finished() const { return finished_.load(std::memory_order_acquire); }
  // Control thread, after run() returned: the first of all workers, then the second.
  void announce_stop() noexcept;
  void close() noexcept;

 private:
  class NodeEmitter;
  struct Edge {
    std::uint32_t node = 0;  // the reader
    const PlanInput* input = nullptr;
  };
  struct Node {
    const PlanNode* plan = nullptr;
    NodeCounters* counters = nullptr;
    std::vector<Edge> out, late;
    std::vector<std::vector<Edge>> routes;
    std::unique_ptr<Operator> op;
    std::unique_ptr<Sink> sink;
    std::unique_ptr<NodeEmitter> emitter;
    std::vector<std::uint32_t> sources;  // what its records come from
    bool exchanged = false;              // gets records from other workers
    bool gathered = false;               // all of them go to `owner`
    unsigned owner = 0;
    bool waits_for_sink = false;  // its last call failed in a way that may heal
    // Event time
    std::vector<EventTime> marks;  // exchanged: what each worker said
    EventTime announced = EventTime::min();
    EventTime told = EventTime::min();   // the latest time that was announced
    EventTime given = EventTime::min();  // what the instance was told
    EventTime out_mark = EventTime::min();
    EventTime reached = EventTime::min();  // inputs that have ended: the last time they reached
    // Barrier
    bool passed = true;
    bool sent = false;
    bool prepared = false;  // its sink said so of this epoch
    unsigned barriers = 0;
    void show_keys() const { counters->keys.store(op->live_keys(), std::memory_order_relaxed); }
  };
  struct SourceReader {
    std::uint32_t node = 0;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<Ingest> ingest;
    std::map<std::string, StoredPartition> stored;
    std::unordered_map<std::uint32_t, Lane> lanes;          // by partition
    std::unordered_map<std::uint32_t, Duration> listed_at;  // monotonic; since when it is listed
    // As of refreshed_at, and what became a lane since.
    std::vector<PartitionState> states;
    std::vector<Lane*> open_lanes;             // of partitions that have not ended
    std::unordered_set<std::uint32_t> unread;  // without a lane: nobody knows what they hold
    bool any_silent = false;                   // one without a lane is silent
    Duration refreshed_at{};
    std::optional<Duration> pulled_at;     // when the last pull that went well began
    std::optional<Duration> confirmed_at;  // Reader::confirmed_at, of `states`
    bool stale = true;                     // the last pull changed what partitions() would say
    bool was_idle = false;                 // the last pull
    bool ended = false;
    Duration retry_at{};
    Duration backoff{};
    Pace pace;
  };

  // worker.cc: set-up and the loop
  Status open_nodes(Shared& shared, const std::string& pipeline_dir,
                    std::vector<std::unique_ptr<Sink>>& opened);
  std::vector<std::uint32_t> sources_of(std::size_t n) const;
  Status open_sink(std::size_t n, Shared& shared, const std::string& pipeline_dir,
                   std::vector<std::unique_ptr<Sink>>& opened);
  Status restore_operator(Node& node);
  bool read_sources();
  bool read_one(SourceReader& source, Duration max_wait);
  static bool tells_news(SourceReader& source, Pull pulled);
  bool is_ahead(SourceReader& source, Duration now) const;
  void show_front(const SourceReader& source, EventTime time);
  Lane& lane_of(SourceReader& source, std::uint32_t partition);
  Lane& add_lane(SourceReader& source, std::uint32_t partition);
  void reader_failed(SourceReader& source, const Error& error);
  bool may_read() const;
  bool drain_rings();
  void take_message(unsigned from, Message& message);
  void rest();
  void fail(const Node& node, Error error);

  // worker_flow.cc: records through the nodes
  static std::vector<Edge>& edges_of(Node& node, Port port);
  std::uint32_t number_of(const Node& node) const {
    return static_cast<std::uint32_t>(&node - nodes_.data());
  }
  void emit(Node& from, const Batch& batch, Port port);
  void deliver(std::uint32_t node, const Batch& batch);
  bool all_read_for(const Node& node) const;
  Batch combine(Node& node, const Batch& batch);
  void distribute(Node& node, const Batch& batch);
  void process(Node& node, const Batch& batch);
  void take_summary(Node& node, const Summary& summary);
  void write(Node& node, const Batch& batch);
  void tick(Node& node);
  void send(unsigned to, Message message);
  void flush_dead_letters();
  void refuse(const Node& node, std::string_view letter, const Fault& fault);
  void show_dead_letters(const Batch& batch);

  // worker_time.cc: watermarks
  void update_lanes(SourceReader& source);
  void drop_unlisted(SourceReader& source);
  void sort_partitions(SourceReader& source);
  EventTime source_mark(const SourceReader& source);
  EventTime lanes_mark(const SourceReader& source);
  static bool is_silent(const SourceReader& source, const PartitionState& state, Duration since);
  void advance_marks();
  void note_end();
  EventTime local_mark(Node& node);
  static EventTime exchanged_mark(const Node& node);
  void give_mark(Node& node, EventTime mark);

  // worker_epoch.cc: barriers
  void start_epoch(Epoch epoch);
  void pass_barriers();
  bool inputs_passed(std::size_t node) const;
  void pass(Node& node);
  void note_positions();
  // After a call of the node's sink: fails the run for good errors, tells once about others and
  // once when they are over. True when the call went well.
  bool sink_works(Node& node, const Status& status);
  void poll_sinks();

  RunContext& run_;
  const unsigned index_;
  std::vector<Node> nodes_;
  std::vector<SourceReader> readers_;
  std::size_t exchanged_nodes_ = 0;
  RawBatch raw_;
  Exchange exchange_;
  DeadLetters dead_letters_;
  std::size_t next_reader_ = 0;
  std::vector<std::deque<Message>> stash_;  // per sender: taken from a ring while sending blocked
  // The epoch that passes here, or passed last.
  Epoch epoch_ = 0;
  bool in_epoch_ = false;                   // barriers are on their way
  bool last_epoch_ = false;                 // nothing is read any more
  std::vector<std::size_t> ring_barriers_;  // per sender: barriers of this epoch seen
  EpochParts part_;
  bool part_open_ = false;  // sinks are not prepared yet
  Epoch told_ = 0;          // sinks were told of this commit
  Duration quiet_since_{};
  std::atomic<bool> ended_{false}, finished_{false};
};

}  // namespace streamd
