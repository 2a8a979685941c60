// SPDX-License-Identifier: Apache-2.0
// QueueFeed: records that librdkafka has fetched, in the queue of this worker's lanes. Included
// only in this folder.
#pragma once

#include "engine/io/kafka/feed.h"
#include "engine/io/kafka/group.h"

#include <memory>

namespace streamd::kafka {

class QueueFeed final : public Feed {
 public:
  // `group` outlives it.
  QueueFeed(Group& group, WorkerLanes& lanes) : group_(group), lanes_(lanes) {}

  void fill(std::size_t at_most) override;
  void wait(Duration limit) override;

 private:
  void take(const rd_kafka_message_t& message);

  Group& group_;
  WorkerLanes& lanes_;
  std::size_t wanted_ = 0;  // of the fill that is going on
  MessagePtr first_;        // what wait() has waited for
  std::shared_ptr<rd_kafka_queue_t> from_;
};

}  // namespace streamd::kafka
