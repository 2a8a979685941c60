// SPDX-License-Identifier: Apache-2.0
// KeyStates<State>: what an operator remembers of each key on one worker: at most max_keys keys,
// forgotten when event time is `keep` past the newest record of the key, one row per key that has
// changed in a checkpoint, under the key's group. One thread.
//
// State: copyable; void encode(std::string& out) const appends its bytes, bool decode(
// std::string_view in) reads them back and says no to damaged ones. It may have bool gone() const:
// a key whose state says yes at a checkpoint is forgotten then.
//
//   sub key   "k", the encoded key (core/key.h)
//   value     version byte, signed newest time, bytes of the state
#pragma once

#include "engine/api/state.h"
#include "engine/core/time.h"
#include "operators/key_map.h"
#include "operators/window/share.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

template <class State>
class KeyStates {
 public:
  struct Limits {
    std::int64_t keep = 0;       // microseconds
    std::uint64_t max_keys = 0;  // of this worker
  };
  KeyStates(window::Share share, std::uint64_t seed, Limits limits)
      : share_(share), limits_(limits), keys_(0, KeyMapHash{seed}) {}

  // Null: the key is not known.
  State* find(std::string_view key) {
    const auto at = keys_.find(key);
    return at == keys_.end() ? nullptr : &at->second.state;
  }
  // The state of the key, made if it is new, to be written at the next checkpoint. Null: there are
  // max_keys others. Valid until the next call that is not find().
  State* change(std::string_view key, std::uint64_t hash, std::int64_t time) {
    auto at = keys_.find(key);
    if (at == keys_.end()) {
      if (keys_.size() >= limits_.max_keys) sweep_when_full();
      if (keys_.size() >= limits_.max_keys) return nullptr;
      at = keys_.try_emplace(std::string(key)).first;
      at->second.group = static_cast<std::uint8_t>(key_group(hash));
    }
    Entry& entry = at->second;
    entry.newest = std::max(entry.newest, time);
    if (!std::exchange(entry.changed, true)) changed_.push_back(&*at);
    return &entry.state;
  }

  // The key had a record at this time; nothing if it is not known.
  void touch(std::string_view key, std::int64_t time) {
    const auto at = keys_.find(key);
    if (at == keys_.end()) return;
    at->second.newest = std::max(at->second.newest, time);
    if (!std::exchange(at->second.changed, true)) changed_.push_back(&*at);
  }

  // Forgets keys, all at once and each eighth of `keep`, so that a key is looked at nine times.
  // The end of the input forgets nothing: a later run may go on from here.
  void advance(EventTime w) {
    if (w == EventTime::max()) return;
    watermark_ = w.micros;
    if (watermark_ >= due_) sweep();
  }
  void checkpoint(StateWriter& state) {
    for (const auto& [group, key] : gone_) state.erase(group, key);
    gone_.clear();
    std::string value;
    for (auto* changed : changed_) {
      changed->second.changed = false;
      if constexpr (requires(const State& s) { s.gone(); })
        if (changed->second.state.gone()) {
          state.erase(changed->second.group, "k" + changed->first);
          keys_.erase(changed->first);
          continue;
        }
      value.assign(1, kVersion);
      window::put_signed(value, changed->second.newest);
      changed->second.state.encode(value);
      state.put(changed->second.group, "k" + changed->first, value);
    }
    changed_.clear();
  }
  Status restore(StateReader& state) {
    return state.scan([this](unsigned group, std::string_view key, std::string_view value) {
      if (group >= kKeyGroups || !share_.owns(group)) return Status{};
      if (!value.empty() && value.front() != kVersion)
        return Status(fail(ErrorKind::state, "the state of a key has an unknown version",
                           "It was written by another streamd: start that version."));
      Entry entry;
      entry.group = static_cast<std::uint8_t>(group);
      if (!value.empty()) value.remove_prefix(1);
      if (!key.starts_with('k') || !window::take_signed(value, entry.newest) ||
          !entry.state.decode(value))
        return Status(fail(ErrorKind::state, "the state of a key is damaged",
                           "Start from a copy of the state directory, or anew."));
      keys_.insert_or_assign(std::string(key.substr(1)), std::move(entry));
      return Status{};
    });
  }
  // visit(key, state) of all, in no order.
  template <class Visit>
  void each(Visit visit) {
    for (auto& [key, entry] : keys_) visit(std::string_view(key), entry.state);
  }
  std::size_t size() const { return keys_.size(); }

 private:
  static constexpr char kVersion = 1;
  struct Entry {
    State state;
    std::int64_t newest = INT64_MIN;
    std::uint8_t group = 0;
    bool changed = false;
  };
  using Map = KeyMap<Entry>;

  bool expired(const Entry& entry) const {
    return saturating_add(entry.newest, limits_.keep) <= watermark_;
  }
  void sweep() {
    due_ = saturating_add(watermark_, std::max<std::int64_t>(1, limits_.keep / 8));
    std::erase_if(changed_, [this](const auto* key) { return expired(key->second); });
    for (auto at = keys_.begin(); at != keys_.end();) {
      const auto next = std::next(at);
      if (expired(at->second)) {
        gone_.emplace_back(at->second.group, "k" + at->first);
        keys_.erase(at);
      }
      at = next;
    }
  }
  void sweep_when_full() {
    if (watermark_ <= saturating_add(full_sweep_, limits_.keep / 64)) return;
    full_sweep_ = watermark_;
    sweep();
  }

  const window::Share share_;
  const Limits limits_;
  Map keys_;
  std::vector<typename Map::value_type*> changed_;
  std::vector<std::pair<unsigned, std::string>> gone_;  // group and sub key of forgotten keys
  std::int64_t watermark_ = INT64_MIN;
  std::int64_t due_ = INT64_MIN;
  std::int64_t full_sweep_ = INT64_MIN;
};

}  // namespace streamd
