// SPDX-License-Identifier: Apache-2.0
#include "operators/window/pane_windows.h"

namespace streamd::window {
namespace {

// What is done at a time costs about as much as a batch of records.
constexpr std::uint32_t kSlice = 4096;
// A cell is encoded ahead when so many others have changed since it did: it may be a busy one.
constexpr std::size_t kBehind = 2048;
constexpr std::size_t kRowSlice = 2048;

}  // namespace

void PaneWindows::work_ahead() {
  take_out(kSlice);
  enter_ahead();
  if (!rows_ahead_ || left_unsaved_ || rows_anew_) return;
  key_rows_.work_ahead(keys_);
  for (Pane* const pane : {latest_, second_}) {
    const std::size_t behind = pane == latest_ ? kBehind : 0;
    if (pane != nullptr && pane->changed() > behind + kRowSlice && !is_due_anew(*pane))
      encode_changed(*pane, kRowSlice);
  }
}

// The panes that the next boundary closes, when hardly a record comes to them any more: each that
// does is added twice.
void PaneWindows::enter_ahead() {
  const std::int64_t every = rules_.assigner.every;
  if (rules_.emit != Emit::close || closed_ == kNever || watermark_ - closed_ < every - every / 4)
    return;
  for (auto at = panes_.lower_bound(closed_); at != panes_.end() && at->first - every < closed_;
       ++at)
    if (at->second.get() != latest_) enter(*at->second, kSlice);
}

void PaneWindows::enter(Pane& pane, std::uint32_t most) {
  pane.entered = pane.for_each(
      pane.entered, most, [this](std::uint32_t id) { fetch(id); },
      [this](std::uint32_t id, std::uint64_t count, const std::uint64_t* part) {
        Tally& tally = this->tally(id);
        tally.count += count;
        ++tally.cells;
        if (is_summed(tally)) rules_.aggregates.enter(running(id), part);
        if (is_news(tally)) touch(id, tally);
      });
}

void PaneWindows::take_out(std::uint32_t most) {
  while (!leaving_.empty() && most > 0) {
    Pane& pane = *leaving_.front();
    const std::uint32_t from = taken_out_;
    taken_out_ = pane.for_each(
        from, most, [this](std::uint32_t id) { fetch(id); },
        [this](std::uint32_t id, std::uint64_t count, const std::uint64_t* part) {
          Tally& tally = this->tally(id);
          tally.count -= count;
          if (is_summed(tally)) rules_.aggregates.leave(running(id), part);
          if (--tally.cells == 0) {
            fetch_line(&keys_.entry(id));
            emptied_.push_back(id);
          } else if (is_news(tally)) {
            touch(id, tally);
          }
        });
    leave_emptied();
    most -= taken_out_ - from;
    if (taken_out_ < pane.size()) return;
    leaving_.pop_front();
    taken_out_ = 0;
    if (leaving_.empty() && !left_.empty()) remove_left();
  }
}

// Entries and slots of all of them are asked for before the first is needed.
void PaneWindows::leave_emptied() {
  for (const std::uint32_t id : emptied_) keys_.fetch_slot(id);
  for (const std::uint32_t id : emptied_) {
    if (is_gone(id))
      leave(id);
    else if (is_news(tally(id)))
      touch(id);
  }
  emptied_.clear();
}

void PaneWindows::settle() {
  while (!leaving_.empty()) take_out(kSlice);
}

// A key whose last cell was taken out may have got a new one since.
void PaneWindows::remove_left() {
  std::erase_if(passing_, [this](std::uint32_t id) { return is_gone(id); });
  for (const std::uint32_t id : left_) {
    if (is_gone(id))
      remove_key(id);
    else if (is_news(tally(id)))
      touch(id);
  }
  left_.clear();
}

// The key's last cell is gone.
void PaneWindows::leave(std::uint32_t id) {
  if (rules_.emit == Emit::changed || tally(id).has(kAlerted))
    touch(id);  // the next boundary removes it
  else if (tally(id).has(kListed))
    left_.push_back(id);
  else
    remove_key(id);
}

}  // namespace streamd::window
