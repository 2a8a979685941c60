// SPDX-License-Identifier: Apache-2.0
// Rules: a window node's configuration once it is resolved against the schema. Const and shared by
// its workers. And Arrival: one record as the operator hands it to the store of its windows.
#pragma once

#include "engine/core/batch.h"
#include "engine/core/schema.h"
#include "engine/expr/expression.h"
#include "operators/window/aggregates.h"
#include "operators/window/assigner.h"
#include "operators/window/key_table.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace streamd::window {

enum class Emit { close, threshold, changed };
enum class OnFull { refuse, evict };

struct Rules {
  Assigner assigner;
  Aggregates aggregates{{}};
  Emit emit = Emit::close;
  std::optional<expr::Program> having;  // over `out`
  bool having_reads_window = false;     // window_start or window_end: changes with each window
  // `having` is "more records than": true from this many on. Then it is never evaluated.
  std::optional<std::uint64_t> least_count;
  std::uint64_t needed_count = 0;  // with fewer records `having` is false, whatever else it asks
  // `having` is that each of these counts is at least so large; empty: it asks for something else.
  // While a window is open none of them falls, and a record raises each by one at most.
  struct Floor {
    std::size_t compute = 0;
    std::uint64_t least = 0;
  };
  std::vector<Floor> floors;
  std::uint64_t max_keys = 0;  // of one worker
  OnFull on_full = OnFull::refuse;
  Schema out;
  std::size_t by = 0;  // the first columns of `out`
};

enum class Outcome : std::uint8_t { taken, late, shed };

struct Arrival {
  std::int64_t time = 0;
  std::int64_t floor = 0;  // clamped to what Assigner can add to
  KeyRef key;
  std::uint64_t hash = 0;
  const Value* inputs = nullptr;
  std::uint64_t number = 0;          // order of arrival
  std::uint32_t row = 0;             // physical
  std::uint32_t guess = 0xFFFFFFFF;  // the id that the key's hash led to when it was prefetched
  Outcome outcome = Outcome::taken;
  const std::uint32_t* counted = nullptr;  // numbers of Aggregates::counted_inputs()
};

// Floors and watermarks may be anything; beyond these bounds they mean "never" and "everything".
inline constexpr std::int64_t kNever = -(std::int64_t{1} << 62);
inline constexpr std::int64_t kEverything = std::int64_t{1} << 62;
inline std::int64_t clamp_time(EventTime t) {
  return t.micros < kNever ? kNever : (t.micros > kEverything ? kEverything : t.micros);
}

}  // namespace streamd::window
