// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/worker_lanes.h"

#include <algorithm>

namespace streamd::kafka {
namespace {

constexpr std::size_t kFaultBytes = 64 * 1024;

}  // namespace

std::uint32_t WorkerLanes::number_of(const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    names.push_back(name);
    return static_cast<std::uint32_t>(names.size() - 1);
  }
  return static_cast<std::uint32_t>(found - names.begin());
}

Slot* WorkerLanes::find(const std::string& name) {
  for (const auto& slot : slots)
    if (slot->name == name) return slot.get();
  return nullptr;
}

Slot* WorkerLanes::find(std::string_view topic, std::int32_t partition) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = *slots[(asked_next + i) % slots.size()];
    if (slot.partition != partition || slot.topic != topic) continue;
    asked_next = (asked_next + i + 1) % slots.size();
    return &slot;
  }
  return nullptr;
}

Slot* WorkerLanes::find(std::uint32_t number) {
  for (const auto& slot : slots)
    if (slot->number == number) return slot.get();
  return nullptr;
}

void WorkerLanes::keep(Slot& slot, RawRecord record, std::size_t longest) {
  if (record.data.size() > longest && record.fault.empty()) record.fault = "too-long";
  if (!record.fault.empty()) record.data = record.data.substr(0, kFaultBytes);
  fetched.add(slot.number, record);
  ++slot.waiting;
}

void WorkerLanes::end_assignment() {
  forget_fetched();
  assignment = 0;
  links.clear();
  linked.clear();
  queue.reset();
  last = nullptr;
}

void WorkerLanes::forget_fetched() {
  fetched.clear();
  for (auto& slot : slots) {
    slot->waiting = 0;
    slot->lane.rewind();
  }
}

Slot* WorkerLanes::find(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return nullptr;
  const auto is = [&message](const Slot& slot) {
    return slot.partition == message.partition && slot.handle == message.rkt;
  };
  if (last && is(*last)) return last;
  for (const auto& slot : slots)
    if (is(*slot)) return last = slot.get();
  Slot* slot =
      find(streamd::kafka::partition_name(rd_kafka_topic_name(message.rkt), message.partition));
  if (slot) slot->handle = message.rkt;
  return slot;
}

}  // namespace streamd::kafka
