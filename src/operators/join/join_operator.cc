// SPDX-License-Identifier: Apache-2.0
#include "operators/join/join_operator.h"

#include "engine/codec/encode.h"
#include "engine/core/check.h"
#include "engine/core/key.h"

#include <algorithm>
#include <utility>

namespace streamd::join {
namespace {

constexpr std::size_t kRowsPerBatch = 4096;
constexpr std::uint64_t kAlone = 0xD6E8FEB86659FD93ull;  // in place of a partner's id

HeldRecords::Settings settings_of(const JoinShape& shape, unsigned workers) {
  HeldRecords::Settings settings;
  settings.names = shape.names;
  // What is decided at first + after needs its partners until then.
  const std::int64_t decided = shape.pairs == Pairs::newest ? shape.after : 0;
  settings.keep = {shape.after, saturating_add(shape.before, decided)};
  settings.max_keys = window::Share{0, workers}.part_of(shape.max_keys);
  settings.max_records = shape.max_records;
  return settings;
}

// As bytes of a row can hold it.
void append_value(const Value& value, std::string& to) {
  if (!value.is(Kind::list) && !value.is(Kind::map)) return append_key(value, to);
  std::string json;
  append_json(value, json);
  append_key(Value::json(json), to);
}

}  // namespace

Side side_of(const JoinShape& shape, const Batch& batch) {
  return batch.at(shape.side_column, 0).as_int() == 0 ? kFirst : kSecond;
}

JoinOperator::JoinOperator(const JoinShape& shape, const OperatorContext& context)
    : shape_(shape),
      seed_(context.hash_seed),
      origin_(std::make_shared<const Origin>(Origin{context.node, ""})),
      readers_{KeyReader(shape.keys[0]), KeyReader(shape.keys[1])},
      held_({context.worker, context.workers}, context.hash_seed,
            settings_of(shape, context.workers)) {}

Status JoinOperator::on_batch(const Batch& in, Emitter& out) {
  if (in.empty()) return {};
  const Side side = side_of(shape_, in);
  source_ = hash_bytes(in.origin().partition, hash_bytes(in.origin().node, 0));
  readers_[side].start(in);
  std::size_t late = 0, shed = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in.time(i).micros < std::max(in.floor(i).micros, watermark_)) {
      ++late;
      continue;
    }
    const std::uint32_t row = in.physical(i);
    key_.clear();
    if (!readers_[side].append(row, key_)) {
      out.reject(in, i, readers_[side].fault());
      continue;
    }
    const std::uint64_t hash = key_hash(in, row, key_, seed_);
    HeldRecords::Entry* const entry = held_.at(key_, hash);
    if (entry == nullptr || held_.is_full(*entry, side)) {
      ++shed;
      continue;
    }
    Held record = take(in, i, side);
    if (shape_.pairs == Pairs::each) pair(*entry, side, record, out);
    held_.add(*entry, side, std::move(record));
  }
  if (late > 0) out.drop(DropReason::late, late);
  if (shed > 0) out.drop(DropReason::shed, shed);
  flush(out);
  return {};
}

Held JoinOperator::take(const Batch& in, std::size_t i, Side side) {
  Held record;
  record.time = in.time(i).micros;
  record.id = mix64(source_ ^ in.position(i), 0x9E3779B97F4A7C15ull);
  for (const auto& column : shape_.columns[side])
    append_value(column ? in.at(*column, i) : Value::missing(), record.values);
  if (side == kFirst && shape_.keeps_raw) record.raw = in.raw(i);
  return record;
}

bool JoinOperator::belongs(const Held& first, const Held& second) const {
  return second.time >= saturating_sub(first.time, shape_.before) &&
         second.time <= saturating_add(first.time, shape_.after);
}

void JoinOperator::pair(HeldRecords::Entry& entry, Side side, Held& record, Emitter& out) {
  bool changed = false;
  for (Held& partner : entry.second.sides[other(side)]) {
    Held& first = side == kFirst ? record : partner;
    const Held& second = side == kFirst ? partner : record;
    if (!belongs(first, second)) continue;
    give(first, &second, std::max(first.time, second.time), out);
    if (!std::exchange(first.matched, true)) first.changed = changed = true;
  }
  if (changed) held_.note(entry);
}

Status JoinOperator::on_watermark(EventTime w, Emitter& out) {
  while (HeldRecords::Entry* const entry = held_.first_due(w.micros)) settle(*entry, out);
  watermark_ = w.micros;
  flush(out);
  return {};
}

// Of those records of the first side that nobody can join any more.
void JoinOperator::settle(HeldRecords::Entry& entry, Emitter& out) {
  const auto& [firsts, seconds] = entry.second.sides;
  for (const Held& first : firsts) {
    const std::int64_t end = saturating_add(first.time, shape_.after);
    if (end > entry.second.due) break;
    const Held* newest = nullptr;
    if (shape_.pairs == Pairs::newest)
      for (const Held& second : seconds)
        if (belongs(first, second)) newest = &second;
    if (newest != nullptr || (!first.matched && shape_.unmatched == Unmatched::keep))
      give(first, newest, end, out);
  }
  held_.settle(entry);
}

void JoinOperator::start_results() {
  arena_ = std::make_shared<Arena>();
  rows_ = std::make_shared<Rows>();
  columns_.clear();
  for (std::size_t c = 0; c < shape_.columns[0].size() + shape_.columns[1].size(); ++c)
    columns_.push_back(std::make_shared<Column>());
}

void JoinOperator::give(const Held& first, const Held* second, std::int64_t time, Emitter& out) {
  if (!rows_) start_results();
  rows_->time.push_back({time});
  rows_->floor.push_back(EventTime::min());
  rows_->position.push_back(mix64(first.id, second != nullptr ? second->id : kAlone));
  if (shape_.keeps_raw) rows_->raw.push_back(arena_->copy(first.raw));
  std::size_t c = 0;
  const auto add = [&](const Held& held) {
    const auto values = decode_key(arena_->copy(held.values), *arena_);
    STREAMD_CHECK(values, "what is held was encoded here or checked at the start");
    for (const Value& value : *values) columns_[c++]->push_back(value);
  };
  add(first);
  if (second != nullptr) add(*second);
  for (; c < columns_.size(); ++c) columns_[c]->push_back(Value::missing());
  if (rows_->time.size() >= kRowsPerBatch) flush(out);
}

void JoinOperator::flush(Emitter& out) {
  if (!rows_) return;
  Batch batch(std::exchange(rows_, nullptr), {columns_.begin(), columns_.end()}, origin_);
  batch.keep(std::exchange(arena_, nullptr));
  columns_.clear();
  out.emit(batch);
}

Status JoinOperator::checkpoint(StateWriter& state) {
  held_.checkpoint(state);
  return {};
}

}  // namespace streamd::join
