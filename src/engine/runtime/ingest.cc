// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/ingest.h"

#include "engine/core/check.h"

#include <fmt/format.h>

#include <utility>

namespace streamd {
namespace {

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& f : schema.fields) names.push_back(f.name);
  return names;
}

std::string_view fault_text(std::string_view code) {
  if (code == "too-long") return kLongerThanMaxRecord;
  if (code == "truncated-gzip") return "the gzip file ends in the middle of a member";
  if (code == "bad-gzip") return "the gzip data is damaged";
  if (code == "damaged-batch")
    return "Kafka's record batch is damaged: none of its records is read";
  return "the source could not read the record";
}

}  // namespace

Ingest::Ingest(const PlanNode& source, const Clock& clock)
    : source_(source),
      clock_(clock),
      decoder_(make_decoder(source.common.decode, names_of(source.ports.out))) {
  const auto& time = source.common.time;
  if (!time || time->field.empty()) return;
  auto format = TimeFormat::parse(time->format);
  const auto column = source.ports.out.find(time->field);
  STREAMD_CHECK(format && column, "the planner checks the time field and its format");
  time_format_ = std::move(*format);
  time_column_ = *column;
}

Duration Ingest::max_delay() const {
  return source_.common.time ? source_.common.time->max_delay : Duration{};
}
Duration Ingest::idle_after() const {
  return source_.common.time ? source_.common.time->idle_after : TimeConfig{}.idle_after;
}

Fault Ingest::time_fault(const Value& field) {
  const auto& time = *source_.common.time;
  if (field.absent()) {
    reason_ = fmt::format("the time field \"{}\" is {}", time.field, kind_name(field.kind()));
    return {"no-time", reason_};
  }
  reason_ =
      fmt::format("the time field \"{}\" is not a time of format {}", time.field, time.format);
  return {"bad-time", reason_};
}

void Ingest::reject(const RawRecord& record, const Fault& fault, Lane& lane, NodeCounters& counters,
                    DeadLetters& bad) {
  NodeCounters::add(counters.dead_letters, 1);
  bad.add(source_.name, fault, *lane.origin, record.position, EventTime::min(), record.data);
}

void Ingest::take_in(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad) {
  NodeCounters::add(counters.in, raw.records.size());
  std::uint64_t bytes = 0;
  for (const auto& record : raw.records) {
    bytes += record.data.size();
    if (!record.fault.empty()) {
      reject(record, {record.fault, fault_text(record.fault)}, lane, counters, bad);
    } else if (record.tombstone) {
      reject(record, {"tombstone", "the record has no value"}, lane, counters, bad);
    }
  }
  NodeCounters::add(counters.bytes, bytes);
}

template <class TimeOf>
void Ingest::fill(const RawBatch& raw, Rows& rows, Lane& lane, NodeCounters& counters,
                  DeadLetters& bad, TimeOf time_of) {
  const std::size_t n = decoded_.records.size();
  const EventTime wall = time_format_ ? clock_.wall() : EventTime::max();
  const EventTime latest = time_format_ ? wall + source_.common.time->max_future : wall;
  const Duration delay = max_delay();
  EventTime max_time = lane.max_time;
  EventTime floor = max_time - delay;
  std::uint64_t clamped = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const RawRecord& record = raw.records[decoded_.records[i]];
    const std::optional<EventTime> read = time_of(i, record);
    if (!read) [[unlikely]] {
      reject(record, time_fault((*decoded_.columns[time_column_])[i]), lane, counters, bad);
      for (std::size_t k = 0; all_good_ && k < i; ++k) {
        good_.push_back(static_cast<std::uint32_t>(k));
      }
      all_good_ = false;
      continue;
    }
    EventTime time = *read;
    EventTime seen = time;
    if (time > latest) [[unlikely]] {
      // What a wrong clock says is no evidence that the time has come: nobody else is late for it.
      time = latest;
      seen = wall;
      ++clamped;
    }
    rows.time[i] = time;
    rows.floor[i] = floor;
    rows.raw[i] = record.data;
    rows.position[i] = record.position;
    if (seen > max_time) {
      max_time = seen;
      floor = max_time - delay;
    }
    if (!all_good_) good_.push_back(static_cast<std::uint32_t>(i));
  }
  lane.max_time = max_time;
  if (clamped > 0) NodeCounters::add(counters.clamped, clamped);
}

Batch Ingest::decode(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad) {
  take_in(raw, lane, counters, bad);
  decoder_->decode(raw, decoded_);
  for (const auto& b : decoded_.bad) {
    reject(raw.records[b.record], {b.code, b.reason}, lane, counters, bad);
  }

  const std::size_t n = decoded_.records.size();
  auto rows = std::make_shared<Rows>();
  rows->time.resize(n);
  rows->floor.resize(n);
  rows->raw.resize(n);
  rows->position.resize(n);
  good_.clear();
  all_good_ = true;
  if (time_format_) {
    const TimeFormat& format = *time_format_;
    const Value* const fields = decoded_.columns[time_column_]->data();
    fill(raw, *rows, lane, counters, bad,
         [&](std::size_t i, const RawRecord&) { return format.read(fields[i]); });
  } else {
    fill(raw, *rows, lane, counters, bad, [&](std::size_t, const RawRecord& record) {
      return std::optional(record.arrival.micros != 0 ? record.arrival : clock_.wall());
    });
  }
  for (const auto& [row, text] : decoded_.repaired) rows->raw[row] = text;
  counters.newest.store(lane.max_time.micros, std::memory_order_relaxed);

  Batch batch(std::move(rows), {decoded_.columns.begin(), decoded_.columns.end()}, lane.origin);
  batch.keep(raw.buffer);
  batch.keep(decoded_.arena);
  if (!all_good_) batch = batch.select(std::exchange(good_, {}));
  NodeCounters::add(counters.out, batch.size());
  return batch;
}

}  // namespace streamd
