// SPDX-License-Identifier: Apache-2.0
// SenderLimits: how many messages a second each address may send. A table of fixed size, so that a
// flood of false addresses can't fill the memory; where it is crowded, the sender with the least
// behind it is forgotten. Shared by the readers of a source: a sender that uses several ports comes
// to all of them. Any thread.
#pragma once

#include "engine/core/hash.h"
#include "engine/core/time.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace streamd::syslog {

class SenderLimits {
 public:
  // per_second: 0 = no limit. seed: unknown to senders.
  SenderLimits(std::uint64_t per_second, std::uint64_t seed)
      : gap_(per_second == 0 ? 0 : kSecond / static_cast<std::int64_t>(per_second)),
        seed_(seed),
        sets_(gap_ == 0 ? 0 : kSets) {}

  // Whether the sender may send one more at monotonic time `now`. A second's worth may come at
  // once. address: 16 bytes.
  bool take(const char* address, Duration now) {
    if (gap_ == 0) return true;
    const std::int64_t nanos = now.micros * 1000;
    Set& set = sets_[hash_bytes({address, 16}, seed_) % kSets];
    const Hold hold(set.held);
    Sender& sender = find(set, address, nanos);
    // When the bucket of this sender would be full again.
    const std::int64_t full = (sender.full > nanos ? sender.full : nanos) + gap_;
    if (full - nanos > kSecond) return false;
    sender.full = full;
    return true;
  }

 private:
  static constexpr std::int64_t kSecond = 1'000'000'000;
  static constexpr std::size_t kSets = 8192, kWays = 4;
  struct Sender {
    std::array<char, 16> address{};
    std::int64_t full = 0;
  };
  struct Set {
    std::array<Sender, kWays> senders;
    std::atomic_flag held;
  };
  // Held for a few comparisons, and by two at once hardly ever: nobody has to sleep for it.
  class Hold {
   public:
    explicit Hold(std::atomic_flag& held) : held_(held) {
      while (held_.test_and_set(std::memory_order_acquire)) {
      }
    }
    ~Hold() { held_.clear(std::memory_order_release); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    std::atomic_flag& held_;
  };

  static Sender& find(Set& set, const char* address, std::int64_t now) {
    Sender* least = set.senders.data();
    for (Sender& sender : set.senders) {
      if (std::memcmp(sender.address.data(), address, 16) == 0) return sender;
      if (sender.full < least->full) least = &sender;
    }
    std::memcpy(least->address.data(), address, 16);
    least->full = now;
    return *least;
  }

  const std::int64_t gap_;
  const std::uint64_t seed_;
  std::vector<Set> sets_;
};

}  // namespace streamd::syslog
