// SPDX-License-Identifier: Apache-2.0
// StateDir: the folder of one job under --state-dir, held by an exclusive lock while the process
// runs. A job is a pipeline, or several that share a source and so a checkpoint.
//
//   <state-dir>/<pipeline>/LOCK            locked with flock; holds the owner's process id
//                         /EPOCH           number of the last committed epoch, twice
//                         /db/             RocksDB (epoch_store.h)
//                         /dead_letters/   dead letters when the pipeline names no sink for them
//                         /PIPELINES       the names of those that are one job; not for one alone
//   <state-dir>/<pipeline>.archived-<UTC time>   what --fresh put aside
#pragma once

#include "engine/api/source.h"
#include "engine/core/clock.h"
#include "engine/core/error.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd {

class StateDir {
 public:
  // Creates the folder when it is missing. `members`: the pipelines that the job is made of; empty:
  // it is `pipeline`. Where another folder has state of one of them, since it ran alone or with
  // others, the job would begin anew in silence: that is an error. `fresh` archives what is there
  // first, such folders too. Errors name the folder and what to do: locked by process N, state
  // elsewhere, not writable, no space.
  static Result<StateDir> open(const std::string& root, const std::string& pipeline, bool fresh,
                               const Clock& clock, const std::vector<std::string>& members = {});
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  ~StateDir();

  const std::string& path() const { return path_; }
  std::string db() const { return path_ + "/db"; }
  const std::vector<std::string>& archived_to() const { return archived_to_; }

  // A second witness of what was committed: damage that hides the end of RocksDB's log looks to it
  // like a crash in the middle of a write. Noted after each commit, not synced: after a power cut
  // it may be behind, never ahead. nullopt: none, or itself damaged.
  std::optional<Epoch> noted_epoch() const;
  void note_epoch(Epoch epoch);

 private:
  StateDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  Status put_aside(const std::string& folder, const Clock& clock);

  std::string path_;
  std::vector<std::string> archived_to_;
  int lock_ = -1;
  int note_ = -1;
};

}  // namespace streamd
