// SPDX-License-Identifier: Apache-2.0
// Changing single fields inside of objects, byte by byte beside them: the one place that says what
// a dotted path means there. Any thread.
#pragma once

#include "engine/codec/encode.h"
#include "engine/core/arena.h"
#include "engine/core/value.h"

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// What is to happen at one path of an object. A path that the object does not have changes nothing:
// nothing is added. Of several with one path the last one counts.
struct ObjectChange {
  std::string_view path;         // dotted, relative to the object
  const Value* value = nullptr;  // what stands there; null or missing: it is left out
  char* written = nullptr;       // with a value: set when it took the place of the old one
};

// Whether one of the paths goes on inside the member of that key (as it stands between its quotes).
bool has_below(const std::vector<ObjectChange>& changes, std::string_view raw_key);
// Appends the object (JSON text) with the changes, on one line.
void append_changed_object(std::string_view object, const std::vector<ObjectChange>& changes,
                           TimeStyle style, std::string& out);
// Appends one member, `"key": object`, with what the paths change inside the object.
void append_changed_member(std::string_view key, std::string_view whole, std::string_view object,
                           const std::vector<ObjectChange>& changes, TimeStyle style,
                           std::string& out);
// An object as a value, text or map, with the changes; what is no object stays as it is. New parts
// are in the arena. `text` is for its own use.
Value changed_object(const Value& object, const std::vector<ObjectChange>& changes, Arena& arena,
                     std::string& text);

}  // namespace streamd
