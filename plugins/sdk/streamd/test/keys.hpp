// SPDX-License-Identifier: Apache-2.0
// State and timers of keys as the engine keeps them.
#pragma once

#include "field.hpp"

#include <optional>

namespace sd::test {

struct Key {
  std::optional<std::string> state;
  std::map<std::uint32_t, std::int64_t> timers;
  std::int64_t seen = INT64_MIN;  // event time of its last record
};

namespace detail {

class Keys {
 public:
  std::size_t max_keys = SIZE_MAX;
  std::int64_t keep = 0;  // microseconds; 0: for ever

  const Key* find(std::string_view key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : &found->second;
  }
  // nullptr: there is no room for one more.
  Key* hold(std::string_view key, std::int64_t seen) {
    auto found = keys_.find(key);
    if (found == keys_.end()) {
      if (keys_.size() >= max_keys) return nullptr;
      found = keys_.emplace(std::string(key), Key{}).first;
      found->second.seen = seen;
    }
    return &found->second;
  }
  Key* held(std::string_view key) {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : &found->second;
  }
  void saw(std::string_view key, std::int64_t time) {
    if (Key* one = held(key)) one->seen = std::max(one->seen, time);
  }
  void erase(std::string_view key) {
    if (const auto found = keys_.find(key); found != keys_.end()) keys_.erase(found);
  }
  void clear_timer(std::string_view key, std::uint32_t timer) {
    Key* one = held(key);
    if (one == nullptr) return;
    one->timers.erase(timer);
    if (one->timers.empty() && !one->state) erase(key);
  }
  void forget(std::int64_t now) {
    if (keep == 0) return;
    std::erase_if(keys_, [&](const auto& one) { return one.second.seen < now - keep; });
  }

  struct Due {
    std::string key;
    std::uint32_t timer;
    std::int64_t at;
  };
  // The earliest timer at or before `now`; it is no longer set.
  std::optional<Due> take_due(std::int64_t now) {
    std::optional<Due> first;
    for (const auto& [key, one] : keys_)
      for (const auto& [timer, at] : one.timers)
        if (at <= now && (!first || at < first->at)) first = Due{key, timer, at};
    if (first) clear_timer(first->key, first->timer);
    return first;
  }

  std::size_t size() const { return keys_.size(); }
  std::size_t timers() const {
    std::size_t all = 0;
    for (const auto& [key, one] : keys_) all += one.timers.size();
    return all;
  }

 private:
  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace detail
}  // namespace sd::test
