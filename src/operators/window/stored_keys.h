// SPDX-License-Identifier: Apache-2.0
// StoredKeys: while state is restored, what the rows `k` of one key group have left: which key each
// id meant where it was written, and then which id the key has in the table here. One thread.
#pragma once

#include "operators/window/key_table.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::window {

class StoredKeys {
 public:
  static constexpr std::uint32_t kNone = KeyTable::kNone;
  static constexpr std::uint32_t kForeign = kNone - 1;  // a key of another worker

  struct Key {
    std::uint32_t id;
    std::string_view bytes;  // as long as nothing more is read
  };

  // The rows of a group follow one another, in order; one of another group ends the group before.
  // value: behind its version. False: damaged.
  bool read(unsigned group, std::string_view value, std::uint32_t& entries);
  bool waits() const { return waits_; }  // rows were read and keys() not called yet
  unsigned group() const { return group_; }

  // What is live after all rows of the group.
  std::vector<Key> keys();
  void set(std::uint32_t id, std::uint32_t here) { *slot(id) = here; }
  void done();  // every key of keys() has been set

  // The id here of a key that a row under `group` names; kNone: it names none.
  std::uint32_t find(unsigned group, std::uint64_t id) const {
    if (group != group_ || id / kPage >= pages_.size() || !pages_[id / kPage]) return kNone;
    return pages_[id / kPage][id % kPage];
  }

 private:
  static constexpr std::uint32_t kPage = 4096;
  static constexpr std::uint64_t kMostIds = 0x7FFFFFFF;  // Pane::kDead
  struct Text {
    std::uint32_t id;
    std::uint32_t size;
    std::size_t at;
  };

  std::uint32_t* slot(std::uint32_t id);
  std::string_view bytes(const Text& text) const {
    return std::string_view(bytes_).substr(text.at, text.size);
  }

  unsigned group_ = ~0u;
  bool waits_ = false;
  // By id: its place in texts_, after set() the id here. Ids may be few and large.
  std::vector<std::unique_ptr<std::uint32_t[]>> pages_;
  std::vector<Text> texts_;
  std::string bytes_;
};

}  // namespace streamd::window
