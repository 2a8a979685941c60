// SPDX-License-Identifier: Apache-2.0
// Dispatch: decides what is sent next and what an answer means. Pure bookkeeping: no threads, no
// files, no waiting; time comes in as an argument.
//
// It holds the items that were read from the outbox and are not over yet, in their order. An item
// that has to go again waits by itself, so that it does not hold up the others, until too many
// wait.
#pragma once

#include "engine/core/time.h"
#include "engine/io/delivery/destination.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace streamd::delivery {

struct RetryOptions {
  Duration first = Duration::from_millis(500);
  Duration longest = Duration::from_seconds(60);
  Duration blocked = Duration::from_seconds(60);  // between tries while a person has to act
};

// What people are told, at most once per trouble.
struct News {
  enum class Kind { none, trouble, blocked, closed, healed };
  Kind kind = Kind::none;
  std::string text;
};

class Dispatch {
 public:
  // most, most_bytes: what may be held at once. dice: a seed for the jitter.
  Dispatch(RetryOptions retry, std::size_t most, std::size_t most_bytes, std::uint64_t dice)
      : retry_(retry), most_(most), most_bytes_(most_bytes), dice_(dice) {}

  // --- items in
  // So many more may be added.
  std::size_t room() const {
    return items_.size() < most_ && held_ < most_bytes_ ? most_ - items_.size() : 0;
  }
  void add(std::vector<Item> items);

  // --- requests out
  // The next items to send, at most so many; empty when none may go now. They fly until answered.
  std::vector<Item> next(Duration now, std::size_t items, std::size_t bytes);
  // Items that were never sent and may go as soon as the caller finds them enough.
  std::size_t fresh() const { return fresh_.size(); }
  // When next() may have something beside fresh items; nullopt = only after an answer.
  std::optional<Duration> wakes_at() const;
  // Nothing may be sent before. Zero: nothing stands in the way.
  Duration paused_until() const { return paused_until_; }
  // sent: what next() gave. The items' attempts count.
  News answered(const std::vector<Item>& sent, const Answer& answer, Duration now);

  // --- items over
  struct Refused {
    Item item;
    std::string code, reason;
    unsigned attempts = 0;
  };
  // Refused since the last call. They are not over before forget() says so.
  std::vector<Refused> take_refused();
  void forget(std::uint64_t begin);
  // The first item that is not over; nullopt = all are.
  std::optional<std::uint64_t> first_open() const;
  // True when nothing flies or waits; what is refused may still not be forgotten.
  bool idle() const;
  bool closed() const { return closed_; }

 private:
  struct Open {
    Item item;
    unsigned attempts = 0;
    bool refused = false;
  };
  Duration pause_after(unsigned attempts);
  void put_back(std::vector<std::uint64_t> places);
  void refuse(Open& open, std::string code, std::string reason);
  void again(const std::vector<Item>& sent, const Answer& answer, Duration now);
  void split(const std::vector<Item>& sent);
  void halve(const std::vector<std::uint64_t>& places);
  void take_verdicts(const std::vector<Item>& sent, const Answer& answer, Duration now);
  void refuse_all(const std::string& code, const std::string& reason);

  RetryOptions retry_;
  std::size_t most_, most_bytes_;
  std::size_t held_ = 0;  // bytes of documents
  std::mt19937_64 dice_;
  std::map<std::uint64_t, Open> items_;            // by place: not over
  std::deque<std::uint64_t> fresh_;                // never sent
  std::deque<std::vector<std::uint64_t>> halves_;  // to be sent as they are
  std::multimap<Duration, std::uint64_t> later_;   // go again, each at its time
  std::size_t flying_ = 0;
  std::vector<Refused> refused_;
  unsigned failures_ = 0;  // requests in a row that failed as a whole
  // Most items of a request: a far side that is too slow for many at once (they time out, it works
  // on, and the same ones come again) gets fewer until it answers, then more again.
  std::size_t limit_ = SIZE_MAX;
  Duration paused_until_{};
  std::size_t sent_before_trouble_ = 0;  // items in flight then; what becomes of them is no news
  bool in_trouble_ = false, blocked_ = false, closed_ = false;
  std::string closed_code_, closed_reason_;
};

}  // namespace streamd::delivery
