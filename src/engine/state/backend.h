// SPDX-License-Identifier: Apache-2.0
// StateBackend: an ordered byte-string map with atomic, durable batches. RocksDB in production, a
// std::map in tests; both pass one contract suite.
#pragma once

#include "engine/core/error.h"
#include "engine/state/change_set.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// One thread at a time.
class StateBackend {
 public:
  virtual ~StateBackend() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  // Ascending over [from, to). Stops at the visitor's first error and returns it. Corrupted bytes
  // are an error, never skipped.
  using Visit = std::function<Status(std::string_view key, std::string_view value)>;
  virtual Status scan(std::string_view from, std::string_view to, const Visit& visit) = 0;
  // All or nothing, and on disk when it returns.
  virtual Status write(const ChangeSet& changes) = 0;
};

std::unique_ptr<StateBackend> make_memory_backend();
// Opens or creates the database in `dir`. Fails with a hint when it is locked, damaged, read-only
// or written by a newer version. The last write counts when all of it is there; who was told that
// it is durable has to notice when it is not (StateDir::noted_epoch).
Result<std::unique_ptr<StateBackend>> open_rocksdb_backend(const std::string& dir);

}  // namespace streamd
