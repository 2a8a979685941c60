// SPDX-License-Identifier: Apache-2.0
// Of OperatorRun: what the calls of the engine do. Included by operator_run.hpp.
#pragma once

#include "operator_run.hpp"

namespace sd::test {

inline std::string OperatorRun::key_of(const Input& record) {
  std::string key;
  Fields fields;
  for (const auto& name : by_) {
    const auto found = record.fields.find(name);
    const Field value = found == record.fields.end() ? Field(nullptr) : found->second;
    const std::string shown = value.show();
    // As in the engine: bytes that are no text.
    key += static_cast<char>(value.kind());
    key += static_cast<char>(shown.size());
    key += shown;
    fields[name] = value;
  }
  named_keys_[key] = fields;
  return key;
}

inline void OperatorRun::push(std::vector<Input> records) {
  const detail::LentBatch batch(records, config_, batches_++ % 2 == 1, records_);
  records_ += records.size();
  std::vector<std::string> keys;
  for (const Input& record : records) {
    seen_ = std::max(seen_, record.time.time_since_epoch().count());
    if (keyed()) keys.push_back(key_of(record));
    if (keyed()) keys_.saw(keys.back(), record.time.time_since_epoch().count());
  }
  if (keyed()) const_cast<detail::LentBatch&>(batch).set_keys(keys);
  batch_ = &batch;
  input_ = &records;
  answer_ = {};
  enter(detail::During::batch, "on_batch()", {}, [&] {
    const sd_code code = op_.on_batch(self_, batch.raw());
    collect(records);
    return code;
  });
  batch_ = nullptr;
  input_ = nullptr;
  call_memory_.end();
  state_memory_.end();
}

inline void OperatorRun::collect(const std::vector<Input>& records) {
  std::vector<std::uint32_t> gone = answer_.records;
  if (answer_.all)
    for (std::uint32_t i = 0; i < records.size(); ++i)
      if (!answer_.rejected.contains(i)) gone.push_back(i);
  for (const auto& [output, values] : answer_.columns)
    if (std::memcmp(values + batch_->entries(), "\xDD\xDD\xDD\xDD", 4) != 0)
      misuse("on_batch() wrote past the end of output " + outputs_[output]);
  for (const std::uint32_t record : gone) {
    Input out = records[record];
    if (answer_.rejected.contains(record)) misuse("a record was passed and rejected");
    for (const auto& [output, values] : answer_.columns) {
      const sd_value& value = values[batch_->entry(record)];
      if (sound(value, op_.outputs[output]->kind, "output " + outputs_[output]) &&
          value.kind != SD_MISSING)
        out.fields[outputs_[output]] = Field::copy(value);
    }
    passed.push_back(std::move(out));
  }
  for (auto& [record, letter] : answer_.rejected) rejected.push_back(std::move(letter));
  const std::size_t told = gone.size() + answer_.rejected.size() + answer_.dropped;
  if (told > records.size())
    misuse("on_batch() accounts for " + std::to_string(told) + " records of a batch of " +
           std::to_string(records.size()));
  else if (!results())
    dropped_[SD_DROP_FILTERED] += records.size() - told;
}

inline void OperatorRun::advance_to(std::int64_t time) {
  if (time < now_) throw std::invalid_argument("event time does not go back");
  now_ = time;
  for (int calls = 0; const auto due = keys_.take_due(time); ++calls) {
    if (calls == 1'000'000) throw Misuse("on_timer() sets timers that are due, without an end");
    if (op_.on_timer == nullptr) throw Misuse("a timer was set, but there is no on_timer()");
    Borrowed memory;
    const sd_view key = memory.text(due->key);
    enter(detail::During::timer, "on_timer()", {},
          [&] { return op_.on_timer(self_, key, due->timer, due->at); });
    call_memory_.end();
    state_memory_.end();
  }
  if (time != INT64_MAX) keys_.forget(time);
  if (op_.on_watermark != nullptr)
    enter(detail::During::watermark, "on_watermark()", {},
          [&] { return op_.on_watermark(self_, time); });
  call_memory_.end();
  state_memory_.end();
}

inline sd_value* OperatorRun::on_column(std::uint32_t output) {
  if (!in({detail::During::batch})) return misuse("column() outside of on_batch()"), nullptr;
  if (results()) return misuse("column() in an operator that makes records"), nullptr;
  if (output >= op_.output_count)
    return misuse("column() of output " + std::to_string(output) + ", which there is not"), nullptr;
  sd_value*& column = answer_.columns[output];
  if (column == nullptr) {
    // One more, to see who writes past the end.
    column = call_memory_.array<sd_value>(batch_->entries() + 1);
    std::fill_n(column, batch_->entries(), sd_value{});
  }
  return column;
}

inline sd_code OperatorRun::on_pass(const std::uint32_t* records, std::size_t count) {
  if (!in({detail::During::batch})) return misuse("pass() outside of on_batch()");
  if (results()) return misuse("pass() in an operator that makes records: emit() them");
  if (answer_.passed) return misuse("pass() twice for one batch");
  answer_.passed = true;
  answer_.all = records == nullptr;
  for (std::size_t i = 0; records != nullptr && i < count; ++i) {
    if (records[i] >= batch_->rows()) return misuse("pass() of a record that there is not");
    if (i > 0 && records[i] <= records[i - 1])
      return misuse("pass() wants record numbers that ascend");
    answer_.records.push_back(records[i]);
  }
  return SD_OK;
}

inline sd_code OperatorRun::on_drop(std::uint32_t reason, std::size_t count) {
  if (!in({detail::During::batch})) return misuse("drop() outside of on_batch()");
  if (reason > SD_DROP_EXPIRED) return misuse("drop() for no known reason");
  answer_.dropped += count;
  dropped_[reason] += count;
  return SD_OK;
}

inline sd_code OperatorRun::on_reject(std::size_t record, sd_view code, sd_view reason) {
  if (!in({detail::During::batch})) return misuse("reject() outside of on_batch()");
  if (record >= batch_->rows()) return misuse("reject() of a record that there is not");
  const bool first =
      answer_.rejected
          .try_emplace(record, Rejected{(*input_)[record].fields, std::string(sd::text(code)),
                                        std::string(sd::text(reason))})
          .second;
  return first ? SD_OK : misuse("reject() twice for one record");
}

inline sd_code OperatorRun::on_emit(const sd_row* rows, std::size_t count) {
  if (!running()) return misuse("emit() outside of a call that has records or times");
  if (!results()) return misuse("emit() in an operator that adds fields: pass() the records");
  for (std::size_t i = 0; i < count; ++i) {
    Made one{Time(Duration(rows[i].time)), rows[i].id, {}};
    if (keyed()) {
      const auto named = named_keys_.find(std::string(sd::text(rows[i].key)));
      if (named == named_keys_.end())
        return misuse("emit() in a keyed operator needs the key of the record");
      one.fields = named->second;
    }
    for (std::uint32_t o = 0; o < op_.output_count; ++o) {
      const sd_value& value = rows[i].values[o];
      if (!sound(value, op_.outputs[o]->kind, "output " + outputs_[o])) return SD_MISUSED;
      if (value.kind != SD_MISSING) one.fields[outputs_[o]] = Field::copy(value);
    }
    made.push_back(std::move(one));
  }
  return SD_OK;
}

inline bool OperatorRun::may_use(std::string_view key, const char* what) {
  if (!keyed()) return misuse(std::string(what) + " in an operator without keys"), false;
  if (!running()) return misuse(std::string(what) + " outside of on_batch() and timers"), false;
  if (!named_keys_.contains(std::string(key)))
    return misuse(std::string(what) + " of a key that no record had"), false;
  state_memory_.end();  // what state_get() gave is no longer valid
  return true;
}

inline sd_code OperatorRun::on_state_get(std::string_view key, sd_view* value) {
  const std::string name(key);
  if (!may_use(name, "state_get()")) return SD_MISUSED;
  const Key* held = keys_.find(name);
  if (held == nullptr || !held->state) return SD_NOTHING;
  *value = state_memory_.text(*held->state);
  return SD_OK;
}

inline sd_code OperatorRun::on_state_put(std::string_view key, sd_view value) {
  const std::string name(key), bytes(sd::text(value));
  if (!may_use(name, "state_put()")) return SD_MISUSED;
  Key* held = keys_.hold(name, std::max(seen_, now_));
  if (held == nullptr) return SD_FULL;
  held->state = bytes;
  return SD_OK;
}

inline sd_code OperatorRun::on_state_erase(std::string_view key) {
  const std::string name(key);
  if (!may_use(name, "state_erase()")) return SD_MISUSED;
  keys_.erase(name);
  return SD_OK;
}

inline sd_code OperatorRun::on_timer_set(std::string_view key, std::uint32_t timer,
                                         std::int64_t at) {
  const std::string name(key);
  if (!may_use(name, "timer_set()")) return SD_MISUSED;
  Key* held = keys_.hold(name, std::max(seen_, now_));
  if (held == nullptr) return SD_FULL;
  held->timers[timer] = at;
  return SD_OK;
}

inline sd_code OperatorRun::on_timer_clear(std::string_view key, std::uint32_t timer) {
  const std::string name(key);
  if (!may_use(name, "timer_clear()")) return SD_MISUSED;
  keys_.clear_timer(name, timer);
  return SD_OK;
}

}  // namespace sd::test
