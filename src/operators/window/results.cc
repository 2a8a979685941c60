// SPDX-License-Identifier: Apache-2.0
#include "operators/window/results.h"

#include "engine/core/check.h"
#include "engine/core/hash.h"
#include "engine/core/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::window {
namespace {

// Ids of results: the same on every machine and in every version, so never seeded.
std::uint64_t result_id(const Results::Row& row) {
  return mix64(hash_bytes(row.key, 0) ^ static_cast<std::uint64_t>(row.end),
               0x9E3779B97F4A7C15ull + row.edge);
}

}  // namespace

bool has_null(const Batch& batch, std::uint32_t row) {
  return std::any_of(batch.columns().begin(), batch.columns().end(),
                     [row](const ColumnPtr& column) { return (*column)[row].is(Kind::null); });
}

void fail_undecided(const Batch& batch, const std::vector<expr::Program::Failure>& failed,
                    Emitter& out) {
  for (const auto& failure : failed)
    if (!has_null(batch, failure.row)) out.fail(batch, failure.row, {"expression", failure.reason});
}

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
  const auto key = decode_key(arena_->copy(row.key), *arena_);
  STREAMD_CHECK(key && key->size() == rules_.by, "a key has as many values as there are fields");
  std::size_t c = 0;
  for (const Value& value : *key) columns_[c++]->push_back(value);
  const Aggregates& aggregates = rules_.aggregates;
  const std::int64_t span = row.end - row.start;
  bool failed = false;
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    const Value value = row.running
                            ? aggregates.running_result(i, row.words, row.count, span, *arena_)
                            : aggregates.part_result(i, row.words, row.count, span, *arena_);
    failed = failed || value.is(Kind::error);
    columns_[c++]->push_back(value);
  }
  if (failed) failed_.push_back(static_cast<std::uint32_t>(rows_->time.size() - 1));
  columns_[c++]->push_back(Value::timestamp({row.start}));
  columns_[c++]->push_back(Value::timestamp({row.end}));
}

Batch Results::take() {
  if (!rows_) start();
  std::vector<ColumnPtr> columns(columns_.begin(), columns_.end());
  Batch batch(std::exchange(rows_, nullptr), std::move(columns), origin_);
  batch.keep(std::exchange(arena_, nullptr));
  columns_.clear();
  failed_.clear();
  return batch;
}

void Results::flush(Emitter& out) {
  if (size() == 0) return;
  if (failed_.empty())
    out.emit(take());
  else
    emit_without_failed(out);
}

void Results::emit_without_failed(Emitter& out) {
  const std::vector<std::uint32_t> failed = failed_;
  const Batch batch = take();
  std::vector<std::uint32_t> good;
  auto next = failed.begin();
  for (std::uint32_t row = 0; row < batch.size(); ++row) {
    if (next == failed.end() || *next != row) {
      good.push_back(row);
      continue;
    }
    ++next;
    std::string reason;
    for (std::size_t c = 0; c < batch.column_count(); ++c)
      if (const Value& value = batch.at(c, row); value.is(Kind::error))
        reason += fmt::format("{}\"{}\" {}", reason.empty() ? "" : ", ", rules_.out.fields[c].name,
                              value.text());
    out.fail(batch, row, {"overflow", reason});
  }
  out.emit(batch.select(std::move(good)));
}

}  // namespace streamd::window
