// SPDX-License-Identifier: Apache-2.0
// SeenRows: what a dedupe node writes at a checkpoint and reads after a restart. Rows are only ever
// added, and erased by the slice once all their keys have expired. They lie under the first key
// group of the worker that wrote them and hold keys of all its groups, so that an epoch costs a
// row or two; after a restart every worker reads all rows and takes the keys of its own groups.
// One thread.
//
//   sub key   "e", end of the time slice (8 bytes in order), number (8 bytes in order)
//   value     version byte, varint n, then n times
//             fingerprint (16 bytes), key group (1 byte), varint slice end - time
#pragma once

#include "engine/api/state.h"
#include "operators/dedupe/fingerprint.h"
#include "operators/window/share.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace streamd::dedupe {

struct SeenKey {
  Fingerprint key;
  std::int64_t time = 0;  // microseconds
  std::uint8_t group = 0;
};

class SeenRows {
 public:
  SeenRows(window::Share share, std::int64_t within);

  using Take = std::function<void(const SeenKey&)>;
  // Hands over the keys of this worker's groups. An error names damage or an unknown version.
  Status restore(StateReader& state, const Take& take);
  // To be written at the next checkpoint. The newest time of a key wins.
  void add(const SeenKey& key) { added_.push_back(key); }
  void checkpoint(std::int64_t watermark, StateWriter& state);

 private:
  Status take_row(std::string_view sub_key, std::string_view value, const Take& take);
  void write(std::int64_t slice_end, const std::string& keys, std::size_t count,
             StateWriter& state);
  std::int64_t slice_end(std::int64_t time) const;

  const window::Share share_;
  const std::int64_t within_;
  const std::int64_t slice_;  // an eighth of `within`
  std::vector<SeenKey> added_;
  std::set<unsigned> homes_;  // groups of this worker with rows
  std::int64_t next_number_ = 0;
  std::int64_t erased_ = INT64_MIN;  // slices up to this end are gone
};

}  // namespace streamd::dedupe
