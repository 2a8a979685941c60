// SPDX-License-Identifier: Apache-2.0
// RowLog: rows on disk that are read one after the other, where a later entry about a key
// supersedes the earlier ones. New entries go into new rows. When the log has grown to a multiple
// of the live keys, each checkpoint writes some of these again, and when it is through, what is
// older goes: no checkpoint has to write all keys. Its owner says what an entry is and writes it;
// live keys have dense ids. One thread.
#pragma once

#include "engine/api/state.h"
#include "operators/window/pane_rows.h"
#include "operators/window/share.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace streamd::window {

class RowLog {
 public:
  // version: the first byte of each row.
  RowLog(Share share, char version) : share_(share), version_(version) {}

  // A row under a group of this worker was there at the start, with so many entries.
  void restored(unsigned group, std::uint32_t number, std::uint64_t entries);

  // Where the next entry goes; one call for each.
  RowBytes& add();
  // Everything so far is void: erases all rows.
  void clear(StateWriter& state);
  // Before a checkpoint is written: whether live keys are to be written again from now on.
  void look_at_length(std::uint64_t live);
  // write(id) for at most `most` of the ids below `limit`, if live keys are being written again.
  template <class Write>
  void sweep(std::uint32_t limit, std::size_t most, Write&& write) {
    if (!sweeping_) return;
    for (; most > 0 && cursor_ < limit; --most, ++cursor_) write(cursor_);
  }
  // Hands over all entries.
  void checkpoint(std::uint32_t limit, StateWriter& state);

 private:
  struct Row {
    unsigned group;
    std::uint32_t number;
    std::uint64_t entries;
  };
  struct Ready {
    std::uint32_t number;
    RowBytes row;
  };

  void begin_row() { ready_.push_back({next_++, RowBytes(version_)}); }
  void erase_before(std::uint32_t number, StateWriter& state);

  const Share share_;
  const char version_;
  std::vector<Ready> ready_;   // for the next checkpoint
  std::vector<Row> rows_;      // on disk, ascending by number
  std::uint64_t entries_ = 0;  // in rows_ and ready_
  std::uint32_t next_ = 0;     // number of the next row
  // While live keys are written again: the next id, and the number of the first row that has some.
  bool sweeping_ = false;
  std::uint32_t cursor_ = 0;
  std::uint32_t since_ = 0;
};

}  // namespace streamd::window
