// SPDX-License-Identifier: Apache-2.0
#include "operators/window/stored_keys.h"

#include "operators/window/pane_rows.h"

#include <algorithm>

namespace streamd::window {

bool StoredKeys::read(unsigned group, std::string_view value, std::uint32_t& entries) {
  if (group != group_) {
    group_ = group;
    pages_.clear();
    done();
  }
  waits_ = true;
  if (!take_row_count(value, entries)) return false;
  for (std::uint32_t left = entries; left > 0; --left) {
    std::uint64_t id = 0, size = 0;
    if (!take_varint(value, id) || id >= kMostIds || !take_varint(value, size)) return false;
    std::uint32_t& place = *slot(static_cast<std::uint32_t>(id));
    if (size == 0) {
      place = kNone;
      continue;
    }
    if (--size > value.size() || size > UINT32_MAX) return false;
    const std::string_view key = value.substr(0, size);
    value.remove_prefix(size);
    if (place != kNone) {
      if (bytes(texts_[place]) != key) return false;
      continue;
    }
    place = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(
        {static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(size), bytes_.size()});
    bytes_.append(key);
  }
  return value.empty();
}

std::uint32_t* StoredKeys::slot(std::uint32_t id) {
  const std::size_t page = id / kPage;
  if (page >= pages_.size()) pages_.resize(page + 1);
  if (!pages_[page]) {
    pages_[page] = std::make_unique_for_overwrite<std::uint32_t[]>(kPage);
    std::fill_n(pages_[page].get(), kPage, kNone);
  }
  return &pages_[page][id % kPage];
}

std::vector<StoredKeys::Key> StoredKeys::keys() {
  waits_ = false;
  std::vector<Key> live;
  live.reserve(texts_.size());
  for (std::size_t i = 0; i < texts_.size(); ++i)
    if (*slot(texts_[i].id) == i) live.push_back({texts_[i].id, bytes(texts_[i])});
  return live;
}

void StoredKeys::done() {
  texts_ = {};
  bytes_ = {};
}

}  // namespace streamd::window
