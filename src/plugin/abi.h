// SPDX-License-Identifier: Apache-2.0
// The plugin interface as the engine sees it: the C header, and that its values are the engine's
// own. Included by src/plugin only.
#pragma once

#include "engine/core/time.h"
#include "engine/core/value.h"

#include <streamd_plugin.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace streamd::plugin {

// A batch crosses the border as it is: a column of Values is a column of sd_values.
static_assert(sizeof(sd_value) == sizeof(Value) && alignof(sd_value) == alignof(Value));
static_assert(offsetof(sd_value, size) == 4 && offsetof(sd_value, as) == 8);
static_assert(sizeof(EventTime) == sizeof(std::int64_t));
static_assert(SD_ERROR == static_cast<unsigned>(Kind::error) &&
              SD_IP == static_cast<unsigned>(Kind::ip) &&
              SD_DURATION == static_cast<unsigned>(Kind::duration));

inline const sd_value* to_abi(const Value* values) {
  return reinterpret_cast<const sd_value*>(values);
}
inline const Value* from_abi(const sd_value* values) {
  return reinterpret_cast<const Value*>(values);
}
inline sd_view to_abi(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view from_abi(sd_view text) {
  return text.data == nullptr ? std::string_view{} : std::string_view(text.data, text.size);
}

// How long the structs were in the first release: a shorter one is nonsense, and what stands behind
// must be asked for with STREAMD_PLUGIN_HAS. Written out, because sizeof() may grow.
inline constexpr std::size_t kFirstField = 104, kFirstSpec = 112, kFirstOutput = 32,
                             kFirstOperator = 80, kFirstSource = 80, kFirstSink = 56,
                             kFirstFunction = 72, kFirstPlugin = 104;

// Whether a struct that somebody else compiled has a member: it ends behind it.
#define STREAMD_PLUGIN_HAS(pointer, member) \
  ((pointer)->size >=                       \
   offsetof(std::remove_cvref_t<decltype(*(pointer))>, member) + sizeof((pointer)->member))

}  // namespace streamd::plugin
