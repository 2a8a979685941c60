// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/exchange.h"

#include "engine/core/hash.h"
#include "engine/core/key.h"

namespace streamd {

void Exchange::cut(const Batch& batch, const std::vector<std::size_t>& key_columns,
                   std::uint64_t seed) {
  const auto workers = static_cast<unsigned>(rows_.size());
  for (auto& rows : rows_) rows.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    key_.clear();
    for (const auto c : key_columns) append_key(batch.at(c, i), key_);
    const unsigned group = key_group(hash_bytes(key_, seed));
    rows_[owner_of(group, workers)].push_back(batch.physical(i));
  }
}

}  // namespace streamd
