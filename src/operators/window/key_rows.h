// SPDX-License-Identifier: Apache-2.0
// KeyRows: the keys of one window node on disk. A key is written once, with its id in the KeyTable,
// and the rows of panes name it by that id: a cell that changes costs some bytes and no look at its
// key. The rows (`k`, pane_rows.h) are a log (row_log.h) of keys that came and ids that became
// free. One thread.
#pragma once

#include "engine/api/state.h"
#include "operators/window/key_table.h"
#include "operators/window/row_log.h"
#include "operators/window/share.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace streamd::window {

class KeyRows {
 public:
  explicit KeyRows(Share share) : log_(share, kRowVersion) {}

  // Of every key that is inserted into the table, and before one is removed.
  void made(std::uint32_t id) {
    if (id >= is_made_.size()) is_made_.resize(std::size_t{id} + 1);
    if (is_made_[id]) return;
    is_made_[id] = true;
    made_.push_back(id);
  }
  void leaves(std::uint32_t id, const Entry& entry) {
    if ((entry.flags & Entry::kStored) != 0) left_.push_back(id);
  }

  // Encodes some of what came and left, when it is much: the checkpoint has less to do then.
  void work_ahead(KeyTable& keys);
  // anew: all rows are replaced by what is in the table.
  void checkpoint(KeyTable& keys, bool anew, StateWriter& state);

  // A row under a group of this worker was there at the start, with so many entries.
  void restored(unsigned group, std::uint32_t number, std::uint64_t entries) {
    log_.restored(group, number, entries);
  }

 private:
  void forget(KeyTable& keys);
  void encode(KeyTable& keys, std::size_t most);
  void put_key(std::uint32_t id, Entry& entry);
  void put_left(std::uint32_t id);
  void sweep(KeyTable& keys, std::size_t most);

  // Since they were encoded last; `taken` of them are. Keys in made_ may have left again.
  std::vector<std::uint32_t> made_;
  std::vector<std::uint32_t> left_;  // those on disk only
  std::size_t taken_made_ = 0;
  std::size_t taken_left_ = 0;
  std::vector<bool> is_made_;  // by id: in made_, as ids are used again and again
  RowLog log_;
};

}  // namespace streamd::window
