// SPDX-License-Identifier: Apache-2.0
// Parts of a JSON text as slices of its bytes: for sources whose records are inside one answer.
// Safe on any bytes. Slices are cut out, not checked: decoding finds what is broken inside them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// The value at a path of object keys ("data.items"; "" is the text itself), of equal keys the last
// one. A key that holds a dot can't be named. nullopt: not there, the text is broken on the way, or
// something follows an object on it.
std::optional<std::string_view> find_json(std::string_view text, std::string_view path);

// Appends the items of an array, or the value itself when it is an object. False: it is neither,
// broken, or followed by something else than white space; `into` is as it was.
bool slice_json(std::string_view value, std::vector<std::string_view>& into);

// Whether something else than white space follows an array or object that is whole.
bool goes_on_behind_json(std::string_view text);

// What a scalar says as plain text: a string unescaped, a number, true or false as written.
// nullopt: null, an array, an object, or broken.
std::optional<std::string> json_scalar_text(std::string_view value);

}  // namespace streamd
