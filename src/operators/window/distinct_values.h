// SPDX-License-Identifier: Apache-2.0
// DistinctValues: the values that distinct, top and entropy of all windows have seen on one worker,
// each once, under a dense number. What is counted (counted.h) holds numbers, so values are
// compared as bytes once, when a record brings them: two values have one number only if they are
// equal. A value is forgotten when nothing that holds() it is left; then its number may become that
// of another one.
//
// Values of records are chosen by whoever sends them: the seed keeps them from colliding. One
// thread.
#pragma once

#include "engine/core/value.h"
#include "operators/window/key_table.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::window {

class DistinctValues {
 public:
  explicit DistinctValues(std::uint64_t seed) : seed_(seed) {}

  // The number of a value; of a new one, held by nobody: hold() it before the next call.
  std::uint32_t number_of(const Value& value);
  // The same for the bytes that append_key makes of it.
  std::uint32_t number_of(std::string_view encoded);
  // The same for the values of many records, which wait for memory together. Each is held for the
  // caller; absent ones get kNone.
  void numbers_of(std::span<const Value* const> values, std::uint32_t* numbers);
  static constexpr std::uint32_t kNone = KeyTable::kNone;

  void hold(std::uint32_t number) { ++table_.entry(number).holders; }
  void release(std::uint32_t number) {
    if (--table_.entry(number).holders == 0) table_.remove(number);
  }

  // As append_key writes it. Valid until the value is forgotten.
  std::string_view encoded(std::uint32_t number) const { return table_.entry(number).bytes(); }
  std::size_t size() const { return table_.size(); }
  std::uint64_t seed() const { return seed_; }

 private:
  std::uint32_t number_of(KeyRef value, KeyTable::Sought sought) {
    const std::uint32_t known = table_.find(value, sought);
    return known != kNone ? known : table_.insert(value, sought.hash);
  }

  const std::uint64_t seed_;
  KeyTable table_;
  std::string scratch_;
  std::vector<KeyTable::Sought> sought_;
};

}  // namespace streamd::window
