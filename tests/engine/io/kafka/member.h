// SPDX-License-Identifier: Apache-2.0
// Member: a process of a consumer group in one thread: pulls all readers in turn, and does
// checkpoints when it is asked, as the engine does.
#pragma once

#include "engine/core/check.h"
#include "engine/io/kafka/consumer_group.h"
#include "tests/engine/io/kafka/mock_cluster.h"
#include "tests/support/catch.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace streamd::test {

struct Seen {
  std::string partition;
  std::uint64_t position;
  std::string data;
  std::string fault;
  bool tombstone;
};

struct MemberOptions {
  unsigned workers = 1;
  bool until_end = false;
  bool from_latest = false;
  bool fresh = false;
  bool asleep = false;  // it is in the group and reads nothing
  Positions resume_at = {};
  std::size_t max_record = 1 << 20;
  std::uint64_t prefetch = 8u << 20;
  int session_ms = 6000;
  bool direct = true;
};

class Member {
 public:
  using Options = MemberOptions;

  Member(const std::string& brokers, const std::string& topic, Options options = {})
      : options_(options) {
    kafka::GroupOptions group;
    group.client.brokers = brokers;
    group.client.properties = {{"session.timeout.ms", std::to_string(options.session_ms)},
                               {"heartbeat.interval.ms", "200"}};
    group.topics = {topic};
    group.group = "g";
    group.until_end = options.until_end;
    group.from_latest = options.from_latest;
    group.prefetch_bytes = options.prefetch;
    group.direct = options.direct;
    SourceContext context;
    context.node = "in";
    context.pipeline = "p";
    context.workers = options.workers;
    context.clock = &clock_;
    context.shared = &shared_;
    context.resume_at = options.resume_at;
    context.fresh = options.fresh;
    context.max_record = options.max_record;
    context.checkpoint_now = [this](Duration limit) { return checkpoint(limit); };
    context.log = [this](int level, const std::string& text) {
      const std::lock_guard lock(mutex_);
      log_.emplace_back(level, text);
    };
    auto opened = kafka::ConsumerGroup::open(std::move(group), std::move(context));
    REQUIRE(opened);
    group_ = *opened;
    for (unsigned w = 0; w < options.workers; ++w) readers_.push_back(*group_->reader(w));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Member() { stop(); }

  // As a process that ends in order: last checkpoint, leave.
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    acknowledge();
    group_->close();
  }
  // Waits for a checkpoint.
  bool checkpoint(Duration limit) {
    std::unique_lock lock(mutex_);
    const auto wanted = ++wanted_;
    return done_.wait_for(lock, std::chrono::microseconds(limit.micros),
                          [&] { return done_count_ >= wanted; });
  }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }
  std::vector<std::pair<int, std::string>> log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  bool logged(int level, const std::string& part) const {
    for (const auto& [l, text] : log())
      if (l == level && text.find(part) != std::string::npos) return true;
    return false;
  }
  std::map<std::string, PartitionState> states() const {
    const std::lock_guard lock(mutex_);
    return states_;
  }
  // When it was asked last, and answered, whether there is more; of the reader that knows least.
  std::optional<Duration> confirmed_at() const {
    const std::lock_guard lock(mutex_);
    return confirmed_at_;
  }
  Duration now() const { return clock_.monotonic(); }
  bool ended() const { return ended_; }
  Error error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  void run(const std::stop_token& stop) {
    PullLimits limits;
    limits.max_records = 100;
    limits.max_wait = Duration::from_millis(2);
    RawBatch batch;
    while (!stop.stop_requested()) {
      std::size_t ends = 0;
      for (auto& reader : readers_) {
        if (options_.asleep) break;
        const auto pulled = reader->pull(limits, batch);
        if (!pulled) {
          const std::lock_guard lock(mutex_);
          error_ = pulled.error();
          return;
        }
        if (*pulled == Pull::end) ++ends;
        take(*reader, batch);
      }
      note();
      if (ends == readers_.size()) {
        ended_ = true;
        return;
      }
      serve_checkpoint();
    }
  }
  void take(const Reader& reader, const RawBatch& batch) {
    const std::string name = batch.records.empty() ? "" : reader.partition_name(batch.partition);
    const std::lock_guard lock(mutex_);
    for (const auto& r : batch.records)
      seen_.push_back({name, r.position, std::string(r.data), std::string(r.fault), r.tombstone});
  }
  void note() {
    std::map<std::string, PartitionState> states;
    std::optional<Duration> confirmed_at = clock_.monotonic();
    for (auto& reader : readers_) {
      std::vector<PartitionState> some;
      reader->partitions(some);
      // nullopt is the least.
      confirmed_at = std::min(confirmed_at, reader->confirmed_at(clock_.monotonic()));
      for (auto& s : some) states[reader->partition_name(s.partition)] = s;
    }
    const std::lock_guard lock(mutex_);
    states_ = std::move(states);
    confirmed_at_ = confirmed_at;
  }
  void acknowledge() {
    note();
    Positions positions;
    for (const auto& [name, state] : states()) positions[name] = state.position;
    // In the member's thread; Catch2's assertions are for the test's.
    STREAMD_CHECK(group_->acknowledge(positions).has_value(), "a group takes its own positions");
  }
  void serve_checkpoint() {
    std::uint64_t wanted = 0;
    {
      const std::lock_guard lock(mutex_);
      if (wanted_ == done_count_) return;
      wanted = wanted_;
    }
    acknowledge();
    {
      const std::lock_guard lock(mutex_);
      done_count_ = wanted;
    }
    done_.notify_all();
  }

  Options options_;
  SystemClock clock_;
  Shared shared_;
  std::shared_ptr<kafka::ConsumerGroup> group_;
  std::vector<std::unique_ptr<Reader>> readers_;
  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::uint64_t wanted_ = 0, done_count_ = 0;
  std::vector<Seen> seen_;
  std::vector<std::pair<int, std::string>> log_;
  std::map<std::string, PartitionState> states_;
  std::optional<Duration> confirmed_at_;
  Error error_;
  std::atomic<bool> ended_{false};
  std::jthread thread_;
};

}  // namespace streamd::test
