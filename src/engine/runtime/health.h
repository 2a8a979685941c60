// SPDX-License-Identifier: Apache-2.0
// Health: whether a running pipeline gets on. Workers say that they turn, the control thread that
// it commits, and what nodes say to the log is heard: a node that tells that it tries again, or
// that its records wait, is in trouble until it says that it has healed.
#pragma once

#include "engine/api/source.h"
#include "engine/core/time.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

class Health {
 public:
  Health(unsigned workers, Duration now);

  // --- worker threads: each its own
  // Between two batches.
  void turns(unsigned worker, Duration now) {
    beats_[worker].at.store(now.micros, std::memory_order_relaxed);
  }
  // It is about to run a node; gives what to come back to.
  std::uint32_t enters(unsigned worker, std::uint32_t node) {
    auto& in = beats_[worker].node;
    const std::uint32_t before = in.load(std::memory_order_relaxed);
    in.store(node, std::memory_order_relaxed);
    return before;
  }
  static constexpr std::uint32_t kNoNode = UINT32_MAX;

  // --- control thread
  void started(Duration now);  // the workers run
  void committed(Epoch epoch, Duration now);
  void stopping();

  // --- any thread
  // A line for the log: `sink "chat": connection refused; trying again`.
  void heard(int level, const std::string& text, Duration now);

  struct Verdict {
    bool well = false;
    std::vector<std::string> lines;  // what is wrong; one that says what runs if nothing is
  };
  // `limit`: how long trouble, a batch or an epoch beyond its time may last. `name_of`: of a node.
  Verdict look(Duration now, Duration limit, Duration checkpoint_every,
               const std::function<std::string(std::uint32_t node)>& name_of) const;

 private:
  struct alignas(128) Beat {
    std::atomic<std::int64_t> at{0};
    std::atomic<std::uint32_t> node{kNoNode};
  };
  struct Trouble {
    Duration since{};
    std::string text;
  };
  void look_at_workers(Duration now, Duration limit,
                       const std::function<std::string(std::uint32_t)>& name_of,
                       Verdict& verdict) const;

  std::vector<Beat> beats_;
  mutable std::mutex mutex_;  // guards all below
  const Duration made_;
  std::optional<Duration> started_;
  bool stopping_ = false;
  Epoch epoch_ = 0;
  Duration committed_{};
  std::map<std::string, Trouble> troubles_;  // by who tells it
};

}  // namespace streamd
