// SPDX-License-Identifier: Apache-2.0
// StateDir: the folder of one pipeline under --state-dir, held by an exclusive lock while the
// process runs.
//
//   <state-dir>/<pipeline>/LOCK            locked with flock; holds the owner's process id
//                         /EPOCH           number of the last committed epoch, twice
//                         /db/             RocksDB (epoch_store.h)
//                         /dead_letters/   dead letters when the pipeline names no sink for them
//   <state-dir>/<pipeline>.archived-<UTC time>   what --fresh put aside
#pragma once

#include "engine/api/source.h"
#include "engine/core/clock.h"
#include "engine/core/error.h"

#include <optional>
#include <string>

namespace streamd {

class StateDir {
 public:
  // Creates the folder when it is missing. `fresh`: archives what is there first. Errors name the
  // folder and what to do: locked by process N, not writable, no space.
  static Result<StateDir> open(const std::string& root, const std::string& pipeline, bool fresh,
                               const Clock& clock);
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  ~StateDir();

  const std::string& path() const { return path_; }
  std::string db() const { return path_ + "/db"; }
  const std::string& archived_to() const { return archived_to_; }  // empty: nothing was archived

  // A second witness of what was committed: damage that hides the end of RocksDB's log looks to it
  // like a crash in the middle of a write. Noted after each commit, not synced: after a power cut
  // it may be behind, never ahead. nullopt: none, or itself damaged.
  std::optional<Epoch> noted_epoch() const;
  void note_epoch(Epoch epoch);

 private:
  StateDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  std::string archived_to_;
  int lock_ = -1;
  int note_ = -1;
};

}  // namespace streamd
