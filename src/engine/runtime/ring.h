// SPDX-License-Identifier: Apache-2.0
// Ring: a bounded queue from one worker to another. One thread pushes, one pops; no locks. A full
// ring is the back-pressure between workers.
#pragma once

#include "engine/api/operator.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace streamd {

struct Message {
  enum class Kind : std::uint8_t { batch, summary, watermark, barrier };
  Kind kind = Kind::batch;
  std::uint32_t node = 0;            // the node it is for
  Batch batch;                       // kind batch
  std::unique_ptr<Summary> summary;  // kind summary
  EventTime mark{};                  // kind watermark
};

class Ring {
 public:
  explicit Ring(std::size_t capacity) : slots_(capacity) {}

  // False: full; the message is untouched.
  bool push(Message& message) {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == slots_.size()) return false;
    slots_[tail % slots_.size()] = std::move(message);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  bool pop(Message& into) {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    into = std::move(slots_[head % slots_.size()]);
    slots_[head % slots_.size()] = Message{};
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  std::vector<Message> slots_;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace streamd
