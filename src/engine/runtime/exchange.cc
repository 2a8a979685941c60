// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/exchange.h"

#include "engine/core/key.h"

namespace streamd {

void Exchange::cut(const Batch& batch, const std::vector<std::size_t>& key_columns,
                   std::uint64_t seed) {
  const auto workers = static_cast<unsigned>(rows_.size());
  for (auto& rows : rows_) rows.clear();
  const Value* only = key_columns.size() == 1 ? batch.column(key_columns[0])->data() : nullptr;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::uint32_t row = batch.physical(i);
    std::uint64_t hash = 0;
    if (only != nullptr && only[row].is(Kind::string)) {
      hash = hash_text_key(only[row].text(), seed);
    } else {
      key_.clear();
      for (const auto c : key_columns) append_key(batch.at(c, i), key_);
      hash = hash_key(key_, seed);
    }
    rows_[owner_of(key_group(hash), workers)].push_back(row);
  }
}

}  // namespace streamd
