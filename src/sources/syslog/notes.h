// SPDX-License-Identifier: Apache-2.0
// Notes: what has to be told and happens too often for a line each: the first time at once, then at
// most once a minute with how often it was. One thread.
#pragma once

#include "engine/core/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace streamd::syslog {

enum class Note : std::uint8_t {
  kernel_drops,
  throttled,
  too_many,   // connections
  too_slow,   // a message took too long
  too_much,   // unfinished messages fill the memory
  tls,        // handshakes and sessions that failed
  no_length,  // octet counting expected
  no_accept,  // the system gives no descriptor
};
inline constexpr std::size_t kNotes = 8;

class Notes {
 public:
  using Log = std::function<void(int level, const std::string& text)>;
  explicit Notes(Log log) : log_(std::move(log)) {}

  // `who`: an example. Cheap when nothing is told.
  void add(Note note, std::uint64_t times, std::string_view who) {
    Kept& kept = kept_[static_cast<std::size_t>(note)];
    if (kept.untold == 0) kept.who = who;
    kept.untold += times;
    any_ = true;
  }
  void tell(Duration now);

 private:
  struct Kept {
    std::uint64_t untold = 0, all = 0;
    Duration told_at{};
    std::string who;
  };
  Log log_;
  std::array<Kept, kNotes> kept_;
  bool any_ = false;
};

}  // namespace streamd::syslog
