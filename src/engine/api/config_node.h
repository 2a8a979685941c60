// SPDX-License-Identifier: Apache-2.0
// ConfigNode: one node of a pipeline file, with its place. Filled by config/ from YAML after
// ${VAR} was resolved in each scalar; read by Spec (spec.h). Plain data, owns its children.
#pragma once

#include "engine/api/diagnostics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

struct ConfigEntry;

// Characters of a scalar's text that stand side by side in the file.
struct TextRun {
  std::uint32_t offset = 0;  // of the first one in the text
  std::uint32_t line = 0;    // where that one stands
  std::uint32_t column = 0;
};

struct ConfigNode {
  enum class Shape { null, scalar, list, map };

  Shape shape = Shape::null;
  Place place;
  std::string text;               // scalar: the resolved text
  bool quoted = false;            // scalar: written in quotes, so "5" is a string and not a number
  bool substituted = false;       // a ${…} took part: never echo the text, it may be a secret
  std::vector<ConfigNode> items;  // list
  std::vector<ConfigEntry> entries;  // map, in the order of the file

  // The value of a map's key, or null.
  const ConfigNode* find(std::string_view key) const;
  // Place of `length` characters from `offset` on inside a scalar's text (for errors inside
  // expressions), as far as they are on one line. The scalar's start when a ${…} took part.
  Place place_at(std::size_t offset, std::size_t length = 1) const;
  // A scalar that is a part of this one's text, with its own places.
  ConfigNode part(std::size_t offset, std::size_t size) const;

  // Scalar: by offset; empty when the text does not stand in the file.
  std::vector<TextRun> runs;
};

struct ConfigEntry {
  ConfigNode first;   // key
  ConfigNode second;  // value
  ConfigEntry(ConfigNode key, ConfigNode value) : first(std::move(key)), second(std::move(value)) {}
};

inline const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const auto& [k, v] : entries)
    if (k.text == key) return &v;
  return nullptr;
}

}  // namespace streamd
