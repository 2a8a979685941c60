// SPDX-License-Identifier: Apache-2.0
#include "operators/window/window_operator.h"

#include "engine/core/key.h"
#include "engine/expr/reject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace streamd::window {
namespace {

constexpr Value kMissing;

constexpr bool in_range(std::int64_t time) { return time >= -kTimeLimit && time <= kTimeLimit; }

std::shared_ptr<RecentColumns> columns_of(const OperatorContext& context) {
  const auto make = [&] { return std::make_shared<RecentColumns>(context.hash_seed); };
  if (context.shared == nullptr) return make();
  return context.shared->get_or_make<RecentColumns>(
      fmt::format("counted columns of worker {}", context.worker), make);
}

Rules share_of(Rules rules, const OperatorContext& context, const RecentColumns& recent) {
  rules.aggregates = rules.aggregates.with_values(recent.values());
  rules.max_keys = std::max<std::uint64_t>(
      1, Share{context.worker, std::max(1u, context.workers)}.part_of(rules.max_keys));
  return rules;
}

constexpr std::uint32_t kinds(std::initializer_list<Kind> all) {
  std::uint32_t bits = 0;
  for (const Kind kind : all) bits |= std::uint32_t{1} << static_cast<unsigned>(kind);
  return bits;
}

// The kinds that Aggregates::refuse() takes whatever the value is.
std::uint32_t taken_kinds(Function function) {
  constexpr std::uint32_t kNothing = kinds({Kind::missing, Kind::null});
  constexpr std::uint32_t kPlain = kinds({Kind::list}) - 1;
  switch (function) {
    case Function::count:
    case Function::share: return kNothing | kinds({Kind::boolean});
    case Function::sum:
    case Function::avg:
    case Function::quantile: return kNothing | kinds({Kind::int64, Kind::uint64});
    case Function::min:
    case Function::max: return kPlain & ~kinds({Kind::json, Kind::float64});
    default: return kPlain;
  }
}

// Those of which it takes every finite double too.
bool takes_numbers(Function function) {
  return function == Function::sum || function == Function::avg || function == Function::quantile ||
         function == Function::min || function == Function::max;
}

}  // namespace

WindowOperator::WindowOperator(std::shared_ptr<const Shared> shared, const OperatorContext& context)
    : shared_(std::move(shared)),
      recent_(columns_of(context)),
      rules_(share_of(shared_->rules, context, *recent_)),
      seed_(context.hash_seed) {
  auto origin = std::make_shared<const Origin>(Origin{context.node, ""});
  const Share share{context.worker, std::max(1u, context.workers)};
  if (rules_.assigner.is_session())
    sessions_.emplace(rules_, std::move(origin), seed_, share);
  else
    panes_.emplace(rules_, std::move(origin), seed_, share);
  filters_before_ = share.workers > 1 && shared_->intake.where.has_value();
  if (share.workers > 1 && Combiner::suits(rules_))
    combiner_.emplace(rules_,
                      std::shared_ptr<const Aggregates>(shared_, &shared_->rules.aggregates),
                      share.workers);
  if (share.workers > 1 && Relay::suits(rules_))
    relay_.emplace(shared_->intake.inputs.size(), share);
  evaluated_.resize(shared_->intake.inputs.size());
  columns_.resize(shared_->intake.inputs.size());
  by_.resize(shared_->intake.by.size());
  values_.resize(kBlock * columns_.size());
  for (const std::uint32_t input : rules_.aggregates.counted_inputs()) {
    const bool plain = shared_->intake.inputs[input].column.has_value();
    counted_.push_back(
        {input, plain ? nullptr : std::make_shared<ColumnNumbers>(recent_->values())});
  }
  numbers_.resize(kBlock * counted_.size());
}

Status WindowOperator::on_batch(const Batch& in, Emitter& out) {
  if (in.empty()) return {};
  arena_.clear();
  const Batch work = combines() ? in : admit(in, out);
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
  expr::reject_failed(in, failed_, out);
  const std::size_t dropped = in.size() - kept_.size() - failed_.size();
  if (dropped > 0) out.drop(DropReason::filtered, dropped);
  return kept_.size() == in.size() ? in : in.select(kept_);
}

