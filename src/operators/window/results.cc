// SPDX-License-Identifier: Apache-2.0
#include "operators/window/results.h"

#include "engine/core/check.h"
#include "engine/core/hash.h"
#include "engine/core/key.h"

#include <utility>

namespace streamd::window {
namespace {

// Ids of results: the same on every machine and in every version, so never seeded.
std::uint64_t result_id(const Results::Row& row) {
  return mix64(hash_bytes(row.key, 0) ^ static_cast<std::uint64_t>(row.end),
               0x9E3779B97F4A7C15ull + row.edge);
}

}  // namespace

Results::Results(const Rules& rules, std::shared_ptr<const Origin> origin)
    : rules_(rules), origin_(std::move(origin)) {}

void Results::start() {
  arena_ = std::make_shared<Arena>();
  rows_ = std::make_shared<Rows>();
  columns_.clear();
  for (std::size_t c = 0; c < rules_.out.fields.size(); ++c)
    columns_.push_back(std::make_shared<Column>());
}

void Results::add(const Row& row) {
  if (!rows_) start();
  rows_->time.push_back({row.time});
  rows_->floor.push_back(EventTime::min());
  rows_->position.push_back(result_id(row));
  const auto key = decode_key(arena_->copy(row.key));
  STREAMD_CHECK(key && key->size() == rules_.by, "a key has as many values as there are fields");
  std::size_t c = 0;
  for (const Value& value : *key) columns_[c++]->push_back(value);
  const Aggregates& aggregates = rules_.aggregates;
  const std::int64_t span = row.end - row.start;
  for (std::size_t i = 0; i < aggregates.size(); ++i)
    columns_[c++]->push_back(row.running
                                 ? aggregates.running_result(i, row.words, row.count, span, *arena_)
                                 : aggregates.part_result(i, row.words, row.count, span, *arena_));
  columns_[c++]->push_back(Value::timestamp({row.start}));
  columns_[c++]->push_back(Value::timestamp({row.end}));
}

Batch Results::take() {
  if (!rows_) start();
  std::vector<ColumnPtr> columns(columns_.begin(), columns_.end());
  Batch batch(std::exchange(rows_, nullptr), std::move(columns), origin_);
  batch.keep(std::exchange(arena_, nullptr));
  columns_.clear();
  return batch;
}

void Results::flush(Emitter& out) {
  if (size() > 0) out.emit(take());
}

}  // namespace streamd::window
