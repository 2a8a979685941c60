// SPDX-License-Identifier: Apache-2.0
// Taps: looks at the batches that pass in a running pipeline. A few slots that are always there, so
// that a worker needs one relaxed load per batch to know that nobody looks, and no lock ever to
// pass on. What a looker is too slow for is not kept: it is counted as skipped.
#pragma once

#include "engine/api/emitter.h"
#include "engine/core/batch.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace streamd {

class Taps {
 public:
  static constexpr std::size_t kMaxTaps = 4;
  // Of one tap, waiting to be looked at.
  static constexpr std::size_t kMaxBatches = 64;
  static constexpr std::size_t kMaxRecords = 8192;

  // --- workers
  bool any() const { return open_.load(std::memory_order_relaxed) != 0; }
  // Only worth a call when there are any(). Never waits.
  void offer(std::size_t node, Port port, const Batch& batch);

 private:
  struct alignas(128) Slot {
    std::atomic<std::uint64_t> wants{0};  // node and port; 0: nobody looks
    std::atomic<std::uint64_t> seen{0}, skipped{0};
    std::mutex mutex;  // guards all below
    std::vector<Batch> waiting;
    std::size_t records = 0;
  };

 public:
  // One looker's place, given back at the end. One thread; the Taps must outlive it.
  class Tap {
   public:
    Tap() = default;
    Tap(Tap&& other) noexcept;
    Tap& operator=(Tap&& other) noexcept;
    ~Tap();
    explicit operator bool() const { return slot_ != nullptr; }

    // Puts what waits into `batches`, in the order of each worker.
    void take(std::vector<Batch>& batches);
    // Records that passed since the tap was opened, and how many of them were not kept.
    std::uint64_t seen() const { return slot_->seen.load(std::memory_order_relaxed); }
    std::uint64_t skipped() const { return slot_->skipped.load(std::memory_order_relaxed); }

   private:
    friend class Taps;
    Tap(Taps& taps, Slot& slot) : taps_(&taps), slot_(&slot) {}
    void close();

    Taps* taps_ = nullptr;
    Slot* slot_ = nullptr;
  };

  // Looks at what leaves a node by `port`, or enters it if it is a sink; Port::out: by its named
  // outputs, too. Gives an empty Tap when all places are taken. Any thread.
  Tap open(std::size_t node, Port port);

 private:
  static void keep(Slot& slot, std::uint64_t wanted, const Batch& batch);

  std::atomic<std::uint32_t> open_{0};
  std::mutex mutex_;  // guards who has which slot
  std::array<Slot, kMaxTaps> slots_;
};

}  // namespace streamd
