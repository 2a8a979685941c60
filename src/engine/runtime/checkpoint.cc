// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/checkpoint.h"

#include <chrono>
#include <utility>

namespace streamd {

void Checkpoint::start(Epoch epoch, bool last) {
  running_ = true;
  last_.store(last, std::memory_order_release);
  wanted_.store(epoch, std::memory_order_release);
}

std::optional<EpochParts> Checkpoint::take() {
  const std::lock_guard lock(mutex_);
  if (!running_ || handed_in_ < workers_) return std::nullopt;
  handed_in_ = 0;
  return std::exchange(parts_, EpochParts{});
}

void Checkpoint::committed(Epoch epoch) {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    done_.store(epoch, std::memory_order_release);
  }
  commits_.notify_all();
}

void Checkpoint::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_.store(true, std::memory_order_release);
    has_news_ = true;
  }
  news_.notify_all();
  commits_.notify_all();
}

bool Checkpoint::wait(Duration limit) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, std::chrono::microseconds(limit.micros), [this] { return has_news_; });
  return std::exchange(has_news_, false);
}

void Checkpoint::hand_in(EpochParts part) {
  {
    const std::lock_guard lock(mutex_);
    parts_.state.append(std::move(part.state));
    for (auto& [source, partitions] : part.partitions) {
      // Also one without partitions: it may have lost them with records of this epoch.
      auto& all = parts_.partitions[source];
      for (auto& [name, stored] : partitions) all[name] = std::move(stored);
    }
    for (auto& [source, partitions] : part.over) parts_.over[source].merge(partitions);
    for (auto& [place, text] : part.sinks) parts_.sinks[place] = std::move(text);
    if (++handed_in_ == workers_) has_news_ = true;
  }
  news_.notify_all();
}

void Checkpoint::notify() {
  {
    const std::lock_guard lock(mutex_);
    has_news_ = true;
  }
  news_.notify_all();
}

bool Checkpoint::request(Duration limit) {
  // The running epoch may have started before the caller's last record: only one that starts after
  // this call is good enough.
  const Epoch enough = wanted() + 1;
  ++requests_;
  notify();
  std::unique_lock lock(mutex_);
  const bool in_time = commits_.wait_for(lock, std::chrono::microseconds(limit.micros),
                                         [&] { return failed() || done() >= enough; });
  --requests_;
  return in_time && !failed();
}

Error Checkpoint::error() const {
  const std::lock_guard lock(mutex_);
  return error_.value_or(Error{});
}

}  // namespace streamd