void WindowOperator::evaluate_inputs(const Batch& in) {
  const auto& intake = shared_->intake;
  for (std::size_t c = 0; c < intake.inputs.size(); ++c) {
    columns_[c] = nullptr;
    if (intake.inputs[c].column) {
      columns_[c] = in.column(*intake.inputs[c].column)->data();
    } else if (intake.inputs[c].program) {
      intake.inputs[c].program->evaluate(in, arena_, evaluated_[c]);
      if (intake.inputs[c].inside)
        for (Value& value : evaluated_[c])
          if (value.is(Kind::error)) value = Value::missing();
      columns_[c] = evaluated_[c].data();
    }
  }
  for (std::size_t b = 0; b < intake.by.size(); ++b)
    by_[b] = intake.by[b] ? in.column(*intake.by[b])->data() : nullptr;
  for (Counted& counted : counted_)
    if (const auto& column = intake.inputs[counted.input].column)
      counted.numbers = recent_->of(in.column(*column));
    else
      counted.numbers->start(in.physical_rows());
  usable_ = all_usable(in);
}

void WindowOperator::look_up(std::span<Arrival> block) {
  const std::size_t width = counted_.size();
  if (width == 0) return;
  for (std::size_t c = 0; c < width; ++c) {
    const auto& [input, numbers] = counted_[c];
    if (columns_[input] != nullptr) numbers->look_up(block, columns_[input]);
    for (std::size_t k = 0; k < block.size(); ++k)
      numbers_[k * width + c] =
          columns_[input] == nullptr ? DistinctValues::kNone : numbers->data()[block[k].row];
  }
  for (std::size_t k = 0; k < block.size(); ++k) block[k].counted = &numbers_[k * width];
}

bool WindowOperator::all_usable(const Batch& in) const {
  const std::uint32_t* const selection = in.selection() ? in.selection()->data() : nullptr;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Value* const column = columns_[c];
    if (column == nullptr) continue;
    const auto value = [&](std::size_t i) -> const Value& {
      return column[selection ? selection[i] : i];
    };
    const Function function = shared_->intake.inputs[c].function;
    const bool of_numbers = takes_numbers(function);
    std::uint32_t met = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const bool finite =
          of_numbers && value(i).is(Kind::float64) && std::isfinite(value(i).as_double());
      met |= finite ? 0 : std::uint32_t{1} << static_cast<unsigned>(value(i).kind());
    }
    if ((met & ~taken_kinds(function)) == 0) continue;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (Aggregates::refuse(function, value(i)) != nullptr) return false;
  }
  return true;
}

bool WindowOperator::reject(const Batch& in, std::size_t i, Emitter& out) {
  const auto& intake = shared_->intake;
  const std::uint32_t row = in.physical(i);
  const std::int64_t time = in.rows().time[row].micros;
  if (!in_range(time)) {
    out.reject(in, i, {"bad-time", "the time is too far from 1970"});
    return true;
  }
  for (std::size_t b = 0; b < by_.size(); ++b)
    if (by_[b] == nullptr || by_[b][row].is(Kind::missing)) {
      out.reject(in, i,
                 {"missing-field", "the record has no field \"" + intake.by_names[b] + "\""});
      return true;
    }
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c] == nullptr) continue;
    const Value& value = columns_[c][row];
    if (value.is(Kind::error)) {
      out.reject(in, i, {"expression", value.text()});
      return true;
    }
    if (const char* expected = Aggregates::refuse(intake.inputs[c].function, value)) {
      out.reject(in, i,
                 {"type", "\"" + intake.inputs[c].name + "\" needs " + expected + ", not " +
                              std::string(kind_name(value.kind()))});
      return true;
    }
  }
  return false;
}

