// SPDX-License-Identifier: Apache-2.0
// What workers see of a group: records, and where they stand.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/position.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace streamd::kafka {
namespace {

class LaneReader final : public Reader {
 public:
  LaneReader(std::shared_ptr<Group> group, unsigned worker)
      : group_(std::move(group)), lanes_(group_->lanes(worker)) {}

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override;
  void partitions(std::vector<PartitionState>& out) override;
  std::optional<Duration> confirmed_at(Duration /*pulled_at*/) const override {
    return confirmed_at_;
  }
  std::string partition_name(std::uint32_t partition) const override {
    const std::lock_guard lock(lanes_.mutex);
    return lanes_.names[partition];
  }

 private:
  Result<Pull> pull_records(const PullLimits& limits, RawBatch& out);
  void fetch(std::size_t at_most);
  void take(const rd_kafka_message_t& message);
  bool hand_out(const PullLimits& limits, RawBatch& out);
  void look_for_end();

  std::shared_ptr<Group> group_;
  WorkerLanes& lanes_;
  std::optional<Duration> confirmed_at_;  // of what partitions() said last
  std::size_t wanted_ = 0;                // of the fetch that is going on
};

Result<Pull> LaneReader::pull(const PullLimits& limits, RawBatch& out) {
  out.clear();
  const auto pulled = pull_records(limits, out);
  const std::lock_guard lock(lanes_.mutex);
  if (pulled) out.expired = std::exchange(lanes_.expired, 0);
  return pulled;
}

Result<Pull> LaneReader::pull_records(const PullLimits& limits, RawBatch& out) {
  if (group_->failed()) return tl::unexpected(group_->error());
  std::shared_ptr<rd_kafka_queue_t> queue;
  {
    std::unique_lock lock(lanes_.mutex);
    if (hand_out(limits, out)) return Pull::data;
    fetch(limits.max_records);
    if (hand_out(limits, out)) return Pull::data;
    look_for_end();
    queue = lanes_.queue;
    if (!queue && limits.max_wait.micros > 0)
      lanes_.assigned.wait_for(lock, std::chrono::microseconds(limits.max_wait.micros));
  }
  if (group_->bounded() && group_->finished()) return Pull::end;
  const int wait_ms = static_cast<int>(limits.max_wait.micros / 1000);
  if (!queue || wait_ms <= 0) return Pull::idle;

  rd_kafka_message_t* first = nullptr;
  if (rd_kafka_consume_batch_queue(queue.get(), wait_ms, &first, 1) < 1) return Pull::idle;
  const MessagePtr owned(first);
  const std::lock_guard lock(lanes_.mutex);
  // A rebalance may have happened meanwhile: then the message belongs to nobody here.
  if (queue != lanes_.queue) return Pull::idle;
  group_->sort_in(lanes_, *first);
  fetch(limits.max_records);
  return hand_out(limits, out) ? Pull::data : Pull::idle;
}

// Everything taken from the queue is attributed to its slot under the lock, so that a rebalance
// finds it either in the queue or in the slot. librdkafka calls back for a whole queue under one
// lock of its own, and what is left when we have enough goes back to the head of the queue.
void LaneReader::fetch(std::size_t at_most) {
  if (!lanes_.queue || lanes_.fetched.size() >= at_most) return;
  wanted_ = at_most;
  rd_kafka_consume_callback_queue(
      lanes_.queue.get(), 0,
      [](rd_kafka_message_t* message, void* self) {
        static_cast<LaneReader*>(self)->take(*message);
      },
      this);
}

void LaneReader::take(const rd_kafka_message_t& message) {
  group_->sort_in(lanes_, message);
  if (lanes_.fetched.size() < wanted_ && !lanes_.fetched.block_is_full()) return;
  lanes_.backlog = true;
  rd_kafka_yield(group_->client()->get());
}

bool LaneReader::hand_out(const PullLimits& limits, RawBatch& out) {
  if (lanes_.fetched.empty()) return false;
  Slot& slot = *lanes_.find(lanes_.fetched.next());
  lanes_.fetched.hand_out(limits.max_records, out);
  slot.waiting -= out.records.size();
  slot.lane.handed_out(static_cast<std::int64_t>(out.records.back().position), slot.waiting == 0);
  return true;
}

void LaneReader::look_for_end() {
  if (!group_->bounded() || !lanes_.queue) return;
  lanes_.done = std::all_of(lanes_.slots.begin(), lanes_.slots.end(),
                            [](const auto& slot) { return slot->lane.ended(); });
}

void LaneReader::partitions(std::vector<PartitionState>& out) {
  const bool healthy = group_->healthy();
  const std::lock_guard lock(lanes_.mutex);
  confirmed_at_ = lanes_.confirmed_at;
  if (group_->waits_for_others()) confirmed_at_.reset();
  for (const auto& slot : lanes_.slots) {
    PartitionState state;
    state.partition = slot->number;
    state.position = format_position(slot->lane.position());
    state.ended = slot->lane.ended();
    state.caught_up = healthy && !slot->stalled && (slot->lane.caught_up() || state.ended);
    out.push_back(std::move(state));
  }
  if (group_->now().micros >= group_->ghosts_until()) lanes_.expected.clear();
  for (const auto& [name, position] : lanes_.expected) {
    PartitionState state;
    state.partition = lanes_.number_of(name);
    state.position = position;
    out.push_back(std::move(state));
  }
}

constexpr std::size_t kFaultBytes = 64 * 1024;

RawRecord raw_record(const rd_kafka_message_t& message, std::size_t longest) {
  RawRecord record;
  record.position = static_cast<std::uint64_t>(message.offset);
  rd_kafka_timestamp_type_t kind;
  const std::int64_t millis = rd_kafka_message_timestamp(&message, &kind);
  if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && millis > 0) record.arrival = {millis * 1000};
  record.tombstone = message.payload == nullptr;
  if (record.tombstone) return record;
  record.data = {static_cast<const char*>(message.payload), message.len};
  if (message.len > longest) {
    record.fault = "too-long";
    record.data = record.data.substr(0, std::min(message.len, kFaultBytes));
  }
  return record;
}

}  // namespace

