// SPDX-License-Identifier: Apache-2.0
// FeedQueue: between the thread that fetches and the worker that reads. Private. Thread-safe; its
// waits end early when the stop token says so.
#pragma once

#include "engine/core/clock.h"
#include "engine/io/http/feed.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

namespace streamd::http {

class FeedQueue {
 public:
  FeedQueue(const Clock& clock, std::size_t max_bytes, Position committed)
      : clock_(clock), max_bytes_(max_bytes), committed_(std::move(committed)) {}

  // --- the fetching thread. False: stopped.
  // Until there is room for another block.
  bool wait_for_room(const std::stop_token& stop);
  // Until the worker has read everything.
  bool wait_until_read(const std::stop_token& stop);
  // Until that position is committed, at most `limit`; whether it is.
  bool wait_until_committed(const Position& position, Duration limit, const std::stop_token& stop);
  bool rest(Duration pause, const std::stop_token& stop);
  // What the far side said at `asked`, when the question was sent. A block comes with its bytes.
  void push(FeedBlock block, bool more, Duration asked);
  void nothing(Duration asked);
  void end();
  void fail(Error error);

  // --- the worker.
  // The next block; nullopt: none within `limit`, or all is over: see over().
  Result<std::optional<FeedBlock>> pop(Duration limit);
  struct View {
    bool empty = true;       // nothing in the queue
    bool caught_up = false;  // nothing more is known to be there
    bool ended = false;
    std::optional<Duration> confirmed;
  };
  View view() const;

  // --- the control thread.
  void committed(const Position& position);

 private:
  const Clock& clock_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<FeedBlock> blocks_;
  std::size_t bytes_ = 0;
  Position committed_;
  bool caught_up_ = false, ended_ = false;
  std::optional<Duration> confirmed_;
  std::optional<Error> error_;
};

}  // namespace streamd::http
