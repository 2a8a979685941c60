// SPDX-License-Identifier: Apache-2.0
// RecordKey: what a record is looked up under, as bytes: equal for records that ask the same. A
// field that is a text is its own key and nothing is copied. One per worker, its thread only.
#pragma once

#include "engine/core/batch.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::enrich {

// Const, shared by workers.
struct KeyColumns {
  std::vector<std::optional<std::size_t>> columns;  // nullopt: no record has it
  // The key is what a template reads: fields may be absent, and 1 and "1" differ. Otherwise it is
  // the text of the one field.
  bool of_template = false;
};

class RecordKey {
 public:
  explicit RecordKey(const KeyColumns& key) : key_(key) {}
  // Of a physical row; valid until the next call. nullopt: the record has no such field, or null.
  std::optional<std::string_view> of(const Batch& in, std::uint32_t row);

 private:
  const KeyColumns& key_;
  std::string text_;
};

}  // namespace streamd::enrich
