// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane.h"

#include <algorithm>
#include <bit>

namespace streamd::window {
namespace {

std::size_t spread(std::uint32_t id) {
  return static_cast<std::size_t>((id * std::uint64_t{0x9E3779B97F4A7C15}) >> 32);
}

}  // namespace

Pane::~Pane() {
  if (aggregates_.words() == 0) return;
  for (std::uint32_t p = 0; p < size_; ++p) aggregates_.free_part(part(p));
}

std::uint32_t Pane::find(std::uint32_t id) {
  if (size_ == 0) return kNone;
  if (index_.empty()) rebuild_index();
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = spread(id) & mask; index_[at] != kNone; at = (at + 1) & mask)
    if (id_of(index_[at]) == id) return index_[at];
  return kNone;
}

void Pane::index_new(std::uint32_t position) {
  if (std::size_t{size_} * 2 > index_.size())
    rebuild_index();
  else
    index_cell(position);
}

void Pane::make_room() {
  constexpr std::uint32_t kBlock = 1u << kBlockBits;
  if (room_ >= kBlock) {
    blocks_.push_back(std::make_unique<std::uint64_t[]>(stride_ * kBlock));
    room_ += kBlock;
    return;
  }
  const std::uint32_t room = room_ == 0 ? 16 : room_ * 4;
  auto bigger = std::make_unique<std::uint64_t[]>(stride_ * room);
  if (room_ > 0) std::copy_n(blocks_[0].get(), stride_ * room_, bigger.get());
  blocks_.resize(1);
  blocks_[0] = std::move(bigger);
  room_ = room;
}

void Pane::kill(std::uint32_t position) {
  aggregates_.free_part(part(position));
  cell(position)[0] = kDead;
  high_.erase(position);
}

void Pane::set_count(std::uint32_t position, std::uint64_t count) {
  std::uint64_t& word = cell(position)[0];
  word = (word & 0xFFFFFFFFu) | (count << 32);
  if ((count >> 32) != 0)
    high_[position] = count >> 32;
  else if (!high_.empty())
    high_.erase(position);
}

// What is left is moved to the front: the queue stays as small as what waits in it.
void Pane::forget_taken() {
  changed_ = std::vector<std::uint32_t>(changed_.begin() + static_cast<std::ptrdiff_t>(taken_),
                                        changed_.end());
  taken_ = 0;
}

void Pane::change_all() {
  changed_.clear();
  taken_ = 0;
  for (std::uint32_t p = 0; p < size_; ++p) {
    if (id_of(p) == kDead) continue;
    cell(p)[0] |= kChanged;
    changed_.push_back(p);
  }
}

void Pane::index_cell(std::uint32_t position) {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = spread(id_of(position)) & mask;
  while (index_[at] != kNone) at = (at + 1) & mask;
  index_[at] = position;
}

void Pane::rebuild_index() {
  index_.assign(std::bit_ceil(std::size_t{size_} * 3 + 8), kNone);
  for (std::uint32_t p = 0; p < size_; ++p) index_cell(p);
}

}  // namespace streamd::window
