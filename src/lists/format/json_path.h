// SPDX-License-Identifier: Apache-2.0
// JsonPath: `data.items[].ip` and the like. A name goes down into an object, [] behind it takes
// each element of the array there, `*` each value of an object; an empty path is the value itself.
#pragma once

#include "engine/core/value.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class JsonPath {
 public:
  // nullopt: an empty name, or brackets that are no [].
  static std::optional<JsonPath> parse(std::string_view text);

  bool empty() const { return steps_.empty(); }
  // Hands over each value that is there; lists that the path does not name are values themselves.
  void each(const Value& root, const std::function<void(const Value&)>& to) const {
    walk(root, 0, to);
  }
  // Whether an array or object on the way is there and empty: then nothing is missing where the
  // path leads to nothing.
  bool meets_empty(const Value& root) const { return meets_empty(root, 0); }
  // The first of them; missing: none.
  Value first(const Value& root) const;

 private:
  struct Step {
    enum class Kind : std::uint8_t { name, elements, values } kind = Kind::name;
    std::string name;
  };
  void walk(const Value& at, std::size_t step, const std::function<void(const Value&)>& to) const;
  bool meets_empty(const Value& at, std::size_t step) const;

  std::vector<Step> steps_;
};

}  // namespace streamd
