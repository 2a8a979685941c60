// SPDX-License-Identifier: Apache-2.0
// ArrivalNumbers: positions for records that nobody can send a second time (a pipe, a live stream).
// Ids at sinks come from (partition, position), so a number must never be given to two records,
// also not after a crash that lost the last ones: a plain count would go back there. The number is
// the wall clock's microsecond at which a record came, made to grow. One thread.
#pragma once

#include "engine/api/source.h"
#include "engine/core/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace streamd {

class ArrivalNumbers {
 public:
  // `stored`: what position() of an earlier run gave, or empty.
  ArrivalNumbers(std::string_view stored, const Clock& clock) : clock_(clock) {
    std::uint64_t committed = 0;
    if (const auto colon = stored.find(':'); colon != std::string_view::npos)
      std::from_chars(stored.data() + colon + 1, stored.data() + stored.size(), committed);
    next_ = committed;
    // The clock was put back: what an earlier run numbered after its last commit is beyond what is
    // known here, by less than this.
    if (committed > now()) next_ += kHour;
  }

  // Numbers the records of one read.
  void number(std::vector<RawRecord>& records) {
    next_ = std::max(next_, now());
    for (RawRecord& record : records) record.position = next_++;
  }
  // Above all numbers given so far.
  Position position() const { return fmt::format("2:{}", next_); }

 private:
  static constexpr std::uint64_t kHour = 3'600'000'000;
  std::uint64_t now() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall().micros, 0));
  }

  const Clock& clock_;
  std::uint64_t next_ = 0;
};

}  // namespace streamd
