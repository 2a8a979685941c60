// SPDX-License-Identifier: Apache-2.0
// KafkaTransaction: makes the records of an epoch, the offsets of the Kafka sources they came from,
// and the epoch's number visible together. One per running pipeline, shared by its exactly-once
// sinks.
//
// Order, kept by the sinks: between its barrier(e) and the commit of e a sink sends nothing; what
// it gets meanwhile belongs to the next transaction. So begin() and commit() never run into each
// other.
#pragma once

#include "engine/api/sink.h"
#include "engine/io/kafka/producer.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace streamd::kafka {

class Group;

class KafkaTransaction final : public Transaction {
 public:
  // The one of the pipeline for these brokers. An Error of kind config when another exactly-once
  // sink of the pipeline wants other options for them.
  static Result<std::shared_ptr<KafkaTransaction>> of(ProducerOptions options,
                                                      const SinkContext& context);

  // --- sinks, worker threads
  const std::shared_ptr<Producer>& producer() const { return producer_; }
  // Before each record: a transaction is open afterwards. Retry::backoff while Kafka is away.
  Status begin();
  Epoch committed() const { return committed_.load(std::memory_order_acquire); }
  void wait_for_commit(Epoch epoch, Duration limit);
  // A topic that the sink writes to; the marker's place needs one.
  void writes_to(const std::string& topic);
  // Gives up what is not committed, so that readers of the topics need not wait for a time-out.
  void abandon() noexcept;

  // --- Transaction, control thread. An error that will heal and that was told has no message.
  std::string name() const override;
  Result<Epoch> last_committed() override;
  Status commit(Epoch epoch, const std::map<std::string, Positions>& positions) override;

 private:
  KafkaTransaction(std::shared_ptr<Producer> producer, ProducerOptions options,
                   const SinkContext& context);
  Status init();
  Status open_transaction();
  using Groups = std::map<std::string, std::shared_ptr<Group>>;  // by source node
  Result<bool> same_cluster(const Group& group);
  Result<std::string> marker_topic(const Groups& groups);
  Status send_marker(Epoch epoch, const Groups& groups);
  Result<Groups> groups_of(const std::map<std::string, Positions>& positions);
  Status await_answer();
  Status check_ownership(const Groups& groups);
  struct Part;
  std::optional<std::vector<Part>> parts_of(const Groups& groups,
                                            const std::map<std::string, Positions>& positions);
  Status send_offsets(const std::vector<Part>& parts);
  Status finish();
  bool has_expired() const;

  const std::shared_ptr<Producer> producer_;
  const ProducerOptions options_;
  const std::string pipeline_;
  const std::string state_id_;
  Shared& shared_;
  const Clock& clock_;
  std::atomic<bool> open_{false};
  std::atomic<Epoch> committed_{0};
  std::mutex mutex_;  // held during calls to Kafka, guards these:
  bool initialised_ = false;
  Duration opened_at_{};  // monotonic
  std::string marker_topic_;
  std::string cluster_;
  std::mutex sinks_mutex_;  // taken after mutex_, never held for long, guards these:
  std::condition_variable commits_;
  std::vector<std::string> topics_;  // first seen first
};

}  // namespace streamd::kafka
