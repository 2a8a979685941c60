// SPDX-License-Identifier: Apache-2.0
#include "operators/window/relay.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace streamd::window {
namespace {

// Kinds that point to nothing in their batch.
bool stands_alone(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::null:
    case Kind::boolean:
    case Kind::int64:
    case Kind::uint64:
    case Kind::float64:
    case Kind::timestamp:
    case Kind::duration: return true;
    default: return false;
  }
}

// Keys are short: a call of memcpy would cost more than the copy.
void copy_key(std::string_view from, char* to) {
  if (from.size() < 8 || from.size() > 16) {
    std::memcpy(to, from.data(), from.size());
    return;
  }
  std::uint64_t front = 0, back = 0;
  std::memcpy(&front, from.data(), 8);
  std::memcpy(&back, from.data() + from.size() - 8, 8);
  std::memcpy(to, &front, 8);
  std::memcpy(to + from.size() - 8, &back, 8);
}

}  // namespace

Relay::Relay(std::size_t inputs, Share share)
    : inputs_(inputs), share_(share), owned_(share.workers), open_(share.workers) {}

bool Relay::suits(const Rules& rules) {
  return !rules.assigner.is_session() && rules.aggregates.counted_inputs().empty();
}

bool Relay::stands_alone(const Arrival& arrival) const {
  for (std::size_t i = 0; i < inputs_; ++i)
    if (!window::stands_alone(arrival.inputs[i])) return false;
  return true;
}

// Owners come at random: they are told apart without a branch, then served one by one.
std::size_t Relay::take(std::span<Arrival> block, std::int64_t closed,
                        std::vector<std::uint32_t>& left) {
  for (auto& of : owned_) of.size = 0;
  for (std::size_t k = 0; k < block.size(); ++k) {
    const Arrival& arrival = block[k];
    if (arrival.time < std::max(arrival.floor, closed) || !stands_alone(arrival)) {
      left.push_back(arrival.row);
      ++left_;
      continue;
    }
    Owned& of = owned_[owner_of(key_group(arrival.hash), share_.workers)];
    of.which[of.size++] = static_cast<std::uint8_t>(k);
  }
  for (unsigned owner = 0; owner < share_.workers; ++owner) {
    const Owned& of = owned_[owner];
    if (owner != share_.worker && of.size > 0) append(block, {of.which.data(), of.size}, owner);
  }
  taken_ += block.size();
  const Owned& own = owned_[share_.worker];
  for (std::size_t k = 0; k < own.size; ++k) block[k] = block[own.which[k]];
  return own.size;
}

void Relay::append(std::span<const Arrival> block, std::span<const std::uint8_t> which,
                   unsigned owner) {
  Relayed& to = open(owner);
  std::size_t bytes = 0;
  for (const std::uint8_t k : which) bytes += block[k].key.bytes.size();
  std::size_t at = to.keys.size();
  to.keys.resize(at + bytes);
  for (const std::uint8_t k : which) {
    const Arrival& arrival = block[k];
    const std::string_view key = arrival.key.bytes;
    to.records.push_back(
        {arrival.time, arrival.hash, static_cast<std::uint32_t>(key.size()), arrival.key.text});
    copy_key(key, to.keys.data() + at);
    at += key.size();
    to.inputs.insert(to.inputs.end(), arrival.inputs, arrival.inputs + inputs_);
  }
}

Relayed& Relay::open(unsigned owner) {
  auto& relayed = open_[owner];
  if (!relayed) {
    relayed = std::make_unique<Relayed>();
    relayed->records.reserve(last_records_);
    relayed->keys.reserve(last_bytes_);
    relayed->inputs.reserve(last_records_ * inputs_);
  }
  return *relayed;
}

void Relay::hand_out(Summaries& to) {
  trial_.ended(std::exchange(left_, 0) * 2 <= std::exchange(taken_, 0));
  last_records_ = last_bytes_ = 0;
  for (std::size_t worker = 0; worker < open_.size(); ++worker) {
    if (!open_[worker]) continue;
    last_records_ = std::max(last_records_, open_[worker]->records.size());
    last_bytes_ = std::max(last_bytes_, open_[worker]->keys.size());
    to[worker] = std::move(open_[worker]);
  }
}

}  // namespace streamd::window
