// SPDX-License-Identifier: Apache-2.0
// KeyStates<State>: what an operator remembers of each key on one worker: at most max_keys keys,
// forgotten when event time is `keep` past the newest record of the key. One thread.
//
// State: default constructed for a new key and assignable; void encode(std::string& out) const
// appends its bytes, bool decode(std::string_view in) reads them back into a new one and says no to
// damaged ones. It may have bool gone() const: a key whose state says yes at a checkpoint is
// forgotten then. States stay where they are as long as their key is remembered.
//
// At a checkpoint the keys that have changed are written, many to a row: a log (window/row_log.h)
// under the first group of the worker. Every worker reads all rows and takes what is of its own
// groups; rows that another number of workers wrote are all replaced at the first checkpoint, in
// the same epoch by each worker its own.
//
//   sub key   "k", number of the row (window/pane_rows.h)
//   value     version byte, n (4 bytes little endian), then n times
//             text key (core/key.h), varint (1 + bytes of what follows), signed newest time, bytes
//             of the state; 0 instead of the size: the key is forgotten
#pragma once

#include "engine/api/state.h"
#include "engine/core/fetch_line.h"
#include "engine/core/key.h"
#include "engine/core/time.h"
#include "operators/window/key_table.h"
#include "operators/window/row_log.h"
#include "operators/window/share.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
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
    // A record that comes so late after the newest one of its key that the key would be forgotten
    // finds a new state, whether a sweep has been there or not: what is said does not depend on it.
    bool resets = false;
  };
  using Sought = window::KeyTable::Sought;
  KeyStates(window::Share share, std::uint64_t seed, Limits limits)
      : share_(share), seed_(seed), limits_(limits), log_(share, kVersion) {}

  // Null: the key is not known.
  State* find(std::string_view key) {
    const std::uint32_t id = keys_.find(key, hash_key(key, seed_));
    return id == kNone ? nullptr : &state(id);
  }
  // The state of the key, made if it is new, to be written at the next checkpoint. Null: there are
  // max_keys others. `floor`: event time where the record comes from; within a batch it goes
  // further than the watermark that was told, and what has expired by it makes room.
  State* change(window::KeyRef key, Sought sought, std::int64_t time,
                std::int64_t floor = INT64_MIN) {
    std::uint32_t id = keys_.find(key, sought);
    if (id == kNone) {
      if (keys_.size() >= limits_.max_keys) sweep_when_full(std::max(floor, watermark_));
      if (keys_.size() >= limits_.max_keys) return nullptr;
      id = insert(key, sought.hash);
    } else if (limits_.resets && limits_.keep > 0 &&
               saturating_sub(time, keys_.entry(id).newest) >= limits_.keep) {
      state(id) = State{};
    }
    note(id, time);
    return &state(id);
  }
  State* change(std::string_view key, std::uint64_t hash, std::int64_t time,
                std::int64_t floor = INT64_MIN) {
    return change(window::KeyRef{key, false}, Sought{hash}, time, floor);
  }
  // The key had a record at this time; nothing if it is not known.
  void touch(std::string_view key, std::int64_t time) {
    const std::uint32_t id = keys_.find(key, hash_key(key, seed_));
    if (id != kNone) note(id, time);
  }
  // Before change() of keys with these hashes, whose guesses it fills in: they wait for memory
  // together.
  void fetch(std::span<Sought> keys) const {
    if (keys_.small()) return;
    for (const Sought& key : keys) keys_.prefetch_slot(key.hash);
    for (Sought& key : keys) {
      key.guess = keys_.guess(key.hash);
      if (key.guess != kNone) fetch_line(&state(key.guess));
    }
  }

  // Forgets keys, all at once and each eighth of `keep`, so that a key is looked at nine times.
  // The end of the input forgets nothing: a later run may go on from here.
  void advance(EventTime w) {
    if (w == EventTime::max()) return;
    watermark_ = w.micros;
    if (watermark_ >= due_) sweep(watermark_);
  }
  void checkpoint(StateWriter& state) {
    if (anew_) start_anew(state);
    for (const std::string& key : std::exchange(gone_, {})) put_gone(key);
    const std::size_t changes = changed_.size();
    for (const std::uint32_t id : std::exchange(changed_, {})) write_changed(id);
    if (keys_.size() == 0) log_.clear(state);
    log_.look_at_length(keys_.size());
    // Twice what came, so that it ends before the log has grown by as much again.
    log_.sweep(keys_.limit(), kSlice + 2 * changes, [this](std::uint32_t id) {
      if (keys_.entry(id).live()) put(id);
    });
    log_.checkpoint(keys_.limit(), state);
  }
  Status restore(StateReader& state) {
    return state.scan([this](unsigned group, std::string_view sub_key, std::string_view value) {
      if (!value.empty() && value.front() != kVersion)
        return Status(fail(ErrorKind::state, "the state of a key has an unknown version",
                           "It was written by another streamd: start that version."));
      if (!restore_row(group, sub_key, value))
        return Status(fail(ErrorKind::state, "the state of a key is damaged",
                           "Start from a copy of the state directory, or anew."));
      return Status{};
    });
  }
  // visit(key, state) of all, in no order.
  template <class Visit>
  void each(Visit visit) {
    for (std::uint32_t id = 0; id < keys_.limit(); ++id)
      if (keys_.entry(id).live()) visit(keys_.entry(id).bytes(), state(id));
  }
  std::size_t size() const { return keys_.size(); }

 private:
  static constexpr char kVersion = 2;
  static constexpr std::uint32_t kNone = window::KeyTable::kNone;
  static constexpr std::uint8_t kChanged = 1;  // in Entry::flags: in changed_
  static constexpr std::uint8_t kStored = window::Entry::kStored;
  static constexpr std::size_t kSlice = 4096;
  static constexpr unsigned kBlockBits = 8;
  static constexpr std::uint32_t kBlockMask = (1u << kBlockBits) - 1;

  State& state(std::uint32_t id) const { return states_[id >> kBlockBits][id & kBlockMask]; }
  std::uint32_t insert(window::KeyRef key, std::uint64_t hash) {
    const std::uint32_t id = keys_.insert(key, hash);
    while ((id >> kBlockBits) >= states_.size())
      states_.push_back(std::make_unique<State[]>(std::size_t{1} << kBlockBits));
    return id;
  }
  void note(std::uint32_t id, std::int64_t time) {
    window::Entry& entry = keys_.entry(id);
    entry.newest = std::max(entry.newest, time);
    if ((entry.flags & kChanged) != 0) return;
    entry.flags |= kChanged;
    changed_.push_back(id);
  }
  void remove(std::uint32_t id) {
    state(id) = State{};
    keys_.remove(id);
  }

  // As if no key were on disk.
  void start_anew(StateWriter& state) {
    anew_ = false;
    log_.clear(state);
    gone_.clear();
    for (std::uint32_t id = 0; id < keys_.limit() && keys_.size() > 0; ++id) {
      window::Entry& entry = keys_.entry(id);
      if (!entry.live()) continue;
      entry.flags = static_cast<std::uint8_t>(entry.flags & ~kStored);
      note(id, entry.newest);
    }
  }
  // The id may be that of another key by now, and then be here twice.
  void write_changed(std::uint32_t id) {
    window::Entry& entry = keys_.entry(id);
    if (!entry.live() || (entry.flags & kChanged) == 0) return;
    entry.flags = static_cast<std::uint8_t>(entry.flags & ~kChanged);
    if constexpr (requires(const State& s) { s.gone(); })
      if (state(id).gone()) {
        if ((entry.flags & kStored) != 0) put_gone(entry.bytes());
        return remove(id);
      }
    put(id);
  }
  void put(std::uint32_t id) {
    window::Entry& entry = keys_.entry(id);
    entry.flags |= kStored;
    std::string& row = log_.add().bytes;
    window::put_text(row, entry.bytes());
    scratch_.clear();
    window::put_signed(scratch_, entry.newest);
    state(id).encode(scratch_);
    window::put_varint(row, scratch_.size() + 1);
    row += scratch_;
  }
  void put_gone(std::string_view key) {
    std::string& row = log_.add().bytes;
    window::put_text(row, key);
    window::put_varint(row, 0);
  }

  bool restore_row(unsigned group, std::string_view sub_key, std::string_view value) {
    std::uint32_t number = 0, entries = 0;
    if (group >= kKeyGroups || value.empty() || !sub_key.starts_with('k') ||
        !window::take_row_number(sub_key.substr(1), number))
      return false;
    value.remove_prefix(1);
    if (!window::take_row_count(value, entries)) return false;
    if (share_.owns(group)) log_.restored(group, number, entries);
    for (; entries > 0; --entries)
      if (!restore_key(group, value)) return false;
    return value.empty();
  }
  bool restore_key(unsigned group, std::string_view& value) {
    std::string_view key;
    std::uint64_t size = 0;
    if (!window::take_text(value, key) || !window::take_varint(value, size)) return false;
    const bool lives = size > 0;
    if (lives && --size > value.size()) return false;
    std::string_view bytes = value.substr(0, size);
    value.remove_prefix(size);
    const std::uint64_t hash = hash_key(key, seed_);
    const bool is_ours = share_.owns(key_group(hash));
    if (is_ours ? group != share_.home() : share_.owns(group)) anew_ = true;
    if (!is_ours) return true;
    std::uint32_t id = keys_.find(key, hash);
    if (!lives) {
      if (id != kNone) remove(id);
      return true;
    }
    if (id == kNone) id = insert({key, false}, hash);
    window::Entry& entry = keys_.entry(id);
    entry.flags |= kStored;
    state(id) = State{};
    return window::take_signed(bytes, entry.newest) && state(id).decode(bytes);
  }

  void sweep(std::int64_t reached) {
    due_ = saturating_add(reached, std::max<std::int64_t>(1, limits_.keep / 8));
    for (std::uint32_t id = 0; id < keys_.limit(); ++id) {
      const window::Entry& entry = keys_.entry(id);
      if (!entry.live() || saturating_add(entry.newest, limits_.keep) > reached) continue;
      if ((entry.flags & kStored) != 0) gone_.emplace_back(entry.bytes());
      remove(id);
    }
  }
  void sweep_when_full(std::int64_t reached) {
    if (reached <= saturating_add(full_sweep_, limits_.keep / 64)) return;
    full_sweep_ = reached;
    sweep(reached);
  }

  const window::Share share_;
  const std::uint64_t seed_;
  const Limits limits_;
  window::KeyTable keys_;
  std::vector<std::unique_ptr<State[]>> states_;  // by id
  std::vector<std::uint32_t> changed_;            // ids; their keys may have been forgotten since
  std::vector<std::string> gone_;                 // forgotten keys that are on disk
  window::RowLog log_;
  bool anew_ = false;  // rows are not as this worker writes them: replace them all
  std::string scratch_;
  std::int64_t watermark_ = INT64_MIN;
  std::int64_t due_ = INT64_MIN;
  std::int64_t full_sweep_ = INT64_MIN;
};

}  // namespace streamd
