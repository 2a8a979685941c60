// SPDX-License-Identifier: Apache-2.0
#include "operators/dedupe/seen_rows.h"

#include "engine/core/time.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace streamd::dedupe {
namespace {

constexpr char kVersion = 1;
constexpr char kRow = 'e';
constexpr std::size_t kKeysPerRow = 32 * 1024;

Status damaged() {
  return fail(ErrorKind::state, "the remembered keys are damaged",
              "Start from a copy of the state directory, or anew.");
}

}  // namespace

SeenRows::SeenRows(window::Share share, std::int64_t within)
    : share_(share), within_(within), slice_(std::max<std::int64_t>(1, within / 8)) {}

std::int64_t SeenRows::slice_end(std::int64_t time) const {
  return saturating_add(slice_start({time}, {slice_}).micros, slice_);
}

Status SeenRows::restore(StateReader& state, const Take& take) {
  return state.scan([&](unsigned group, std::string_view sub_key, std::string_view value) {
    if (group < kKeyGroups && share_.owns(group)) homes_.insert(group);
    return take_row(sub_key, value, take);
  });
}

Status SeenRows::take_row(std::string_view sub_key, std::string_view value, const Take& take) {
  if (sub_key.empty() || sub_key.front() != kRow || value.empty()) return damaged();
  if (value.front() != kVersion)
    return fail(ErrorKind::state, "the remembered keys have an unknown version",
                "They were written by another streamd: start that version.");
  sub_key.remove_prefix(1);
  value.remove_prefix(1);
  std::int64_t end = 0, number = 0;
  std::uint64_t count = 0;
  if (!window::take_ordered(sub_key, end) || !window::take_ordered(sub_key, number) ||
      !window::take_varint(value, count))
    return damaged();
  next_number_ = std::max(next_number_, saturating_add(number, 1));
  for (; count > 0; --count) {
    SeenKey key;
    std::uint64_t before_end = 0;
    if (value.size() < sizeof key.key + 1) return damaged();
    std::memcpy(&key.key, value.data(), sizeof key.key);
    key.group = static_cast<std::uint8_t>(value[sizeof key.key]);
    value.remove_prefix(sizeof key.key + 1);
    if (!window::take_varint(value, before_end) || before_end > INT64_MAX) return damaged();
    key.time = saturating_sub(end, static_cast<std::int64_t>(before_end));
    if (share_.owns(key.group)) take(key);
  }
  return value.empty() ? Status{} : damaged();
}

void SeenRows::write(std::int64_t end, const std::string& keys, std::size_t count,
                     StateWriter& state) {
  std::string sub_key(1, kRow), value(1, kVersion);
  window::put_ordered(sub_key, end);
  window::put_ordered(sub_key, next_number_++);
  window::put_varint(value, count);
  state.hand_over(share_.home(), sub_key, value + keys);
  homes_.insert(share_.home());
}

void SeenRows::checkpoint(std::int64_t watermark, StateWriter& state) {
  std::erase_if(added_,
                [&](const SeenKey& key) { return saturating_add(key.time, within_) <= watermark; });
  const auto order = [this](const SeenKey& k) {
    return std::tuple(slice_end(k.time), k.group, k.key.low, k.key.high, k.time);
  };
  std::sort(added_.begin(), added_.end(),
            [&](const SeenKey& a, const SeenKey& b) { return order(a) < order(b); });
  std::string keys;
  std::size_t count = 0;
  for (std::size_t i = 0; i < added_.size(); ++i) {
    const SeenKey& key = added_[i];
    const std::int64_t end = slice_end(key.time);
    const SeenKey* next = i + 1 < added_.size() ? &added_[i + 1] : nullptr;
    const bool last = next == nullptr || slice_end(next->time) != end;
    if (last || next->key != key.key || next->group != key.group) {
      keys.append(reinterpret_cast<const char*>(&key.key), sizeof key.key);
      keys.push_back(static_cast<char>(key.group));
      window::put_varint(keys, static_cast<std::uint64_t>(saturating_sub(end, key.time)));
      ++count;
    }
    if (!last && count < kKeysPerRow) continue;
    write(end, keys, count, state);
    keys.clear();
    count = 0;
  }
  added_.clear();
  // One slice more than needed: another worker's clock may be a moment behind.
  const std::int64_t gone = saturating_sub(saturating_sub(watermark, within_), slice_);
  if (watermark == INT64_MIN || homes_.empty() || gone < saturating_add(erased_, slice_)) return;
  std::string from(1, kRow), to(1, kRow);
  window::put_ordered(to, saturating_add(gone, 1));
  for (const unsigned group : homes_) state.erase_range(group, from, to);
  erased_ = gone;
}

}  // namespace streamd::dedupe
