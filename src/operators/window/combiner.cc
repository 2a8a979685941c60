// SPDX-License-Identifier: Apache-2.0
#include "operators/window/combiner.h"

#include <algorithm>
#include <utility>

namespace streamd::window {

Sums::~Sums() {
  const std::size_t stride = aggregates->words();
  for (std::size_t at = 0; at < words.size(); at += stride) aggregates->free_part(&words[at]);
}

Combiner::Combiner(const Rules& rules, std::shared_ptr<const Aggregates> aggregates,
                   unsigned workers)
    : rules_(rules),
      aggregates_(std::move(aggregates)),
      stride_(rules.aggregates.words()),
      open_(workers) {
  keys_.emplace();
}

bool Combiner::suits(const Rules& rules) {
  if (rules.assigner.is_session() || rules.emit != Emit::close) return false;
  const auto& computes = rules.aggregates.computes();
  return std::all_of(computes.begin(), computes.end(), [](const Compute& compute) {
    switch (compute.function) {
      case Function::count:
      case Function::sum:
      case Function::avg:
      case Function::min:
      case Function::max:
      case Function::rate:
      case Function::share: return true;
      default: return false;
    }
  });
}

// What every record costs on the worker that reads it.
[[gnu::always_inline]] inline void Combiner::add(const Arrival& arrival) {
  std::uint32_t id = keys_->find(arrival.key, KeyTable::Sought{arrival.hash});
  if (id == KeyTable::kNone) [[unlikely]] {
    id = keys_->insert(arrival.key, arrival.hash);
    if (id >= hashes_.size()) {
      hashes_.resize(std::size_t{id} + 1);
      cells_.resize(hashes_.size() * 2);
      words_.resize(cells_.size() * stride_);
    }
    hashes_[id] = arrival.hash;
  }
  std::size_t at = std::size_t{id} * 2;
  if (!holds(cells_[at], arrival.time))
    at = holds(cells_[at + 1], arrival.time) ? at + 1 : new_cell(id, arrival.time);
  ++cells_[at].records;
  ++records_;
  if (stride_ != 0)
    rules_.aggregates.add(&words_[at * stride_], arrival.inputs, arrival.time, arrival.number);
}

void Combiner::add(std::span<const Arrival> block, std::int64_t closed,
                   std::vector<std::uint32_t>& left) {
  for (const Arrival& arrival : block)
    if (arrival.time >= std::max(arrival.floor, closed))
      add(arrival);
    else
      left.push_back(arrival.row);
}

std::size_t Combiner::new_cell(std::uint32_t id, std::int64_t time) {
  const std::size_t first = std::size_t{id} * 2;
  const bool both = cells_[first + 1].records != 0;
  std::size_t at = first;
  if (cells_[first].records == 0)
    touched_.push_back(id);
  else if (!both || cells_[first + 1].start < cells_[first].start)
    at = first + 1;
  if (cells_[at].records != 0) hand_over(at);
  cells_[at].start = rules_.assigner.pane_start(time);
  return at;
}

void Combiner::hand_over(std::size_t cell) {
  const auto id = static_cast<std::uint32_t>(cell / 2);
  auto& sums = open_[owner_of(key_group(hashes_[id]), static_cast<unsigned>(open_.size()))];
  if (!sums) sums = std::make_unique<Sums>(aggregates_);
  sums->keys += keys_->entry(id).bytes();
  sums->rows.push_back(
      {cells_[cell].start, hashes_[id], std::exchange(cells_[cell].records, 0), sums->keys.size()});
  const auto words = words_.begin() + static_cast<std::ptrdiff_t>(cell * stride_);
  const auto end = words + static_cast<std::ptrdiff_t>(stride_);
  sums->words.insert(sums->words.end(), words, end);
  std::fill(words, end, 0);
  ++rows_;
}

void Combiner::finish(Summaries& to) {
  for (const std::uint32_t id : touched_)
    for (const std::size_t cell : {std::size_t{id} * 2, std::size_t{id} * 2 + 1})
      if (cells_[cell].records != 0) hand_over(cell);
  touched_.clear();
  for (std::size_t worker = 0; worker < open_.size(); ++worker)
    to[worker] = std::move(open_[worker]);
  // A row costs about what some records do.
  trial_.ended(std::exchange(rows_, 0) * 4 <= std::exchange(records_, 0));
  if (keys_->size() <= kMostKeys) return;
  keys_.emplace();
  hashes_.clear();
  cells_.clear();
  words_.clear();
}

}  // namespace streamd::window