Result<std::unique_ptr<Reader>> Group::reader(unsigned worker) {
  return std::make_unique<LaneReader>(shared_from_this(), worker);
}

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

Slot* WorkerLanes::find(std::uint32_t number) {
  for (const auto& slot : slots)
    if (slot->number == number) return slot.get();
  return nullptr;
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

void Group::sort_in(WorkerLanes& to, const rd_kafka_message_t& message) {
  Slot* slot = to.find(message);
  if (slot == nullptr || slot->revoked) return;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    slot->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (slot->stalled || !slot->lane.offer(message.offset)) return;
    to.fetched.add(slot->number, raw_record(message, context_.max_record));
    ++slot->waiting;
    return;
  }
  const auto code = message.err;
  if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    slot->lane.reached(message.offset);
  } else if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    slot->stalled = true;
    const std::lock_guard lock(mutex_);
    resets_.push_back(slot->name);
  } else if (is_permanent(code)) {
    fail(to_error(code, fmt::format("reading {}", slot->name)));
  } else if (code != slot->last_error && !is_outage(code)) {
    const char* text = rd_kafka_message_errstr(&message);
    log(code == RD_KAFKA_RESP_ERR__BAD_MSG ? 2 : 1,
        fmt::format("{} at offset {}: {}", slot->name, message.offset, text ? text : ""));
    slot->last_error = code;
  }
}

bool Group::finished() {
  if (finished_) return true;
  if (!assigned_ || !rest_is_read_) return false;
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    if (!worker->done || !worker->queue) return false;
  }
  finished_ = true;
  return true;
}

}  // namespace streamd::kafka
