// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/queue_feed.h"

#include <chrono>

namespace streamd::kafka {

// Everything taken from the queue is attributed to its slot under the lock, so that a rebalance
// finds it either in the queue or in the slot. librdkafka calls back for a whole queue under one
// lock of its own, and what is left when we have enough goes back to the head of the queue.
void QueueFeed::fill(std::size_t at_most) {
  // A rebalance may have happened since: then the message belongs to nobody here.
  if (first_ && from_ == lanes_.queue) group_.sort_in(lanes_, *first_);
  first_.reset();
  from_.reset();
  if (!lanes_.queue || lanes_.fetched.size() >= at_most) return;
  wanted_ = at_most;
  rd_kafka_consume_callback_queue(
      lanes_.queue.get(), 0,
      [](rd_kafka_message_t* message, void* self) {
        static_cast<QueueFeed*>(self)->take(*message);
      },
      this);
}

void QueueFeed::take(const rd_kafka_message_t& message) {
  group_.sort_in(lanes_, message);
  if (lanes_.fetched.size() < wanted_ && !lanes_.fetched.block_is_full()) return;
  lanes_.backlog = true;
  rd_kafka_yield(group_.client()->get());
}

void QueueFeed::wait(Duration limit) {
  {
    std::unique_lock lock(lanes_.mutex);
    from_ = lanes_.queue;
    if (!from_) {
      lanes_.assigned.wait_for(lock, std::chrono::microseconds(limit.micros));
      return;
    }
  }
  rd_kafka_message_t* first = nullptr;
  rd_kafka_consume_batch_queue(from_.get(), static_cast<int>(limit.micros / 1000), &first, 1);
  first_.reset(first);
}

}  // namespace streamd::kafka
