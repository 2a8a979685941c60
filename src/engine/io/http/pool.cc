// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/pool.h"

#include <algorithm>
#include <iterator>

namespace streamd::http {

Pool::Slot& Pool::Slot::operator=(Slot&& other) noexcept {
  if (this == &other) return *this;
  leave();
  connection = std::move(other.connection);
  pool_ = std::move(other.pool_);
  key_ = std::move(other.key_);
  return *this;
}

void Pool::Slot::give_back() {
  if (const auto pool = std::move(pool_)) pool->release(key_, std::move(connection));
}

void Pool::Slot::leave() {
  connection.reset();
  if (const auto pool = std::move(pool_)) pool->release(key_, nullptr);
}

Try<Pool::Slot> Pool::take(const std::string& key, const Wait& wait) {
  std::vector<Idle> closing;
  std::unique_lock lock(mutex_);
  closing = outworn();
  const auto is_free = [&] { return origins_[key].taken < per_origin_; };
  if (!freed_.wait_until(lock, wait.stop, wait.until, is_free)) {
    if (wait.stop.stop_requested()) return stopped();
    return trouble(Fault::timeout, "all connections to it are in use",
                   "it answers too slowly for so many requests");
  }
  Origin& origin = origins_[key];
  ++origin.taken;
  Slot slot(shared_from_this(), key);
  while (!origin.idle.empty() && !slot.connection) {
    Idle newest = std::move(origin.idle.back());
    origin.idle.pop_back();
    if (newest.connection->usable())
      slot.connection = std::move(newest.connection);
    else
      closing.push_back(std::move(newest));
  }
  lock.unlock();
  return slot;
}

void Pool::release(const std::string& key, std::unique_ptr<Connection> connection) {
  std::vector<Idle> closing;
  {
    const std::lock_guard lock(mutex_);
    Origin& origin = origins_[key];
    --origin.taken;
    if (connection) origin.idle.push_back({std::move(connection), clock_.monotonic()});
    closing = outworn();
  }
  freed_.notify_all();
}

std::vector<Pool::Idle> Pool::outworn() {
  std::vector<Idle> out;
  const Duration now = clock_.monotonic();
  for (auto at = origins_.begin(); at != origins_.end();) {
    auto& idle = at->second.idle;
    const auto old = std::stable_partition(
        idle.begin(), idle.end(), [&](const Idle& one) { return now - one.since < keep_idle_; });
    std::move(old, idle.end(), std::back_inserter(out));
    idle.erase(old, idle.end());
    const bool unused = idle.empty() && at->second.taken == 0;
    at = unused ? origins_.erase(at) : std::next(at);
  }
  return out;
}

}  // namespace streamd::http
