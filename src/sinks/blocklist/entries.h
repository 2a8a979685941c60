// SPDX-License-Identifier: Apache-2.0
// Entries: the addresses and networks that a block list holds now, each once, in order. One thread.
#pragma once

#include "engine/core/time.h"
#include "engine/match/address.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::blocklist {

struct Entry {
  EventTime first_told, last_told, expires;  // wall clock
  std::optional<double> score;               // of the newest record that told it
  std::string why;
};

// IPv4 before IPv6, then by number, the wider network first.
struct Order {
  bool operator()(const IpNetwork& a, const IpNetwork& b) const;
};

class Entries {
 public:
  using Map = std::map<IpNetwork, Entry, Order>;

  explicit Entries(std::size_t most) : most_(most) {}
  // A new entry, or a later end, score and reason for one that is there. False: it is new and there
  // are too many.
  bool tell(const IpNetwork& network, EventTime now, Duration lasts, std::optional<double> score,
            std::string_view why);
  // Each ends so long after it was last told, whatever was said when it was.
  void last(Duration lasts);
  // Takes out what ends by `now`, or what `allowed` says. True: there was some. The first does
  // nothing as long as nothing can have ended.
  bool remove_ended(EventTime now);
  bool remove(const std::function<bool(const IpNetwork&)>& allowed);
  const Map& all() const { return entries_; }

  // Lines of text under a checksum, for the state folder. decode: false when damaged.
  std::string encode() const;
  bool decode(std::string_view text);

 private:
  const std::size_t most_;
  Map entries_;
  EventTime next_end_ = EventTime::max();  // no entry ends earlier
};

// "192.0.2.1", "2001:db8::/32": a whole address has no prefix length.
std::string text_of(const IpNetwork& network);

}  // namespace streamd::blocklist
