// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/ingest.h"

#include "engine/core/check.h"

#include <fmt/format.h>

namespace streamd {
namespace {

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& f : schema.fields) names.push_back(f.name);
  return names;
}

const char* fault_text(std::string_view code) {
  if (code == "too-long") return "the record is longer than max_record";
  if (code == "truncated-gzip") return "the gzip file ends in the middle of a member";
  if (code == "bad-gzip") return "the gzip data is damaged";
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

std::optional<EventTime> Ingest::time_of(const RawRecord& record, const Value* field,
                                         EventTime latest, NodeCounters& counters, Fault& fault) {
  if (!time_format_) return record.arrival.micros != 0 ? record.arrival : clock_.wall();
  if (field->absent()) {
    reason_ = fmt::format("the time field \"{}\" is {}", source_.common.time->field,
                          kind_name(field->kind()));
    fault = {"no-time", reason_};
    return std::nullopt;
  }
  const auto time = time_format_->read(*field);
  if (!time) {
    reason_ = fmt::format("the time field \"{}\" is not a time of format {}",
                          source_.common.time->field, source_.common.time->format);
    fault = {"bad-time", reason_};
    return std::nullopt;
  }
  if (*time > latest) {
    NodeCounters::add(counters.clamped, 1);
    return latest;
  }
  return time;
}

Batch Ingest::decode(const RawBatch& raw, Lane& lane, NodeCounters& counters, DeadLetters& bad) {
  NodeCounters::add(counters.in, raw.records.size());
  const auto reject = [&](const RawRecord& record, const Fault& fault) {
    NodeCounters::add(counters.dead_letters, 1);
    bad.add(source_.name, fault, *lane.origin, record.position, EventTime::min(), record.data);
  };
  std::uint64_t bytes = 0;
  for (const auto& record : raw.records) {
    bytes += record.data.size();
    if (!record.fault.empty())
      reject(record, {record.fault, fault_text(record.fault)});
    else if (record.tombstone)
      reject(record, {"tombstone", "the record has no value"});
  }
  NodeCounters::add(counters.bytes, bytes);

  decoder_->decode(raw, decoded_);
  for (const auto& b : decoded_.bad) reject(raw.records[b.record], {b.code, b.reason});

  const std::size_t n = decoded_.records.size();
  auto rows = std::make_shared<Rows>();
  rows->time.resize(n);
  rows->floor.resize(n);
  rows->raw.resize(n);
  rows->position.resize(n);
  std::vector<std::uint32_t> good;  // filled from the first unusable record on
  bool all_good = true;
  const EventTime latest =
      source_.common.time ? clock_.wall() + source_.common.time->max_future : EventTime::max();
  const Duration delay = max_delay();
  const Value* times = time_format_ ? decoded_.columns[time_column_]->data() : nullptr;
  for (std::size_t i = 0; i < n; ++i) {
    const RawRecord& record = raw.records[decoded_.records[i]];
    Fault fault;
    const auto time = time_of(record, times ? times + i : nullptr, latest, counters, fault);
    if (!time) {
      reject(record, fault);
      if (all_good)
        for (std::size_t k = 0; k < i; ++k) good.push_back(static_cast<std::uint32_t>(k));
      all_good = false;
      continue;
    }
    rows->time[i] = *time;
    rows->floor[i] = lane.watermark(delay);
    rows->raw[i] = record.data;
    rows->position[i] = record.position;
    if (*time > lane.max_time) lane.max_time = *time;
    if (!all_good) good.push_back(static_cast<std::uint32_t>(i));
  }
  for (const auto& [row, text] : decoded_.repaired) rows->raw[row] = text;
  counters.newest.store(lane.max_time.micros, std::memory_order_relaxed);

  Batch batch(std::move(rows), {decoded_.columns.begin(), decoded_.columns.end()}, lane.origin);
  batch.keep(raw.buffer);
  batch.keep(decoded_.arena);
  if (!all_good) batch = batch.select(std::move(good));
  NodeCounters::add(counters.out, batch.size());
  return batch;
}

}  // namespace streamd
