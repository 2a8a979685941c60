// SPDX-License-Identifier: Apache-2.0
// KeyMap: a hash map from encoded keys (core/key.h). Entries stay where they are, and look-ups take
// views. The seed is that of the state directory, so that nobody can build keys that collide; the
// key groups are made with the seed itself, the map with its complement.
#pragma once

#include "engine/core/hash.h"

#include <absl/container/node_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd {

struct KeyMapHash {
  using is_transparent = void;
  std::uint64_t seed = 0;
  std::size_t operator()(std::string_view key) const { return hash_bytes(key, ~seed); }
};
struct KeyMapEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

// Constructed as KeyMap<T>(0, KeyMapHash{seed}).
template <class T>
using KeyMap = absl::node_hash_map<std::string, T, KeyMapHash, KeyMapEqual>;

}  // namespace streamd
