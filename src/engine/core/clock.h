// SPDX-License-Identifier: Apache-2.0
// The one clock of the process, injected everywhere; tests hand in a ManualClock and never sleep.
#pragma once

#include "engine/core/time.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace streamd {

// Any thread may call it.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may jump. Only for arrival times, max_future and what people read.
  virtual EventTime wall() const = 0;
  // Never goes back; origin unspecified. For time-outs, idleness and intervals.
  virtual Duration monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  EventTime wall() const override {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
  Duration monotonic() const override {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now().time_since_epoch())
                .count()};
  }
};

// Moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(EventTime start = {0}) : wall_(start.micros) {}
  EventTime wall() const override { return {wall_.load()}; }
  Duration monotonic() const override { return {monotonic_.load()}; }
  void advance(Duration d) {
    wall_ += d.micros;
    monotonic_ += d.micros;
  }
  // The system clock jumps; the monotonic one does not notice.
  void jump(EventTime to) { wall_ = to.micros; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> monotonic_{1'000'000};
};

}  // namespace streamd
