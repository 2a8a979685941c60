// SPDX-License-Identifier: Apache-2.0
#include "plugin/keyed_state.h"

#include "operators/window/varint.h"

#include <algorithm>

namespace streamd::plugin {
namespace {

auto timer_of(KeyMemory& memory, std::uint32_t number) {
  return std::find_if(memory.timers.begin(), memory.timers.end(),
                      [number](const KeyMemory::Timer& t) { return t.number == number; });
}

}  // namespace

std::int64_t KeyMemory::earliest() const {
  std::int64_t at = INT64_MAX;
  for (const Timer& timer : timers) at = std::min(at, timer.at);
  return at;
}

void KeyMemory::encode(std::string& out) const {
  out.push_back(has ? 1 : 0);
  window::put_text(out, bytes);
  for (const Timer& timer : timers) {
    window::put_varint(out, timer.number);
    window::put_signed(out, timer.at);
  }
}

bool KeyMemory::decode(std::string_view in) {
  std::string_view text;
  if (in.empty() || static_cast<unsigned char>(in.front()) > 1) return false;
  has = in.front() == 1;
  in.remove_prefix(1);
  if (!window::take_text(in, text)) return false;
  bytes = text;
  while (!in.empty()) {
    std::uint64_t number = 0;
    Timer timer;
    if (!window::take_varint(in, number) || number > UINT32_MAX ||
        !window::take_signed(in, timer.at))
      return false;
    timer.number = static_cast<std::uint32_t>(number);
    timers.push_back(timer);
  }
  return true;
}

const std::string* KeyedState::get(std::string_view key) {
  const KeyMemory* const memory = states_.find(key);
  return memory != nullptr && memory->has ? &memory->bytes : nullptr;
}

bool KeyedState::put(std::string_view key, std::string_view value) {
  KeyMemory* const memory = change(key);
  if (memory == nullptr) return false;
  memory->has = true;
  memory->bytes.assign(value);
  return true;
}

void KeyedState::erase(std::string_view key) {
  if (states_.find(key) == nullptr) return;
  KeyMemory& memory = *change(key);
  memory.has = false;
  memory.bytes.clear();
  memory.timers.clear();
}

bool KeyedState::set_timer(std::string_view key, std::uint32_t number, std::int64_t at) {
  KeyMemory* const memory = change(key);
  if (memory == nullptr) return false;
  if (const auto known = timer_of(*memory, number); known != memory->timers.end())
    known->at = at;
  else
    memory->timers.push_back({number, at});
  list(key, *memory);
  return true;
}

void KeyedState::clear_timer(std::string_view key, std::uint32_t number) {
  KeyMemory* const known = states_.find(key);
  if (known == nullptr || timer_of(*known, number) == known->timers.end()) return;
  KeyMemory& memory = *change(key);
  memory.timers.erase(timer_of(memory, number));
}

// A key is listed once and its place put right when it is looked at: until then its timers may move
// to later times freely.
void KeyedState::list(std::string_view key, KeyMemory& memory) {
  const std::int64_t due = memory.earliest();
  if (memory.timers.empty() || due >= memory.listed) return;
  memory.listed = due;
  due_.emplace(due, key);
}

std::optional<KeyedState::Due> KeyedState::take_due(std::int64_t watermark) {
  while (!due_.empty() && due_.begin()->first <= watermark) {
    auto [looked_at, key] = *due_.begin();
    KeyMemory* memory = states_.find(key);
    if (memory == nullptr || memory->listed != looked_at) {  // forgotten, or listed earlier since
      due_.erase(due_.begin());
      continue;
    }
    if (memory->earliest() > looked_at) {
      due_.erase(due_.begin());
      memory->listed = INT64_MAX;
      list(key, *memory);
      continue;
    }
    const auto first = std::min_element(
        memory->timers.begin(), memory->timers.end(), [](const auto& a, const auto& b) {
          return std::pair(a.at, a.number) < std::pair(b.at, b.number);
        });
    Due due{std::move(key), *first};
    memory = change(due.key);
    memory->timers.erase(timer_of(*memory, due.timer.number));
    due_.erase(due_.begin());
    memory->listed = INT64_MAX;
    list(due.key, *memory);
    return due;
  }
  return std::nullopt;
}

Status KeyedState::restore(StateReader& state) {
  STREAMD_TRY(states_.restore(state));
  states_.each([this](std::string_view key, KeyMemory& memory) { list(key, memory); });
  return {};
}

}  // namespace streamd::plugin
