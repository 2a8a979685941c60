// SPDX-License-Identifier: Apache-2.0
#include "operators/join/held.h"

#include "engine/core/key.h"
#include "engine/core/time.h"
#include "operators/window/varint.h"

#include <algorithm>

namespace streamd::join {
namespace {

constexpr char kVersion = 1;

std::string row_name(std::string_view key, Side side, std::uint64_t number) {
  std::string name = "j";
  window::put_text(name, key);
  name.push_back(static_cast<char>(side));
  window::put_ordered(name, static_cast<std::int64_t>(number));
  return name;
}

bool take_row_name(std::string_view name, std::string_view& key, Side& side,
                   std::uint64_t& number) {
  std::int64_t ordered = 0;
  if (!name.starts_with('j')) return false;
  name.remove_prefix(1);
  if (!window::take_text(name, key) || name.empty()) return false;
  const char which = name.front();
  name.remove_prefix(1);
  if ((which != kFirst && which != kSecond) || !window::take_ordered(name, ordered)) return false;
  side = static_cast<Side>(which);
  number = static_cast<std::uint64_t>(ordered);
  return name.empty();
}

// The values of `names` among those that were stored; one that was not is missing.
bool take_values(std::string_view in, const std::vector<std::string>& names, std::string& values) {
  std::vector<std::string_view> found(names.size());
  std::uint64_t count = 0;
  if (!window::take_varint(in, count)) return false;
  for (; count > 0; --count) {
    std::string_view name, value;
    if (!window::take_text(in, name) || !window::take_text(in, value)) return false;
    if (count_key(value) != 1) return false;
    const auto at = std::find(names.begin(), names.end(), name);
    if (at != names.end()) found[static_cast<std::size_t>(at - names.begin())] = value;
  }
  for (const std::string_view value : found) {
    if (value.empty())
      append_key(Value::missing(), values);
    else
      values.append(value);
  }
  return in.empty();
}

// Behind those of the same time.
void insert(Held record, std::deque<Held>& records) {
  const auto behind =
      std::upper_bound(records.begin(), records.end(), record,
                       [](const Held& a, const Held& b) { return a.time < b.time; });
  records.insert(behind, std::move(record));
}

}  // namespace

HeldRecords::HeldRecords(window::Share share, std::uint64_t seed, Settings settings)
    : share_(share), settings_(std::move(settings)), keys_(0, KeyMapHash{seed}) {}

HeldRecords::Entry* HeldRecords::at(std::string_view key, std::uint64_t hash) {
  auto found = keys_.find(key);
  if (found == keys_.end()) {
    if (keys_.size() >= settings_.max_keys) return nullptr;
    found = keys_.try_emplace(std::string(key)).first;
    found->second.group = static_cast<std::uint8_t>(key_group(hash));
  }
  return &*found;
}

void HeldRecords::add(Entry& entry, Side side, Held record) {
  auto& records = entry.second.sides[side];
  record.number = entry.second.next[side]++;
  insert(std::move(record), records);
  note(entry);
  schedule(entry);
}

void HeldRecords::note(Entry& entry) {
  if (entry.second.changed != kUnchanged) return;
  entry.second.changed = changed_.size();
  changed_.push_back(&entry);
}

void HeldRecords::forget(Entry& entry) {
  if (const std::size_t place = entry.second.changed; place != kUnchanged) {
    changed_[place] = changed_.back();
    changed_[place]->second.changed = place;
    changed_.pop_back();
  }
  keys_.erase(keys_.find(entry.first));
}

void HeldRecords::schedule(Entry& entry) {
  Key& key = entry.second;
  std::int64_t due = INT64_MAX;
  for (const Side side : {kFirst, kSecond})
    if (!key.sides[side].empty())
      due = std::min(due, saturating_add(key.sides[side].front().time, settings_.keep[side]));
  if (due == key.due) return;
  if (key.due != INT64_MAX) due_.erase({key.due, entry.first});
  key.due = due;
  if (due != INT64_MAX) due_.emplace(due, entry.first);
}

HeldRecords::Entry* HeldRecords::first_due(std::int64_t w) {
  if (due_.empty() || due_.begin()->first >= w) return nullptr;
  return &*keys_.find(due_.begin()->second);
}

void HeldRecords::settle(Entry& entry) {
  Key& key = entry.second;
  for (const Side side : {kFirst, kSecond}) {
    auto& records = key.sides[side];
    while (!records.empty() &&
           saturating_add(records.front().time, settings_.keep[side]) <= key.due) {
      if (records.front().stored)
        gone_.emplace_back(key.group, row_name(entry.first, side, records.front().number));
      records.pop_front();
    }
  }
  schedule(entry);
  if (key.due == INT64_MAX) forget(entry);
}

void HeldRecords::write(const Entry& entry, Side side, const Held& record, StateWriter& state) {
  const auto& names = settings_.names[side];
  text_.assign(1, kVersion);
  text_.push_back(record.matched ? 1 : 0);
  window::put_signed(text_, record.time);
  window::put_varint(text_, record.id);
  window::put_text(text_, record.raw);
  window::put_varint(text_, names.size());
  Arena arena;
  const auto values = decode_key(record.values, arena);
  std::string value;
  for (std::size_t n = 0; n < names.size(); ++n) {
    value.clear();
    append_key((*values)[n], value);
    window::put_text(text_, names[n]);
    window::put_text(text_, value);
  }
  state.put(entry.second.group, row_name(entry.first, side, record.number), text_);
}

void HeldRecords::checkpoint(StateWriter& state) {
  for (const auto& [group, name] : gone_) state.erase(group, name);
  gone_.clear();
  for (Entry* entry : changed_) {
    entry->second.changed = kUnchanged;
    for (const Side side : {kFirst, kSecond}) {
      for (Held& record : entry->second.sides[side]) {
        if (!std::exchange(record.changed, false)) continue;
        write(*entry, side, record, state);
        record.stored = true;
      }
    }
  }
  changed_.clear();
}

bool HeldRecords::read(std::string_view sub_key, std::string_view value, unsigned group) {
  std::string_view key, raw;
  Side side = kFirst;
  Held record;
  if (!take_row_name(sub_key, key, side, record.number) || value.size() < 2) return false;
  record.matched = value[1] != 0;
  value.remove_prefix(2);
  if (!window::take_signed(value, record.time) || !window::take_varint(value, record.id) ||
      !window::take_text(value, raw) || !take_values(value, settings_.names[side], record.values))
    return false;
  record.raw = raw;
  record.changed = false;
  record.stored = true;
  Entry& entry = *keys_.try_emplace(std::string(key)).first;
  entry.second.group = static_cast<std::uint8_t>(group);
  entry.second.next[side] = std::max(entry.second.next[side], record.number + 1);
  // Rows of a key come by number: those of equal times stay in the order in which they arrived.
  insert(std::move(record), entry.second.sides[side]);
  schedule(entry);
  return true;
}

Status HeldRecords::restore(StateReader& state) {
  return state.scan([this](unsigned group, std::string_view sub_key, std::string_view value) {
    if (group >= kKeyGroups || !share_.owns(group)) return Status{};
    if (!value.empty() && value.front() != kVersion)
      return Status(fail(ErrorKind::state, "a record that waits has an unknown version",
                         "It was written by another streamd: start that version."));
    if (!read(sub_key, value, group))
      return Status(fail(ErrorKind::state, "a record that waits is damaged",
                         "Start from a copy of the state directory, or anew."));
    return Status{};
  });
}

}  // namespace streamd::join
