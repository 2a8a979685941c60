// SPDX-License-Identifier: Apache-2.0
// Exchange: which worker gets which records of a batch. Records of one key always meet on the
// worker that owns the key's group.
#pragma once

#include "engine/core/batch.h"

#include <cstdint>
#include <string>
#include <vector>

namespace streamd {

// Keeps its buffers between batches; one per worker.
class Exchange {
 public:
  explicit Exchange(unsigned workers) : rows_(workers) {}
  // Cuts the selected rows by the owner of their key. rows(w) holds worker w's physical rows.
  void cut(const Batch& batch, const std::vector<std::size_t>& key_columns, std::uint64_t seed);
  std::vector<std::uint32_t>& rows(unsigned worker) { return rows_[worker]; }

 private:
  std::vector<std::vector<std::uint32_t>> rows_;
  std::string key_;
};

}  // namespace streamd
