// SPDX-License-Identifier: Apache-2.0
// Headers: the header fields of a request or a response in their order; names compare without case.
// Plain data.
#pragma once

#include "engine/core/time.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::http {

class Headers {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  // The first value of that name; null: there is none. Valid until the next change.
  const std::string* find(std::string_view name) const;
  // The same, "" when there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Whether one of the comma-separated values of all fields of that name is `token` (without case).
  bool has_token(std::string_view name, std::string_view token) const;

  // Another field, after those that are there.
  void add(std::string name, std::string value);
  // The only field of that name from now on.
  void set(std::string name, std::string value);
  void remove(std::string_view name);

  const Fields& all() const { return fields_; }

 private:
  Fields fields_;
};

// Whether two header names, or values that are tokens, are the same without case.
bool same_token(std::string_view a, std::string_view b);
// A name that HTTP allows (RFC 9110, token), and a value without line ends and control characters:
// what can't break out of its line.
bool is_header_name(std::string_view text);
bool is_header_value(std::string_view text);

// Retry-After: seconds or an HTTP date, counted from `wall`; never negative. nullopt: neither.
std::optional<Duration> parse_retry_after(std::string_view text, EventTime wall);

}  // namespace streamd::http
