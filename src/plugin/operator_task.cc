// SPDX-License-Identifier: Apache-2.0
#include "plugin/operator_task.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace streamd::plugin {
namespace {

// Values of these kinds need no second look.
constexpr std::uint32_t kPlain = (1u << SD_MISSING) | (1u << SD_NULL) | (1u << SD_BOOL) |
                                 (1u << SD_INT) | (1u << SD_DOUBLE) | (1u << SD_TIMESTAMP) |
                                 (1u << SD_UINT) | (1u << SD_DURATION);

std::uint32_t bit_of(const Value& value) {
  const std::uint32_t kind = to_abi(&value)->kind;
  return 1u << (kind < 31 ? kind : 31);
}

// The kinds that there are among the records of a batch.
std::uint32_t kinds_of(const Value* values, const sd_batch& batch) {
  std::uint32_t kinds = 0;
  if (batch.index == nullptr)
    for (std::size_t r = 0; r < batch.rows; ++r) kinds |= bit_of(values[r]);
  else
    for (std::size_t r = 0; r < batch.rows; ++r) kinds |= bit_of(values[batch.index[r]]);
  return kinds;
}

}  // namespace

OperatorTask::OperatorTask(const OperatorShape& shape, const OperatorContext& context)
    : Task(around(*shape.settings, context, context.worker)),
      shape_(shape),
      stop_(context.stop),
      seed_(context.hash_seed),
      abi_(shape.columns),
      made_(shape.keyed() ? shape.keys.parts.size() : 0, shape.outputs.size(), context.node) {
  if (shape.keyed()) {
    keys_.emplace(shape.keys);
    const window::Share share{context.worker, context.workers};
    state_.emplace(share, context.hash_seed,
                   KeyStates<KeyMemory>::Limits{shape.keep.micros, share.part_of(shape.max_keys)});
  }
  const auto created = call("create", {}, [&] {
    return shape_.op->create(host_table(), static_cast<Task*>(this),
                             shape_.settings->options.values(), &self_);
  });
  if (Status status = judged(created); !status) not_created_ = std::move(status).error();
}

OperatorTask::~OperatorTask() {
  if (!not_created_) static_cast<void>(run("destroy", [&] { shape_.op->destroy(self_); }));
}

Status OperatorTask::judged(const Result<sd_code>& code) {
  if (code) return {};
  Error error = code.error();
  error.retry = Retry::never;
  error.kind = ErrorKind::plugin;
  return tl::unexpected(std::move(error));
}

Status OperatorTask::restore(StateReader& state) {
  if (not_created_) return tl::unexpected(*not_created_);
  return state_ ? state_->restore(state) : Status{};
}

Status OperatorTask::checkpoint(StateWriter& state) {
  if (state_) state_->checkpoint(state);
  return {};
}

Status OperatorTask::on_batch(const Batch& in, Emitter& out) {
  if (not_created_) return tl::unexpected(*not_created_);
  if (in.empty()) return {};
  start(in, out);
  if (batch_->rows == 0) return {};
  in_ = &in;
  const auto code = call("on_batch", {}, [&] { return shape_.op->on_batch(self_, batch_); });
  in_ = nullptr;
  STREAMD_TRY(judged(code));
  return finish(in, out);
}

void OperatorTask::start(const Batch& in, Emitter& out) {
  memory_.start();
  rejected_.clear();
  dropped_ = {};
  passed_ = 0;
  pass_called_ = false;
  columns_.clear();
  if (!shape_.makes_records())
    for (std::size_t o = 0; o < shape_.outputs.size(); ++o)
      columns_.emplace_back(in.physical_rows());
  if (state_) {
    read_keys(in, out);
    batch_ = &abi_.make(in, memory_.arena(), &entries_, &key_views_);
  } else {
    batch_ = &abi_.make(in, memory_.arena());
  }
  fates_.assign(batch_->rows, Fate::open);
}

// A key whose place in key_bytes_ is known before the bytes stop moving.
void OperatorTask::read_keys(const Batch& in, Emitter& out) {
  entries_.clear();
  numbers_.clear();
  key_bytes_.clear();
  key_views_.clear();
  keys_->start(in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::size_t begin = key_bytes_.size();
    if (!keys_->append(in.physical(i), key_bytes_)) {
      key_bytes_.resize(begin);
      out.reject(in, i, keys_->fault());
      continue;
    }
    entries_.push_back(in.physical(i));
    numbers_.push_back(i);
    key_views_.push_back({nullptr, key_bytes_.size() - begin});
  }
  const char* at = key_bytes_.data();
  for (sd_view& key : key_views_) {
    key.data = at;
    at += key.size;
  }
}

