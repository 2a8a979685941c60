// SPDX-License-Identifier: Apache-2.0
// SenderLimits: how many messages a second each address may send. A table of fixed size, so that a
// flood of false addresses can't fill the memory; where it is crowded, the sender with the least
// behind it is forgotten. One thread.
#pragma once

#include "engine/core/hash.h"
#include "engine/core/time.h"

#include <array>
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
    Sender& sender = find(address, nanos);
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

  Sender& find(const char* address, std::int64_t now) {
    auto& set = sets_[hash_bytes({address, 16}, seed_) % kSets];
    Sender* least = set.data();
    for (Sender& sender : set) {
      if (std::memcmp(sender.address.data(), address, 16) == 0) return sender;
      if (sender.full < least->full) least = &sender;
    }
    std::memcpy(least->address.data(), address, 16);
    least->full = now;
    return *least;
  }

  const std::int64_t gap_;
  const std::uint64_t seed_;
  std::vector<std::array<Sender, kWays>> sets_;
};

}  // namespace streamd::syslog
