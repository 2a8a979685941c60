// SPDX-License-Identifier: Apache-2.0
// LastValues: the newest value of some fields of one key, with the event time of each. One thread.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/key.h"
#include "engine/core/time.h"
#include "operators/window/varint.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class LastValues {
 public:
  // A value older than the one that is held changes nothing.
  void set(std::size_t field, std::int64_t time, const Value& value) {
    if (field >= held_.size()) held_.resize(field + 1);
    Held& held = held_[field];
    if (!held.value.empty() && time < held.time) return;
    held.time = time;
    held.value.clear();
    append_key(value, held.value);
  }
  // The value for a record of this time; `otherwise` when there is none that is older than the
  // record by less than `keep`. Texts are copied into the arena.
  Value get(std::size_t field, std::int64_t time, std::int64_t keep, Arena& arena,
            const Value& otherwise) const {
    if (field >= held_.size() || held_[field].value.empty()) return otherwise;
    const Held& held = held_[field];
    if (time < held.time || saturating_sub(time, held.time) >= keep) return otherwise;
    const auto values = decode_key(arena.copy(held.value), arena);
    return values && values->size() == 1 ? values->front() : otherwise;
  }

  // varint n, then n times signed time, text value (core/key.h; empty: none).
  void encode(std::string& out) const {
    window::put_varint(out, held_.size());
    for (const Held& held : held_) {
      window::put_signed(out, held.time);
      window::put_text(out, held.value);
    }
  }
  bool decode(std::string_view in) {
    std::uint64_t count = 0;
    if (!window::take_varint(in, count)) return false;
    for (; count > 0; --count) {
      Held held;
      std::string_view value;
      if (!window::take_signed(in, held.time) || !window::take_text(in, value)) return false;
      if (!value.empty() && !count_key(value)) return false;
      held.value = value;
      held_.push_back(std::move(held));
    }
    return in.empty();
  }

 private:
  struct Held {
    std::int64_t time = 0;
    std::string value;
  };
  std::vector<Held> held_;
};

}  // namespace streamd
