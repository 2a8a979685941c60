// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/dead_letters.h"

#include "engine/codec/utf8.h"

#include <utility>

namespace streamd {

void DeadLetters::add(std::string_view node, const Fault& fault, const Origin& origin,
                      std::uint64_t position, EventTime time, std::string_view data) {
  const auto kept = arena_->copy(data);
  bytes_ += kept.size();
  rows_.push_back({arena_->copy(node), arena_->copy(fault.code), arena_->copy(fault.reason),
                   arena_->copy(origin.node), arena_->copy(origin.partition), kept, position, time,
                   fault.attempts, is_utf8(kept)});
}

Batch DeadLetters::take(const Schema& schema) {
  auto rows = std::make_shared<Rows>();
  for (const auto& r : rows_) {
    rows->time.push_back(r.time);
    rows->floor.push_back(EventTime::min());
    rows->position.push_back(r.position);
  }
  const auto value = [](const Row& r, const std::string& field) {
    if (field == "node") return Value::string(r.node);
    if (field == "code") return Value::string(r.code);
    if (field == "reason") return Value::string(r.reason);
    if (field == "source") return Value::string(r.source);
    if (field == "partition") return Value::string(r.partition);
    if (field == "position") return Value::uint64(r.position);
    if (field == "event_time" && r.time != EventTime::min()) return Value::timestamp(r.time);
    if (field == "attempts") return Value::int64(r.attempts);
    if (field == "encoding") return Value::string(r.text ? "utf8" : "base64");
    if (field == "data") return r.text ? Value::string(r.data) : Value::bytes(r.data);
    return Value::missing();
  };
  std::vector<ColumnPtr> columns;
  for (const auto& field : schema.fields) {
    auto column = std::make_shared<Column>();
    column->reserve(rows_.size());
    for (const auto& r : rows_) column->push_back(value(r, field.name));
    columns.push_back(std::move(column));
  }
  static const auto origin = std::make_shared<const Origin>(Origin{"dead_letters", ""});
  Batch batch(std::move(rows), std::move(columns), origin);
  batch.keep(std::exchange(arena_, std::make_shared<Arena>()));
  rows_.clear();
  bytes_ = 0;
  return batch;
}

}  // namespace streamd
