// SPDX-License-Identifier: Apache-2.0
// Checkpoint: the meeting point of workers and the control thread for one epoch at a time. The
// control thread asks for an epoch; each worker, between two batches, hands in its part; when all
// parts are there the control thread commits. Thread-safe, the only lock in the runtime.
#pragma once

#include "engine/core/time.h"
#include "engine/state/epoch_store.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

namespace streamd {

class Checkpoint {
 public:
  explicit Checkpoint(unsigned workers) : workers_(workers) {}

  // --- control thread
  // Starts an epoch. `last`: the workers read nothing after it.
  void start(Epoch epoch, bool last);
  bool running() const { return running_; }
  // The merged parts once every worker has handed in; nullopt before.
  std::optional<EpochParts> take();
  // The epoch is on disk: lets workers tell their sinks, and wakes request().
  void committed(Epoch epoch);
  // Something went wrong; the first error is kept. Wakes everybody.
  void fail(Error error);
  // Waits at most `limit` until a worker or somebody else has news. False: nobody had.
  bool wait(Duration limit);
  bool requested() const { return requests_ > 0; }

  // --- workers
  Epoch wanted() const { return wanted_.load(std::memory_order_acquire); }
  bool last() const { return last_.load(std::memory_order_acquire); }
  Epoch done() const { return done_.load(std::memory_order_acquire); }
  void hand_in(EpochParts part);
  void notify();  // a worker has finished all its input

  // --- any thread but a worker's and the control thread: runs a checkpoint, waits for its commit.
  bool request(Duration limit);

  bool failed() const { return failed_.load(std::memory_order_acquire); }
  Error error() const;

 private:
  const unsigned workers_;
  bool running_ = false;
  std::atomic<Epoch> wanted_{0}, done_{0};
  std::atomic<bool> last_{false}, failed_{false};
  std::atomic<int> requests_{0};
  mutable std::mutex mutex_;
  std::condition_variable news_, commits_;
  bool has_news_ = false;       // guarded by mutex_
  unsigned handed_in_ = 0;      // guarded by mutex_
  EpochParts parts_;            // guarded by mutex_
  std::optional<Error> error_;  // guarded by mutex_
};

}  // namespace streamd
