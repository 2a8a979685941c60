// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/exchange.h"

#include "engine/core/key.h"

#include <memory>

namespace streamd {

Exchange::Exchange(unsigned workers) : workers_(workers) {
  for (unsigned group = 0; group < kKeyGroups; ++group) owner_[group] = owner_of(group, workers);
}

bool Exchange::is_last(const Batch& batch) const {
  return batch.rows_ptr() == last_.rows_ptr() && batch.selection() == last_.selection() &&
         batch.columns() == last_.columns();
}

const std::vector<Batch>& Exchange::cut(const Batch& batch,
                                        const std::vector<std::size_t>& key_columns,
                                        std::uint64_t seed) {
  if (!is_last(batch)) {
    last_ = batch;
    cuts_.clear();
  }
  for (const Cut& cut : cuts_)
    if (cut.key_columns == key_columns) return cut.parts;
  auto hashes = std::make_shared<std::vector<std::uint64_t>>(batch.physical_rows());
  const Value* only = key_columns.size() == 1 ? batch.column(key_columns[0])->data() : nullptr;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::uint32_t row = batch.physical(i);
    if (only != nullptr && only[row].is(Kind::string)) {
      (*hashes)[row] = hash_text_key(only[row].text(), seed);
    } else {
      key_.clear();
      for (const auto c : key_columns) append_key(batch.at(c, i), key_);
      (*hashes)[row] = hash_key(key_, seed);
    }
  }
  cuts_.push_back({key_columns, part(batch, std::move(hashes))});
  return cuts_.back().parts;
}

const std::vector<Batch>& Exchange::cut(const Batch& batch, const OperatorPlan& keys,
                                        std::uint64_t seed) {
  auto hashes = std::make_shared<std::vector<std::uint64_t>>(batch.physical_rows());
  keys.hash_keys(batch, seed, *hashes);
  parts_ = part(batch, std::move(hashes));
  return parts_;
}

Exchange::Parts Exchange::part(const Batch& batch,
                               std::shared_ptr<const std::vector<std::uint64_t>> hashes) const {
  std::vector<std::vector<std::uint32_t>> rows(workers_);
  for (auto& r : rows) r.reserve(batch.size() / workers_ + batch.size() / 8 + 16);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::uint32_t row = batch.physical(i);
    rows[owner_[key_group((*hashes)[row])]].push_back(row);
  }
  const Batch with_hashes = batch.with_key_hashes(std::move(hashes));
  Parts parts;
  parts.reserve(workers_);
  for (auto& r : rows) parts.push_back(with_hashes.select(std::move(r)));
  return parts;
}

}  // namespace streamd
