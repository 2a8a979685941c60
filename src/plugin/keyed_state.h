// SPDX-License-Identifier: Apache-2.0
// KeyedState: what a keyed operator of a plugin remembers on one worker: bytes and timers per key,
// in the checkpoints of the engine (operators/key_states.h says how rows look). One thread.
//
//   bytes of a key's state   has (1 byte), varint size, bytes, then per timer varint number and
//                            signed time
#pragma once

#include "engine/core/key.h"
#include "operators/key_states.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::plugin {

struct KeyMemory {
  struct Timer {
    std::uint32_t number = 0;
    std::int64_t at = 0;
  };
  bool has = false;  // the plugin has put something, be it empty
  std::string bytes;
  std::vector<Timer> timers;
  std::int64_t listed = INT64_MAX;  // when the key is looked at next; not stored

  bool gone() const { return !has && timers.empty(); }
  std::int64_t earliest() const;
  void encode(std::string& out) const;
  bool decode(std::string_view in);
};

class KeyedState {
 public:
  KeyedState(window::Share share, std::uint64_t seed, KeyStates<KeyMemory>::Limits limits)
      : seed_(seed), states_(share, seed, limits) {}

  // Null: the plugin has put nothing.
  const std::string* get(std::string_view key);
  // False: there are max_keys others.
  bool put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  bool set_timer(std::string_view key, std::uint32_t number, std::int64_t at);
  void clear_timer(std::string_view key, std::uint32_t number);
  // The key had a record at this time: it is remembered from then on, if it has anything.
  void touch(std::string_view key, std::int64_t time) { states_.touch(key, time); }

  struct Due {
    std::string key;
    KeyMemory::Timer timer;
  };
  // Takes the earliest timer that is due at `watermark`, in the order of time, key and number.
  std::optional<Due> take_due(std::int64_t watermark);

  void advance(EventTime watermark) {
    watermark_ = watermark.micros;
    states_.advance(watermark);
  }
  void checkpoint(StateWriter& state) { states_.checkpoint(state); }
  Status restore(StateReader& state);
  std::size_t size() const { return states_.size(); }

 private:
  KeyMemory* change(std::string_view key) {
    return states_.change(key, hash_key(key, seed_), watermark_);
  }
  void list(std::string_view key, KeyMemory& memory);

  const std::uint64_t seed_;
  KeyStates<KeyMemory> states_;
  std::set<std::pair<std::int64_t, std::string>> due_;  // when to look at which key
  std::int64_t watermark_ = INT64_MIN;
};

}  // namespace streamd::plugin
