// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/taps.h"

#include <utility>

namespace streamd {
namespace {

// The looker holds a slot only while it swaps two vectors.
constexpr int kTries = 64;

constexpr std::uint64_t name_of(std::size_t node, Port port) {
  return ((std::uint64_t{node} + 1) << 16) | static_cast<std::uint64_t>(port);
}

}  // namespace

void Taps::offer(std::size_t node, Port port, const Batch& batch) {
  const std::uint64_t exact = name_of(node, port);
  const std::uint64_t any_out = is_route(port) ? name_of(node, Port::out) : exact;
  for (Slot& slot : slots_) {
    const std::uint64_t wanted = slot.wants.load(std::memory_order_relaxed);
    if (wanted == exact || wanted == any_out) keep(slot, wanted, batch);
  }
}

void Taps::keep(Slot& slot, std::uint64_t wanted, const Batch& batch) {
  std::unique_lock lock(slot.mutex, std::try_to_lock);
  for (int i = 0; !lock.owns_lock() && i < kTries; ++i) (void)lock.try_lock();
  const auto count = [&](std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(batch.size(), std::memory_order_relaxed);
  };
  if (!lock.owns_lock()) {
    count(slot.seen);
    return count(slot.skipped);
  }
  if (slot.wants.load(std::memory_order_relaxed) != wanted) return;
  count(slot.seen);
  const bool room = slot.waiting.empty() || slot.records + batch.size() <= kMaxRecords;
  if (!room || slot.waiting.size() == kMaxBatches) return count(slot.skipped);
  slot.waiting.push_back(batch);
  slot.records += batch.size();
}

Taps::Tap Taps::open(std::size_t node, Port port) {
  const std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) {
    if (slot.wants.load(std::memory_order_relaxed) != 0) continue;
    const std::lock_guard hold(slot.mutex);
    slot.seen.store(0, std::memory_order_relaxed);
    slot.skipped.store(0, std::memory_order_relaxed);
    slot.wants.store(name_of(node, port), std::memory_order_relaxed);
    open_.fetch_add(1, std::memory_order_relaxed);
    return {*this, slot};
  }
  return {};
}

Taps::Tap::Tap(Tap&& other) noexcept
    : taps_(std::exchange(other.taps_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}

Taps::Tap& Taps::Tap::operator=(Tap&& other) noexcept {
  if (this == &other) return *this;
  close();
  taps_ = std::exchange(other.taps_, nullptr);
  slot_ = std::exchange(other.slot_, nullptr);
  return *this;
}

Taps::Tap::~Tap() { close(); }

void Taps::Tap::close() {
  if (slot_ == nullptr) return;
  std::vector<Batch> waiting;
  const std::lock_guard lock(taps_->mutex_);
  taps_->open_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard hold(slot_->mutex);
  slot_->wants.store(0, std::memory_order_relaxed);
  slot_->records = 0;
  slot_->waiting.swap(waiting);
  slot_ = nullptr;
}

void Taps::Tap::take(std::vector<Batch>& batches) {
  batches.clear();
  const std::lock_guard hold(slot_->mutex);
  slot_->waiting.swap(batches);
  slot_->records = 0;
}

}  // namespace streamd
