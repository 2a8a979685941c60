// SPDX-License-Identifier: Apache-2.0
// Allowed: what the lists of `allow` say about addresses and networks. One thread.
//
// A list finds an address, and the networks around one, by itself. What lies inside of a network is
// found in an array in order, which is made anew when the list has new content.
#pragma once

#include "engine/match/list_slot.h"
#include "sinks/blocklist/entries.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace streamd::blocklist {

class Allowed {
 public:
  explicit Allowed(const std::vector<std::shared_ptr<const ListSlot>>& slots);

  // What the lists hold now; says() is about that.
  void look();
  // The list holds it or what it lies in, or it holds an entry of the list.
  bool says(const IpNetwork& network);
  // Another number whenever more may be allowed than at an earlier look: an entry of a list ends by
  // itself, but comes with new content only.
  std::uint64_t version() const { return version_; }

 private:
  struct List {
    std::shared_ptr<const ListSlot> slot;
    ListView view;
    std::vector<IpNetwork> networks;  // in Order
    std::size_t ended = 0;            // so many were met that have ended
  };
  static void put_in_order(List& list);
  static bool holds_one(List& list, const IpNetwork& network);

  std::vector<List> lists_;
  std::uint64_t version_ = 0;
};

}  // namespace streamd::blocklist
