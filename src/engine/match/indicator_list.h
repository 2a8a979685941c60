// SPDX-License-Identifier: Apache-2.0
// IndicatorList: addresses, networks, domains and plain texts with what is known of each. Made by
// IndicatorListBuilder, then const: any number of threads look things up, nothing is allocated.
//
// An address is found by every network that holds it, the most specific one first. A domain is
// found by itself and by those above it (www.evil.example by evil.example), the longest first;
// letter case and a dot at the end do not count. Any other text is found by exactly itself.
//
// Entries end by their own time: every look-up says what time it is. What stands behind an ended
// entry (the wider network, the domain above) is found then, as if the entry were not there.
// An exception takes its value, and what is below it, out of the list again.
//
// Memory per entry: 24 B + its text + what finds it (segments.h; domains and texts about 30 B).
#pragma once

#include "engine/core/time.h"
#include "engine/match/address.h"
#include "engine/match/indicator.h"
#include "engine/match/large_array.h"
#include "engine/match/question.h"
#include "engine/match/segments.h"
#include "engine/match/text_table.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace streamd {

class IndicatorList {
 public:
  // Number of an entry; 0: nothing found.
  using Hit = std::uint32_t;

  // The best live match of a value as a record holds it.
  Hit find(std::string_view value, EventTime now) const;
  Hit find(const Question& asked, EventTime now) const;
  Hit find(const IpAddress& address, EventTime now) const;
  // Whole networks: found by those that hold all of it.
  Hit find(const IpNetwork& network, EventTime now) const;
  // The best live matches of up to kLookupBlock questions, their waits for memory shared.
  void find(const Question* asked, std::size_t count, EventTime now, Hit* hits) const;
  void find_v4(const std::uint32_t* addresses, std::size_t count, EventTime now, Hit* hits) const;
  // The next best match of the same value.
  Hit next(Hit hit, EventTime now) const { return alive(entries_[hit].next, now); }
  Indicator at(Hit hit) const;
  // The live entry behind `hit` in the order in which they were added, 0 for the first; 0: no more.
  Hit after(Hit hit, EventTime now) const;

  std::size_t size() const { return entries_.size() - 1 - merged_; }  // with ended ones
  std::size_t live(EventTime now) const;                              // walks all of them
  std::size_t bytes() const;

 private:
  friend class IndicatorListBuilder;
  struct Entry {
    std::uint32_t text = 0;        // where in text_: the value, then the comment
    std::uint16_t size = 0;        // of the value
    std::uint16_t comment = 0;     // size of the comment
    std::uint32_t next = 0;        // the same value once more, or what is less specific
    std::uint32_t info : 24 = 0;   // index into infos_
    std::uint32_t prefix : 8 = 0;  // networks
    std::int64_t expires = 0;      // micros
  };
  static_assert(sizeof(Entry) == 24);
  static constexpr std::uint32_t kException = (1u << 24) - 1;  // as `info`

  std::string_view value_of(Hit hit) const {
    return {text_.data() + entries_[hit].text, entries_[hit].size};
  }
  // In front of a domain or plain text stand its size and the number of its entry: who has the text
  // needs no other line of memory to compare it.
  static constexpr std::size_t kTextHead = sizeof(std::uint32_t) + sizeof(std::uint16_t);
  std::string_view text_at(std::uint32_t text) const {
    std::uint16_t size = 0;
    std::memcpy(&size, text_.data() + text - sizeof size, sizeof size);
    return {text_.data() + text, size};
  }
  Hit entry_at(std::uint32_t text) const {
    Hit entry = 0;
    std::memcpy(&entry, text_.data() + text - kTextHead, sizeof entry);
    return entry;
  }
  // The entry itself if it lives, else the first behind it that does.
  Hit alive(Hit hit, EventTime now) const {
    if (now.micros < all_live_until_) return hit;
    while (hit != 0 && entries_[hit].expires <= now.micros) hit = entries_[hit].next;
    return hit != 0 && entries_[hit].info == kException ? 0 : hit;
  }
  struct Probe;
  void alive(EventTime now, Hit* hits, const std::uint8_t* which, std::size_t count) const;
  void find_addresses(const Question* asked, std::size_t count, EventTime now, Hit* hits) const;
  void find_domains(const Question* asked, std::size_t count, EventTime now, Hit* hits) const;
  void find_texts(const Question* asked, std::size_t count, EventTime now, Hit* hits) const;
  void look_for(Probe& probe, const TextTable& table) const;
  Hit find_domain(std::string_view value) const;
  Hit find_text(std::string_view value) const;
  Hit domain_of(std::uint64_t hash, std::string_view key) const;
  Hit text_of(std::uint64_t hash, std::string_view value) const;

  std::uint64_t seed_ = 0;
  LargeArray<char> text_;
  LargeArray<Entry> entries_{1};  // [0] is nothing
  std::vector<IndicatorInfo> infos_{1};
  V4Map v4_;
  V6Map v6_;
  TextTable domains_, texts_;
  std::size_t merged_ = 0;          // entries that became part of an equal one, and exceptions
  std::uint32_t label_counts_ = 0;  // bit n: there is a domain of n labels; bit 31: more
  // Micros. Before that every entry is as good as it was built; the lowest: look at each.
  std::int64_t all_live_until_ = INT64_MAX;
};

class IndicatorListBuilder {
 public:
  // The seed of the state directory, so that nobody can build values that collide.
  explicit IndicatorListBuilder(std::uint64_t hash_seed);

  void reserve(std::size_t entries, std::size_t text_bytes);
  // What entries have in common; equal ones share one number.
  std::uint32_t info(const IndicatorInfo& info);

  struct New {
    std::string_view value;
    IndicatorKind kind = IndicatorKind::automatic;
    std::string_view comment = {};  // cut at 64 KiB
    std::uint32_t info = 0;
    EventTime expires = EventTime::max();
    bool exception = false;  // not on the list; of equal values it wins
  };
  // Copies. Why it cannot be an entry, or empty.
  std::string_view add(const New& entry);
  std::size_t size() const { return list_->size(); }

  // Sorts and links; the builder is used up. Equal values with equal payload are one entry then.
  std::shared_ptr<const IndicatorList> build();

 private:
  using Entry = IndicatorList::Entry;
  struct V6Item {
    Uint128 first;
    std::uint32_t prefix, entry;
  };

  std::string_view add_network(const IpNetwork& network, const New& entry);
  std::uint32_t append(const New& entry, unsigned prefix);
  std::uint32_t append_text(const New& entry);
  void build_networks();
  // One more entry of a value that `head` has already.
  void link_same(std::uint32_t head, std::uint32_t entry);
  void link_exception(std::uint32_t head, std::uint32_t entry);
  void link_behind(std::uint32_t head, std::uint32_t less_specific);
  bool same_payload(const Entry& a, const Entry& b) const;
  void build_texts();
  void build_domains();

  std::shared_ptr<IndicatorList> list_;
  std::unordered_map<std::string, std::uint32_t> info_numbers_;
  std::vector<std::uint64_t> v4_;  // first address (32 bits), prefix (6), entry (26)
  std::vector<V6Item> v6_;
  std::vector<std::uint32_t> domains_, texts_;
};

}  // namespace streamd
