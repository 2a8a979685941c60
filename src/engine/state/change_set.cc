// SPDX-License-Identifier: Apache-2.0
#include "engine/state/change_set.h"

#include <cstring>

namespace streamd {

void ChangeSet::append(ChangeSet other) {
  if (empty()) {
    *this = std::move(other);
    return;
  }
  for (const auto& op : other.ops_)
    if (op.large)
      hand_over(other.first(op), std::move(other.large_[op.second]));
    else
      add(op.kind, other.first(op), other.second(op));
}

std::size_t ChangeSet::bytes() const {
  std::size_t bytes = bytes_.size();
  for (const auto& value : large_) bytes += value.size();
  return bytes;
}

// Each operation: one byte Kind, two 4-byte little endian lengths, then both byte strings.
std::string ChangeSet::encode() const {
  std::string out;
  out.reserve(bytes() + ops_.size() * 9);
  each([&](Kind kind, std::string_view a, std::string_view b) {
    const std::uint32_t lengths[2] = {static_cast<std::uint32_t>(a.size()),
                                      static_cast<std::uint32_t>(b.size())};
    out.push_back(static_cast<char>(kind));
    out.append(reinterpret_cast<const char*>(lengths), sizeof lengths);
    out.append(a).append(b);
  });
  return out;
}

bool ChangeSet::decode(std::string_view bytes, ChangeSet& into) {
  into.clear();
  while (!bytes.empty()) {
    std::uint32_t lengths[2];
    if (bytes.size() < 1 + sizeof lengths) return false;
    const auto kind = static_cast<unsigned char>(bytes[0]);
    if (kind > static_cast<unsigned char>(Kind::erase_range)) return false;
    std::memcpy(lengths, bytes.data() + 1, sizeof lengths);
    bytes.remove_prefix(1 + sizeof lengths);
    if (bytes.size() < std::size_t{lengths[0]} + lengths[1]) return false;
    into.add(static_cast<Kind>(kind), bytes.substr(0, lengths[0]),
             bytes.substr(lengths[0], lengths[1]));
    bytes.remove_prefix(std::size_t{lengths[0]} + lengths[1]);
  }
  return true;
}

}  // namespace streamd
