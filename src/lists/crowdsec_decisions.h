// SPDX-License-Identifier: Apache-2.0
// Decisions of CrowdSec's local API: the table that a stream of replies keeps current. Pure; safe
// on any bytes. One thread.
#pragma once

#include "engine/core/error.h"
#include "engine/match/indicator_list.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace streamd::crowdsec {

// A decision is known by these three: a second one with the same three takes the place of the
// first, and a deletion means exactly this one.
struct DecisionKey {
  std::string scope;  // small letters
  std::string value;
  std::string type;
  auto operator<=>(const DecisionKey&) const = default;
};
struct Decision {
  std::string scope;  // as it came
  std::string origin, scenario;
  EventTime expires;
};

// One reply, read but not applied yet.
struct Reply {
  std::vector<std::pair<DecisionKey, Decision>> added;
  std::vector<DecisionKey> deleted;
  std::size_t unusable = 0;  // without a value, a scope, a type or a time
};

// The body of /v1/decisions/stream, or what DecisionTable::save() wrote. Durations count from
// `now`. Simulated and ended decisions are left out. Error: no JSON, or not of this shape.
Result<Reply> read_reply(std::string_view json, EventTime now);

// What goes into the list; empty = all. Compared without letter case.
struct Filter {
  std::vector<std::string> scopes, origins, types;
};

class DecisionTable {
 public:
  // All there is: what is not in it is gone. Its deletions are of older decisions and say nothing.
  void replace(Reply reply);
  // What has changed. Deletions first: what ended and began anew is there.
  void change(Reply reply);
  // Forgets what has ended.
  void expire(EventTime now);

  std::size_t size() const { return decisions_.size(); }
  // `unusable`: addresses that are none are counted there.
  std::shared_ptr<const IndicatorList> list(const Filter& filter, std::uint64_t hash_seed,
                                            std::size_t& unusable) const;
  // As a reply, with absolute times.
  std::string save() const;

 private:
  std::map<DecisionKey, Decision> decisions_;
};

}  // namespace streamd::crowdsec
