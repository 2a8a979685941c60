// SPDX-License-Identifier: Apache-2.0
// Delivery: an outbox, the bookkeeping over it (dispatch.h) and the threads that send. The worker
// puts frames in and never waits for the far side.
//
// Two ways to deliver. `early`: an item goes out as soon as it is in; after a crash some go again,
// with the same ids, so only for destinations where an id makes that harmless. `committed`: an item
// goes out when the epoch that it belongs to is on disk; then only what was on its way at the crash
// can be there twice. When an outbox of this kind is full of one unfinished epoch, it goes out
// early after all: the epoch could never end otherwise. After a crash all that it held goes again.
#pragma once

#include "engine/core/clock.h"
#include "engine/io/delivery/destination.h"
#include "engine/io/delivery/dispatch.h"
#include "engine/io/delivery/outbox.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace streamd::delivery {

enum class When { early, committed };

struct DeliveryOptions {
  When when = When::early;
  std::size_t batch_records = 1000;
  std::size_t batch_bytes = 4 << 20;
  Duration linger = Duration::from_millis(200);  // an item waits so long for others to go with it
  unsigned concurrency = 1;                      // requests at once
  RetryOptions retry;
  OutboxOptions outbox;
};

class Delivery {
 public:
  using Log = std::function<void(int level, const std::string& text)>;
  // `destination` must outlive this. Threads begin with start().
  Delivery(std::unique_ptr<Outbox> outbox, Destination& destination, DeliveryOptions options,
           const Clock& clock, Log log);
  ~Delivery();  // as close()
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  void start();

  // --- worker thread
  // Where the next frame begins.
  std::uint64_t end() const;
  // Appends frames made for end(). False when there is no room now.
  Result<bool> append(std::string_view frames);
  // Outbox::state(), and the place that committed() takes.
  std::string state() const;
  Status sync();
  void committed(std::uint64_t end);
  // What went wrong on a delivery thread beyond repair; asked now and then.
  Status health() const;
  std::vector<Dispatch::Refused> take_refused();
  // Their dead letters belong to a committed epoch.
  void forget(const std::vector<std::uint64_t>& places);
  // No more items come: nothing waits for linger any more. True when all that was put in is over,
  // but for what was refused.
  bool drained();
  std::uint64_t waiting() const;  // bytes
  // Begins no more requests, and lets those on their way finish for a moment. Returns at once.
  void stop() noexcept;
  // stop(); when its moment is over, ends what is still on its way.
  void close() noexcept;

 private:
  void work();
  bool refill(Duration now);
  bool may_go(Duration now) const;
  Duration rest(Duration now) const;
  void tell(const News& news, const Answer& answer);
  void settle();
  void fail(Error error);

  Destination& destination_;
  const DeliveryOptions options_;
  const Clock& clock_;
  const Log log_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::unique_ptr<Outbox> outbox_;
  Dispatch dispatch_;
  std::uint64_t cursor_ = 0;  // read from the outbox up to here
  std::uint64_t committed_ = 0;
  Duration oldest_{};  // when the oldest fresh item was read; zero = there is none
  Duration trouble_since_{};
  bool full_ = false, ending_ = false, stopping_ = false;
  std::chrono::steady_clock::time_point stop_by_;  // of stopping_
  unsigned sending_ = 0;
  std::optional<Error> error_;
  std::stop_source hard_stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace streamd::delivery