// The records at the beginning of a block that are as most are: one text is the key, and all of it
// can be used. Says where the first other one is.
std::size_t WindowOperator::prepare_texts(const Batch& in, std::size_t begin, std::size_t end) {
  const std::uint32_t* const selection = in.selection() ? in.selection()->data() : nullptr;
  const std::uint64_t* const hashes = in.key_hashes() ? in.key_hashes()->data() : nullptr;
  const Value* const keys = by_[0];
  const Value* const inputs = columns_.empty() ? nullptr : columns_[0];
  const EventTime* const times = in.rows().time.data();
  const EventTime* const floors = in.rows().floor.data();
  std::uint64_t number = arrivals_;
  Arrival* next = block_.data();
  for (; begin < end; ++begin) {
    const std::uint32_t row = selection ? selection[begin] : static_cast<std::uint32_t>(begin);
    const std::int64_t time = times[row].micros;
    const Value& key = keys[row];
    if (!key.is(Kind::string) || !in_range(time)) break;
    Arrival& arrival = *next++;
    arrival.time = time;
    arrival.floor = clamp_time(floors[row]);
    arrival.number = ++number;
    arrival.row = row;
    arrival.guess = KeyTable::kNone;
    arrival.key = {key.text(), true};
    arrival.hash = hash_of(key.text(), hashes, row);
    arrival.inputs = inputs == nullptr ? &kMissing : inputs + row;
  }
  arrivals_ = number;
  taken_ = static_cast<std::size_t>(next - block_.data());
  return begin;
}

void WindowOperator::prepare(const Batch& in, std::size_t begin, std::size_t end, Emitter& out) {
  keys_.clear();
  key_ends_.clear();
  taken_ = 0;
  Value* values = values_.data();
  const std::size_t inputs = columns_.size();
  const Value* const only = by_.size() == 1 ? by_[0] : nullptr;
  if (usable_ && only != nullptr && inputs <= 1) begin = prepare_texts(in, begin, end);
  const std::uint32_t* const selection = in.selection() ? in.selection()->data() : nullptr;
  const std::uint64_t* const hashes = in.key_hashes() ? in.key_hashes()->data() : nullptr;
  const EventTime* const times = in.rows().time.data();
  const EventTime* const floors = in.rows().floor.data();
  Arrival* next = block_.data() + taken_;
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint32_t row = selection ? selection[i] : static_cast<std::uint32_t>(i);
    const std::int64_t time = times[row].micros;
    const bool text = only != nullptr && only[row].is(Kind::string);
    const bool plain = usable_ && (text || by_.empty()) && in_range(time);
    if (!plain && reject(in, i, out)) continue;
    Arrival& arrival = *next++;
    arrival.time = time;
    arrival.floor = clamp_time(floors[row]);
    arrival.number = ++arrivals_;
    arrival.row = row;
    arrival.guess = KeyTable::kNone;
    arrival.key.text = text;
    if (text) {
      arrival.key.bytes = only[row].text();
      arrival.hash = hash_of(arrival.key.bytes, hashes, row);
    } else {
      for (const Value* column : by_) append_key(column[row], keys_);
      key_ends_.push_back(keys_.size());
    }
    if (inputs == 1) {
      arrival.inputs = columns_[0] == nullptr ? &kMissing : columns_[0] + row;
    } else {
      arrival.inputs = values;
      for (const Value* column : columns_) *values++ = column == nullptr ? kMissing : column[row];
    }
  }
  taken_ = static_cast<std::size_t>(next - block_.data());
  settle();
}

// Encoded keys stay where they are only when all of the block are there.
void WindowOperator::settle() {
  if (key_ends_.empty()) return;
  std::size_t at = 0;
  auto key_end = key_ends_.begin();
  for (std::size_t k = 0; k < taken_; ++k) {
    Arrival& arrival = block_[k];
    if (arrival.key.text) continue;
    arrival.key.bytes = std::string_view(keys_).substr(at, *key_end - at);
    arrival.hash = hash_key(arrival.key.bytes, seed_);
    at = *key_end++;
  }
}

template <class Windows>
void WindowOperator::take(Windows& windows, const Batch& in, Emitter& out) {
  std::uint64_t shed = 0;
  for (std::size_t begin = 0; begin < in.size(); begin += kBlock) {
    prepare(in, begin, std::min(in.size(), begin + kBlock), out);
    const std::span<Arrival> block(block_.data(), taken_);
    look_up(block);
    if (windows.accept(block, out) == 0) continue;
    for (const auto& arrival : block) {
      if (arrival.outcome == Outcome::shed) ++shed;
      if (arrival.outcome == Outcome::late)
        late_.emplace_back(
            arrival.row,
            saturating_sub(std::max(arrival.floor, windows.closed_for(key_group(arrival.hash))),
                           arrival.time));
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
  if (const auto at = shared_->intake.lateness)
    columns[*at] = std::move(lateness);
  else
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