std::size_t OperatorTask::in_batch(std::size_t record) const {
  return state_ ? numbers_[record] : record;
}

std::uint32_t OperatorTask::entry_of(std::size_t record) const {
  return batch_->index != nullptr ? batch_->index[record] : static_cast<std::uint32_t>(record);
}

Status OperatorTask::finish(const Batch& in, Emitter& out) {
  if (!memory_.intact()) return broken("on_batch", "it wrote past the memory it had asked for");
  STREAMD_TRY(check_columns());
  const std::size_t dropped = std::accumulate(dropped_.begin(), dropped_.end(), std::size_t{0});
  if (dropped + passed_ + rejected_.size() > batch_->rows)
    return broken("on_batch", fmt::format("of {} records it passed {}, dropped {} and rejected {}",
                                          batch_->rows, passed_, dropped, rejected_.size()));
  if (state_)
    for (std::size_t r = 0; r < batch_->rows; ++r)
      state_->touch({key_views_[r].data, key_views_[r].size}, batch_->times[entry_of(r)]);
  tell_fates(in, out);
  if (!shape_.makes_records()) {
    if (const std::size_t rest = batch_->rows - dropped - passed_ - rejected_.size(); rest > 0)
      out.drop(DropReason::filtered, rest);
    hand_on(in, out);
  }
  made_.flush(out);
  return {};
}

// What passed must be right; a text that is not makes a dead letter of its record.
Status OperatorTask::check_columns() {
  for (std::size_t o = 0; o < columns_.size(); ++o) {
    if (!columns_[o].intact())
      return broken("on_batch", fmt::format("it wrote past its batch, in column \"{}\"",
                                            shape_.outputs[o].name));
    const Value* const values = columns_[o].data();
    if ((kinds_of(values, *batch_) & ~kPlain) == 0) continue;
    for (std::size_t r = 0; r < batch_->rows; ++r) {
      const Value& value = values[entry_of(r)];
      if ((bit_of(value) & kPlain) != 0 || fates_[r] != Fate::passed) continue;
      const std::string wrong = wrong_with(value);
      if (!wrong.empty())
        return broken("on_batch", fmt::format("field \"{}\" of record {}: {}",
                                              shape_.outputs[o].name, r, wrong));
    }
  }
  return {};
}

void OperatorTask::tell_fates(const Batch& in, Emitter& out) {
  for (std::size_t reason = 0; reason < dropped_.size(); ++reason)
    if (dropped_[reason] > 0) out.drop(static_cast<DropReason>(reason), dropped_[reason]);
  for (const Rejected& rejected : rejected_)
    out.reject(in, in_batch(rejected.record), {rejected.code, rejected.reason});
}

void OperatorTask::hand_on(const Batch& in, Emitter& out) {
  if (passed_ == 0) return;
  AddedColumns::Made made;
  for (GuardedColumn& column : columns_) made.push_back(column.give());
  Batch all = shape_.added.join(in, std::move(made));
  all.keep(memory_.give());
  if (passed_ == in.size()) return out.emit(all);
  std::vector<std::uint32_t> entries;
  for (std::size_t r = 0; r < batch_->rows; ++r)
    if (fates_[r] == Fate::passed) entries.push_back(entry_of(r));
  out.emit(all.select(std::move(entries)));
}

Status OperatorTask::on_watermark(EventTime w, Emitter& out) {
  if (not_created_) return tl::unexpected(*not_created_);
  memory_.start();
  STREAMD_TRY(fire(w.micros));
  if (shape_.op->on_watermark != nullptr)
    STREAMD_TRY(
        judged(call("on_watermark", {}, [&] { return shape_.op->on_watermark(self_, w.micros); })));
  if (!memory_.intact()) return broken("on_watermark", "it wrote past the memory it had asked for");
  if (state_) state_->advance(w);
  made_.flush(out);
  return {};
}

Status OperatorTask::fire(std::int64_t watermark) {
  if (!state_ || shape_.op->on_timer == nullptr) return {};
  while (auto due = state_->take_due(watermark)) {
    const auto code = call("on_timer", {}, [&] {
      return shape_.op->on_timer(self_, to_abi(std::string_view(due->key)), due->timer.number,
                                 due->timer.at);
    });
    STREAMD_TRY(judged(code));
  }
  return {};
}

