// SPDX-License-Identifier: Apache-2.0
// ListSlot: where a running pipeline finds the content of one declared list. The plan makes it,
// the runtime fills it and swaps the content; whoever looks things up holds on to the slot and
// takes a view once per batch. ListScope: the lists that a pipeline declares, by name; expressions
// and operators see it through the schema they are bound to.
#pragma once

#include "engine/core/clock.h"
#include "engine/core/value.h"
#include "engine/match/indicator.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

class IndicatorList;

// The content of a list as it is now, and the time by which its entries are alive.
struct ListView {
  std::shared_ptr<const IndicatorList> list;  // null: the list was never loaded
  EventTime now{};

  // The number of an entry (IndicatorList::Hit); 0: nothing. Texts, addresses, networks; whole
  // numbers by how they are written. Other kinds find nothing.
  std::uint32_t find(const Value& value) const;
};

// Any thread.
class ListSlot {
 public:
  ListSlot(std::string name, IndicatorFields fields) : name_(std::move(name)), fields_(fields) {}

  const std::string& name() const { return name_; }
  // What its entries may have.
  IndicatorFields fields() const { return fields_; }

  ListView take() const {
    const std::lock_guard lock(mutex_);
    return {list_, clock_ != nullptr ? clock_->wall() : EventTime::min()};
  }
  // The old content lives on as long as somebody has a view of it.
  void put(std::shared_ptr<const IndicatorList> list, const Clock* clock) {
    const std::lock_guard lock(mutex_);
    list_.swap(list);
    clock_ = clock;
  }

 private:
  const std::string name_;
  const IndicatorFields fields_;
  mutable std::mutex mutex_;
  std::shared_ptr<const IndicatorList> list_;
  const Clock* clock_ = nullptr;
};

class ListScope {
 public:
  void add(std::shared_ptr<const ListSlot> slot) { slots_.push_back(std::move(slot)); }
  // Null: no such list.
  std::shared_ptr<const ListSlot> find(std::string_view name) const {
    for (const auto& slot : slots_)
      if (slot->name() == name) return slot;
    return nullptr;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& slot : slots_) all.push_back(slot->name());
    return all;
  }

 private:
  std::vector<std::shared_ptr<const ListSlot>> slots_;
};

}  // namespace streamd
