// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/feed_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace streamd::http {
namespace {

// The injected clock wakes nobody up, so it is looked at so often.
constexpr Duration kLook = Duration::from_millis(20);

std::chrono::microseconds to_chrono(Duration d) { return std::chrono::microseconds(d.micros); }

std::size_t bytes_of(const FeedBlock& block) {
  std::size_t bytes = 0;
  for (const RawRecord& record : block.batch.records) bytes += record.data.size();
  return bytes;
}

}  // namespace

bool FeedQueue::wait_for_room(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return blocks_.empty() || bytes_ < max_bytes_; });
}

bool FeedQueue::wait_until_read(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return blocks_.empty(); });
}

bool FeedQueue::wait_until_committed(const Position& position, Duration limit,
                                     const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, to_chrono(limit), [&] { return committed_ == position; });
}

bool FeedQueue::rest(Duration pause, const std::stop_token& stop) {
  const Duration until = clock_.monotonic() + pause;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Duration left = until - clock_.monotonic();
    if (left <= Duration{}) return true;
    changed_.wait_for(lock, stop, to_chrono(std::min(left, kLook)), [] { return false; });
  }
  return false;
}

void FeedQueue::push(FeedBlock block, bool more, Duration asked) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes_of(block);
  blocks_.push_back(std::move(block));
  caught_up_ = !more;
  confirmed_ = asked;
  changed_.notify_all();
}

void FeedQueue::nothing(Duration asked) {
  const std::lock_guard lock(mutex_);
  caught_up_ = true;
  confirmed_ = asked;
}

void FeedQueue::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void FeedQueue::fail(Error error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  changed_.notify_all();
}

Result<std::optional<FeedBlock>> FeedQueue::pop(Duration limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, to_chrono(limit),
                    [this] { return !blocks_.empty() || ended_ || error_; });
  if (blocks_.empty()) {
    if (error_) return tl::unexpected(*error_);
    return std::optional<FeedBlock>();
  }
  std::optional<FeedBlock> block = std::move(blocks_.front());
  blocks_.pop_front();
  bytes_ -= bytes_of(*block);
  changed_.notify_all();
  return block;
}

FeedQueue::View FeedQueue::view() const {
  const std::lock_guard lock(mutex_);
  return {blocks_.empty(), caught_up_, ended_, confirmed_};
}

void FeedQueue::committed(const Position& position) {
  const std::lock_guard lock(mutex_);
  committed_ = position;
  changed_.notify_all();
}

}  // namespace streamd::http