// --- what the plugin asks for ------------------------------------------------------------------

void* OperatorTask::memory(std::size_t bytes) {
  char* const at = memory_.take(bytes);
  if (at == nullptr) misused(fmt::format("it asked for {} bytes at once", bytes));
  return at;
}

sd_value* OperatorTask::column(std::uint32_t output) {
  if (in_ == nullptr || shape_.makes_records()) return Task::column(output);
  if (output >= columns_.size()) {
    misused(fmt::format("it asked for column {} of {}", output, columns_.size()));
    return nullptr;
  }
  return reinterpret_cast<sd_value*>(columns_[output].data());
}

sd_code OperatorTask::pass(const std::uint32_t* records, std::size_t count) {
  if (in_ == nullptr || shape_.makes_records()) return Task::pass(records, count);
  if (std::exchange(pass_called_, true)) return misused("it called pass() twice");
  if (records == nullptr && rejected_.empty()) {
    fates_.assign(fates_.size(), Fate::passed);
    passed_ = fates_.size();
    return SD_OK;
  }
  if (records == nullptr) {
    for (Fate& fate : fates_)
      if (fate == Fate::open) {
        fate = Fate::passed;
        ++passed_;
      }
    return SD_OK;
  }
  std::size_t least = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (records[i] < least || records[i] >= fates_.size())
      return misused(fmt::format("it passed record {}, where a number from {} to {} belongs",
                                 records[i], least, fates_.size() - 1));
    least = std::size_t{records[i]} + 1;
    if (fates_[records[i]] == Fate::rejected)
      return misused(fmt::format("it passed record {}, which it had rejected", records[i]));
    fates_[records[i]] = Fate::passed;
  }
  passed_ = count;
  return SD_OK;
}

sd_code OperatorTask::drop(std::uint32_t reason, std::size_t count) {
  if (in_ == nullptr) return Task::drop(reason, count);
  if (reason >= dropped_.size()) return misused(fmt::format("there is no reason {}", reason));
  dropped_[reason] += count;
  return SD_OK;
}

sd_code OperatorTask::reject(std::size_t record, sd_view code, sd_view reason) {
  if (in_ == nullptr) return Task::reject(record, code, reason);
  if (record >= fates_.size() || fates_[record] != Fate::open)
    return misused(fmt::format("it rejected record {}, which is not there or not open", record));
  fates_[record] = Fate::rejected;
  rejected_.push_back({record, std::string(from_abi(code)), std::string(from_abi(reason))});
  return SD_OK;
}

sd_code OperatorTask::emit(const sd_row* rows, std::size_t count) {
  if (!shape_.makes_records()) return Task::emit(rows, count);
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t o = 0; o < shape_.outputs.size(); ++o) {
      const std::string wrong = wrong_with(from_abi(rows[r].values)[o]);
      if (!wrong.empty())
        return misused(
            fmt::format("field \"{}\" of a record it made: {}", shape_.outputs[o].name, wrong));
    }
    if (!made_.add(rows[r])) return misused("it made a record with a key that is none");
  }
  return SD_OK;
}

sd_code OperatorTask::state_get(sd_view key, sd_view* value) {
  if (!state_) return Task::state_get(key, value);
  const std::string* const bytes = state_->get(from_abi(key));
  if (bytes == nullptr) return SD_NOTHING;
  *value = to_abi(std::string_view(*bytes));
  return SD_OK;
}

sd_code OperatorTask::state_put(sd_view key, sd_view value) {
  if (!state_) return Task::state_put(key, value);
  return state_->put(from_abi(key), from_abi(value)) ? SD_OK : SD_FULL;
}

sd_code OperatorTask::state_erase(sd_view key) {
  if (!state_) return Task::state_erase(key);
  state_->erase(from_abi(key));
  return SD_OK;
}

sd_code OperatorTask::timer_set(sd_view key, std::uint32_t timer, std::int64_t at) {
  if (!state_) return Task::timer_set(key, timer, at);
  return state_->set_timer(from_abi(key), timer, at) ? SD_OK : SD_FULL;
}

sd_code OperatorTask::timer_clear(sd_view key, std::uint32_t timer) {
  if (!state_) return Task::timer_clear(key, timer);
  state_->clear_timer(from_abi(key), timer);
  return SD_OK;
}

}  // namespace streamd::plugin
