// SPDX-License-Identifier: Apache-2.0
// YamlText: where the values of a YAML file stand in its text, so that one can be rewritten and
// all else stays byte by byte as it was. Knows what test files are made of (block and flow lists
// and maps, plain and quoted scalars); of what it does not know it says so, and nothing is changed.
#pragma once

#include "engine/api/config_node.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::testing {

struct Span {
  std::size_t begin = 0, end = 0;  // bytes, [begin, end)
};

struct Edit {
  Span span;
  std::string text;
};

class YamlText {
 public:
  // Borrows the text.
  explicit YamlText(std::string_view text);

  std::size_t offset(const Place& place) const;

  struct ListAt {
    std::size_t after_key = 0;  // behind the colon
    Span all;                   // from the first byte of the list to its last
    bool flow = false;
    bool key_starts_line = false;  // so the list may become a block
    std::size_t key_column = 0;    // from 0
    std::size_t dash_column = 0;   // block: of the dashes
    std::vector<Span> items;       // without dashes and commas
  };
  // The list behind a key. nullopt: there is none, or it is written in a way that is not known
  // (anchors, aliases, block scalars).
  std::optional<ListAt> list_of(const ConfigNode& key, const ConfigNode& list) const;

  // A scalar on one line, with its quotes.
  std::optional<Span> scalar(const ConfigNode& node) const;

  std::string_view text() const { return text_; }
  // Of the line that holds the byte, [begin, end) without line end.
  Span line_at(std::size_t byte) const;

 private:
  // Behind the bracket that closes the one at `open`.
  std::optional<std::size_t> flow_end(std::size_t open) const;
  std::optional<std::size_t> quote_end(std::size_t open) const;
  std::size_t block_end(std::size_t begin) const;
  std::optional<std::size_t> behind_key(const ConfigNode& key) const;
  bool add_items(const ConfigNode& list, ListAt& at) const;

  std::string_view text_;
  std::vector<std::size_t> lines_;  // where each begins
  std::size_t mark_ = 0;            // bytes of a byte order mark
};

// The text with all edits; nullopt when two of them overlap.
std::optional<std::string> apply(std::string_view text, std::vector<Edit> edits);

}  // namespace streamd::testing
