// SPDX-License-Identifier: Apache-2.0
// What the windows of several workers send each other, and take over.
#include "operators/window/window_operator.h"

#include <algorithm>

namespace streamd::window {

// A record at or after `least` and its floor belongs to windows that nobody has closed. What is
// left has passed `where`, and comes to on_batch() of its owner.
Batch WindowOperator::combine(const Batch& in, EventTime least, Summaries* sums, Emitter& out) {
  arena_.clear();
  const Batch work = admit(in, out);
  if (work.empty() || sums == nullptr || !relay_) return work;
  const bool adds_up = combiner_ && combiner_->wants_batch();
  if (!adds_up && !relay_->wants_batch()) return work;
  evaluate_inputs(work);
  left_.clear();
  const std::int64_t closed = std::max(clamp_time(least), panes_->closed_before());
  if (adds_up)
    add_up(work, closed, *sums, out);
  else
    relay(work, closed, *sums, out);
  return work.select(left_);
}

void WindowOperator::add_up(const Batch& work, std::int64_t closed, Summaries& sums, Emitter& out) {
  for (std::size_t begin = 0; begin < work.size(); begin += kBlock) {
    prepare(work, begin, std::min(work.size(), begin + kBlock), out);
    combiner_->add({block_.data(), taken_}, closed, left_);
  }
  combiner_->finish(sums);
}

void WindowOperator::relay(const Batch& work, std::int64_t closed, Summaries& sums, Emitter& out) {
  for (std::size_t begin = 0; begin < work.size(); begin += kBlock) {
    prepare(work, begin, std::min(work.size(), begin + kBlock), out);
    const std::span<Arrival> block(block_.data(), taken_);
    accept_relayed(block.first(relay_->take(block, closed, left_)), out);
  }
  panes_->flush(out);
  relay_->hand_out(sums);
}

// The relay takes none that is late, so what is refused found no place.
void WindowOperator::accept_relayed(std::span<Arrival> block, Emitter& out) {
  if (const std::size_t shed = panes_->accept(block, out); shed > 0)
    out.drop(DropReason::shed, shed);
}

Status WindowOperator::on_summary(const Summary& summary, Emitter& out) {
  if (const auto* const relayed = dynamic_cast<const Relayed*>(&summary))
    take_relayed(*relayed, out);
  else
    take_sums(static_cast<const Sums&>(summary), out);
  panes_->flush(out);
  return {};
}

void WindowOperator::take_sums(const Sums& sums, Emitter& out) {
  const std::size_t stride = rules_.aggregates.words();
  std::size_t key = 0;
  for (std::size_t i = 0; i < sums.rows.size(); ++i) {
    const Sums::Row& row = sums.rows[i];
    const KeyRef ref{std::string_view(sums.keys).substr(key, row.key_end - key), false};
    key = row.key_end;
    const std::uint64_t* const part = stride == 0 ? nullptr : &sums.words[i * stride];
    if (!panes_->accept_sum({ref, row.hash, row.pane, row.records, part}, out))
      out.drop(DropReason::shed, row.records);
  }
}

void WindowOperator::take_relayed(const Relayed& relayed, Emitter& out) {
  const std::size_t inputs = columns_.size(), all = relayed.records.size();
  std::size_t key = 0;
  for (std::size_t begin = 0; begin < all; begin += kBlock) {
    taken_ = std::min(all - begin, kBlock);
    for (std::size_t k = 0; k < taken_; ++k) {
      const Relayed::Record& record = relayed.records[begin + k];
      Arrival& arrival = block_[k];
      arrival.time = record.time;
      arrival.floor = kNever;
      arrival.key = {std::string_view(relayed.keys).substr(key, record.key_size), record.text};
      arrival.hash = record.hash;
      arrival.inputs = relayed.inputs.data() + (begin + k) * inputs;
      arrival.number = ++arrivals_;
      arrival.guess = KeyTable::kNone;
      key += record.key_size;
    }
    accept_relayed({block_.data(), taken_}, out);
  }
}

}  // namespace streamd::window
