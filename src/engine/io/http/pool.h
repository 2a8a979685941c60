// SPDX-License-Identifier: Apache-2.0
// Pool: the connections of a client that wait for their next request, and how many there are to
// each origin. Private.
#pragma once

#include "engine/core/clock.h"
#include "engine/io/http/connection.h"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace streamd::http {

// Thread-safe.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::uint32_t per_origin, Duration keep_idle, const Clock& clock)
      : per_origin_(per_origin), keep_idle_(keep_idle), clock_(clock) {}

  // The right to one connection to an origin. One thread; outlives the client if need be.
  class Slot {
   public:
    Slot() = default;
    Slot(std::shared_ptr<Pool> pool, std::string key)
        : pool_(std::move(pool)), key_(std::move(key)) {}
    ~Slot() { leave(); }
    Slot(Slot&& other) noexcept
        : connection(std::move(other.connection)),
          pool_(std::move(other.pool_)),
          key_(std::move(other.key_)) {}
    Slot& operator=(Slot&& other) noexcept;

    // Puts the connection back for the next request and gives up the right.
    void give_back();

    std::unique_ptr<Connection> connection;  // null: the holder has to dial

   private:
    void leave();
    std::shared_ptr<Pool> pool_;
    std::string key_;
  };

  // Waits until there is a free one.
  Try<Slot> take(const std::string& key, const Wait& wait);

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Duration since;
  };
  struct Origin {
    std::uint32_t taken = 0;
    std::vector<Idle> idle;
  };
  void release(const std::string& key, std::unique_ptr<Connection> connection);
  // Takes what is too old out of the pool; it is closed by whoever calls, outside the lock.
  std::vector<Idle> outworn();

  const std::uint32_t per_origin_;
  const Duration keep_idle_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::map<std::string, Origin> origins_;
};

}  // namespace streamd::http
