// SPDX-License-Identifier: Apache-2.0
#include "operators/window/window_operator.h"

#include "engine/core/key.h"

#include <algorithm>
#include <cstring>

namespace streamd::window {
namespace {

Rules share_of(Rules rules, unsigned workers) {
  const std::uint64_t n = std::max(1u, workers);
  rules.max_keys = std::max<std::uint64_t>(1, rules.max_keys / n + (rules.max_keys % n ? 1 : 0));
  return rules;
}

// Every memory access of one record waits; those of many records overlap. What a block touches has
// to stay in the nearest cache until it is used.
constexpr std::size_t kBlock = 64;

}  // namespace

WindowOperator::WindowOperator(std::shared_ptr<const Shared> shared, const OperatorContext& context)
    : shared_(std::move(shared)),
      rules_(share_of(shared_->rules, context.workers)),
      seed_(context.hash_seed) {
  auto origin = std::make_shared<const Origin>(Origin{context.node, ""});
  const Share share{context.worker, std::max(1u, context.workers)};
  if (rules_.assigner.is_session())
    sessions_.emplace(rules_, std::move(origin), seed_, share);
  else
    panes_.emplace(rules_, std::move(origin), seed_, share);
  evaluated_.resize(shared_->intake.inputs.size());
  columns_.resize(shared_->intake.inputs.size());
}

Status WindowOperator::on_batch(const Batch& in, Emitter& out) {
  if (in.empty()) return {};
  arena_.clear();
  const Batch work = admit(in, out);
  if (work.empty()) return {};
  evaluate_inputs(work);
  late_.clear();
  if (panes_)
    take(*panes_, work, out);
  else
    take(*sessions_, work, out);
  if (!late_.empty()) emit_late(work, out);
  return {};
}

Batch WindowOperator::admit(const Batch& in, Emitter& out) {
  if (!shared_->intake.where) return in;
  shared_->intake.where->select(in, arena_, kept_, failed_);
  std::size_t i = 0;
  for (const auto& failure : failed_) {
    while (in.physical(i) != failure.row) ++i;
    out.reject(in, i, {"expression", failure.reason});
  }
  const std::size_t dropped = in.size() - kept_.size() - failed_.size();
  if (dropped > 0) out.drop(DropReason::filtered, dropped);
  return kept_.size() == in.size() ? in : in.select(kept_);
}

void WindowOperator::evaluate_inputs(const Batch& in) {
  const auto& inputs = shared_->intake.inputs;
  for (std::size_t c = 0; c < inputs.size(); ++c) {
    columns_[c] = nullptr;
    if (inputs[c].column) {
      columns_[c] = in.column(*inputs[c].column)->data();
    } else if (inputs[c].program) {
      inputs[c].program->evaluate(in, arena_, evaluated_[c]);
      columns_[c] = evaluated_[c].data();
    }
  }
}

void WindowOperator::append_key_of(const Value& value) {
  const auto reserve = [this](std::size_t bytes) {
    if (keys_.size() < keys_used_ + bytes) keys_.resize(2 * (keys_used_ + bytes));
    char* at = keys_.data() + keys_used_;
    keys_used_ += bytes;
    return at;
  };
  if (value.is(Kind::string)) {
    // The common case, written as append_key() does.
    const std::string_view text = value.text();
    const auto size = static_cast<std::uint32_t>(text.size());
    char* at = reserve(5 + text.size());
    at[0] = static_cast<char>(Kind::string);
    std::memcpy(at + 1, &size, 4);
    if (size > 0) std::memcpy(at + 5, text.data(), size);
    return;
  }
  scratch_.clear();
  append_key(value, scratch_);
  std::memcpy(reserve(scratch_.size()), scratch_.data(), scratch_.size());
}

bool WindowOperator::prepare(const Batch& in, std::size_t i, Emitter& out) {
  const auto& intake = shared_->intake;
  const std::uint32_t row = in.physical(i);
  const std::int64_t time = in.rows().time[row].micros;
  if (time < -kTimeLimit || time > kTimeLimit) {
    out.reject(in, i, {"bad-time", "the time is too far from 1970"});
    return false;
  }
  for (std::size_t b = 0; b < intake.by.size(); ++b)
    if (!intake.by[b] || in.at(*intake.by[b], i).is(Kind::missing)) {
      out.reject(in, i,
                 {"missing-field", "the record has no field \"" + intake.by_names[b] + "\""});
      return false;
    }
  for (std::size_t c = 0; c < intake.inputs.size(); ++c) {
    if (columns_[c] == nullptr) continue;
    const Value& value = columns_[c][row];
    if (value.is(Kind::error)) {
      out.reject(in, i, {"expression", value.text()});
      return false;
    }
    if (const char* expected = Aggregates::refuse(intake.inputs[c].function, value)) {
      out.reject(in, i,
                 {"type", "\"" + intake.inputs[c].name + "\" needs " + expected + ", not " +
                              std::string(kind_name(value.kind()))});
      return false;
    }
  }
  Candidate candidate{row, KeyTable::kNone, keys_used_, 0, 0};
  for (const auto& column : intake.by) append_key_of(in.at(*column, i));
  candidate.key_size = keys_used_ - candidate.key_at;
  candidates_.push_back(candidate);
  for (const Value* column : columns_)
    values_.push_back(column == nullptr ? Value::missing() : column[row]);
  return true;
}

template <class Windows>
void WindowOperator::take(Windows& windows, const Batch& in, Emitter& out) {
  const std::size_t inputs = columns_.size();
  const Rows& rows = in.rows();
  std::uint64_t shed = 0;
  for (std::size_t begin = 0; begin < in.size(); begin += kBlock) {
    candidates_.clear();
    values_.clear();
    keys_used_ = 0;
    const std::size_t end = std::min(in.size(), begin + kBlock);
    for (std::size_t i = begin; i < end; ++i) prepare(in, i, out);
    constexpr bool kPrefetches = std::is_same_v<Windows, PaneWindows>;
    for (auto& c : candidates_) {
      c.hash = hash_bytes({keys_.data() + c.key_at, c.key_size}, seed_);
      if constexpr (kPrefetches) windows.prefetch_slot(c.hash);
    }
    if constexpr (kPrefetches) {
      for (auto& c : candidates_) c.id = windows.guess(c.hash);
      for (const auto& c : candidates_)
        if (c.id != KeyTable::kNone) windows.prefetch_cell(c.id, rows.time[c.row].micros);
    }
    for (std::size_t k = 0; k < candidates_.size(); ++k) {
      const Candidate& c = candidates_[k];
      const std::int64_t time = rows.time[c.row].micros;
      const std::int64_t floor = clamp_time(rows.floor[c.row]);
      const Outcome outcome = windows.accept({time,
                                              floor,
                                              {keys_.data() + c.key_at, c.key_size},
                                              c.hash,
                                              inputs == 0 ? nullptr : values_.data() + k * inputs,
                                              ++arrivals_,
                                              c.id},
                                             out);
      if (outcome == Outcome::shed) ++shed;
      if (outcome == Outcome::late)
        late_.emplace_back(c.row, saturating_sub(std::max(floor, windows.watermark()), time));
    }
  }
  windows.flush(out);
  if (shed > 0) out.drop(DropReason::shed, shed);
}

void WindowOperator::emit_late(const Batch& in, Emitter& out) {
  auto lateness = std::make_shared<Column>(in.physical_rows());
  std::vector<std::uint32_t> rows;
  for (const auto& [row, micros] : late_) {
    constexpr std::int64_t most = INT64_MAX / 1000;
    (*lateness)[row] = Value::duration(std::min(micros, most) * 1000);
    rows.push_back(row);
  }
  std::vector<ColumnPtr> columns = in.columns();
  columns.push_back(std::move(lateness));
  out.emit(in.with_columns(std::move(columns)).select(std::move(rows)), Port::late);
}

Status WindowOperator::on_watermark(EventTime w, Emitter& out) {
  if (panes_)
    panes_->advance(clamp_time(w), out);
  else
    sessions_->advance(clamp_time(w), out);
  return {};
}

Status WindowOperator::checkpoint(StateWriter& state) {
  if (panes_)
    panes_->checkpoint(state);
  else
    sessions_->checkpoint(state);
  return {};
}

template <class Windows>
Status WindowOperator::restore_into(Windows& windows, StateReader& state) {
  STREAMD_TRY(state.scan([&](unsigned group, std::string_view sub_key, std::string_view value) {
    return windows.restore_row(group, sub_key, value);
  }));
  STREAMD_TRY(windows.restore_done());
  arrivals_ = windows.arrivals();
  return {};
}

Status WindowOperator::restore(StateReader& state) {
  return panes_ ? restore_into(*panes_, state) : restore_into(*sessions_, state);
}

std::size_t WindowOperator::live_keys() const {
  return panes_ ? panes_->live_keys() : sessions_->live_keys();
}

}  // namespace streamd::window
