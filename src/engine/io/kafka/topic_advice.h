// SPDX-License-Identifier: Apache-2.0
// TopicAdvice: what only the cluster knows and a pipeline's author should: that topics forget
// records sooner than windows need them, and that another process of the group has a part of what
// is counted here by key. Each is said once in a run, as a warning. Nothing waits for it, and no
// answer (a broker of old, no right to describe topics) is no trouble.
//
// Group's control thread only. Included only in this folder.
#pragma once

#include "engine/api/source.h"
#include "engine/io/kafka/conf.h"
#include "engine/io/kafka/consumer_group.h"

#include <memory>
#include <string>

namespace streamd::kafka {

class TopicAdvice {
 public:
  // Both outlive it.
  TopicAdvice(const GroupOptions& options, const SourceContext& context)
      : options_(options), context_(context) {}

  // These partitions are read here now. `client` must not go away before give_up().
  void assigned(const rd_kafka_topic_partition_list_t& partitions,
                const std::shared_ptr<Client>& client);
  // Looks whether an answer has come. Never blocks for longer than a request for metadata.
  void serve();
  // Before the client goes away.
  void give_up();

 private:
  void ask_retention();
  void tell_retention(const rd_kafka_ConfigResource_t& topic) const;
  void tell_split();

  const GroupOptions& options_;
  const SourceContext& context_;
  std::shared_ptr<Client> client_;
  Queue answers_;
  PartitionList here_;  // until they were compared with all of the topics' partitions
  bool asked_ = false, split_told_ = false;
};

}  // namespace streamd::kafka
