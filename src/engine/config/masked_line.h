// SPDX-License-Identifier: Apache-2.0
// A line of a pipeline file as it may be shown: *** stands for what is secret in it. Reads YAML
// only as far as one line tells it, so that it also works where the file is no YAML; in doubt it
// hides more than it has to. What consists of variables alone is shown: their values are not in the
// line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

class MaskedLine {
 public:
  // Borrows the line. Passwords in URLs are hidden from the start.
  explicit MaskedLine(std::string_view line);

  // The value that begins at this byte: a text in quotes, a plain one, or what is in brackets.
  void hide_value(std::size_t from);
  // The values of all keys with such a name.
  void hide_values_of(const std::vector<std::string>& names);

  std::string text() const;
  // Where a byte of the line is in text(); the beginning of the *** for one that is hidden.
  std::size_t moved(std::size_t byte) const;

 private:
  std::size_t end_of_value(std::size_t from) const;
  void hide(std::size_t from, std::size_t to);

  std::string_view line_;
  std::vector<std::pair<std::size_t, std::size_t>> hidden_;  // [from, to), apart and in order
};

}  // namespace streamd
