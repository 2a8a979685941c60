// SPDX-License-Identifier: Apache-2.0
// Fakes for tests of the engine: a source over lists of texts, a sink that keeps what it got as a
// file sink would, and a runner over a store that survives "kill -9".
#pragma once

#include "engine/api/registry.h"
#include "engine/core/clock.h"
#include "engine/plan/plan.h"
#include "engine/runtime/run.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace streamd::test {

// Source type `fake`. Partition p is read by worker p % workers, `batch` records a pull.
struct FakeInput {
  std::vector<std::vector<std::string>> partitions;
  std::size_t batch = 7;
  bool endless = false;                               // idle instead of end when all was read
  std::atomic<std::size_t> allowed{~std::size_t{0}};  // records of each partition that exist by now
  std::atomic<std::size_t> read{0};                   // records handed out, over all runs
  std::atomic<std::uint64_t> expired{0};  // gone before they were read; told by the next pull
  std::atomic<bool> hung{false};       // nobody answers whether there is more: no time is confirmed
  std::atomic<std::size_t> listed{0};  // how often all partitions were asked for
  // On the worker's thread, before records are handed out: their partition, the first one's number.
  std::function<void(std::size_t, std::size_t)> on_pull;
};
void add_fake_source(Registry& registry, std::shared_ptr<FakeInput> input);

// Sink type `fake`: JSON lines; exactly once by truncating to the committed length at a restart.
struct FakeOutput {
  std::mutex mutex;
  std::vector<std::string> lines;  // as of now, of all runs
  std::size_t writes = 0;          // that went well
  std::atomic<int> failures{0};    // that many writes fail with Retry::backoff first
  std::atomic<int> unprepared{0};  // that many times an epoch is not durable yet
  std::atomic<int> asked{0};       // how often whether one is
  // In a transaction that is asked to commit by this; empty: in none.
  std::function<Status(Epoch)> commit;
  std::vector<std::string> sorted();
};
void add_fake_sink(Registry& registry, const std::string& type, std::shared_ptr<FakeOutput> output);

// Builds the plan of a YAML text; REQUIREs that it has no problems. Dead letters go to sink `dead`,
// which the text must declare, unless it names none.
Plan plan_of(const std::string& yaml, const Registry& registry);

// A memory backend that outlives runs.
struct Disk {
  std::shared_ptr<StateBackend> backend;
  Disk();
  std::function<Result<std::unique_ptr<StateBackend>>()> opener() const;
};

struct Log {
  std::mutex mutex;
  std::vector<std::string> lines;
  LogFn fn();
  std::size_t count(const std::string& part);
};

}  // namespace streamd::test
