// SPDX-License-Identifier: Apache-2.0
#include "operators/window/distinct_values.h"

#include "engine/core/key.h"

namespace streamd::window {

std::uint32_t DistinctValues::number_of(const Value& value) {
  if (value.is(Kind::string))
    return number_of(KeyRef{value.text(), true}, {hash_text_key(value.text(), seed_)});
  scratch_.clear();
  append_key(value, scratch_);
  return number_of(std::string_view(scratch_));
}

std::uint32_t DistinctValues::number_of(std::string_view encoded) {
  return number_of(KeyRef{encoded, false}, {hash_key(encoded, seed_)});
}

void DistinctValues::numbers_of(std::span<const Value* const> values, std::uint32_t* numbers) {
  sought_.assign(values.size(), {});
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]->is(Kind::string)) continue;
    sought_[i].hash = hash_text_key(values[i]->text(), seed_);
    table_.prefetch_slot(sought_[i].hash);
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i]->is(Kind::string)) sought_[i].guess = table_.guess(sought_[i].hash);
  for (std::size_t i = 0; i < values.size(); ++i, ++numbers) {
    const Value& value = *values[i];
    if (value.absent()) {
      *numbers = kNone;
      continue;
    }
    if (value.is(Kind::string)) {
      *numbers = number_of(KeyRef{value.text(), true}, sought_[i]);
    } else {
      *numbers = number_of(value);
    }
    hold(*numbers);
  }
}

}  // namespace streamd::window
