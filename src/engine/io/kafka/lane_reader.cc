// SPDX-License-Identifier: Apache-2.0
// What workers see of a group: records, and where they stand.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/link_feed.h"
#include "engine/io/kafka/position.h"
#include "engine/io/kafka/queue_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::kafka {
namespace {

class LaneReader final : public Reader {
 public:
  LaneReader(std::shared_ptr<Group> group, unsigned worker)
      : group_(std::move(group)),
        lanes_(group_->lanes(worker)),
        link_feed_(*group_, lanes_),
        queue_feed_(*group_, lanes_) {}

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
  bool fill_and_hand_out(const PullLimits& limits, RawBatch& out);
  bool hand_out(const PullLimits& limits, RawBatch& out);
  void look_for_end();

  std::shared_ptr<Group> group_;
  WorkerLanes& lanes_;
  LinkFeed link_feed_;
  QueueFeed queue_feed_;
  Feed* feed_ = &link_feed_;              // of the assignment that was seen last
  std::optional<Duration> confirmed_at_;  // of what partitions() said last
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
  {
    const std::lock_guard lock(lanes_.mutex);
    if (fill_and_hand_out(limits, out)) return Pull::data;
    look_for_end();
  }
  if (group_->bounded() && group_->finished()) return Pull::end;
  if (limits.max_wait.micros < 1000) return Pull::idle;
  feed_->wait(limits.max_wait);
  const std::lock_guard lock(lanes_.mutex);
  return fill_and_hand_out(limits, out) ? Pull::data : Pull::idle;
}

bool LaneReader::fill_and_hand_out(const PullLimits& limits, RawBatch& out) {
  if (hand_out(limits, out)) return true;
  feed_ = lanes_.direct ? static_cast<Feed*>(&link_feed_) : &queue_feed_;
  feed_->fill(limits.max_records);
  return hand_out(limits, out);
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
  if (!group_->bounded() || lanes_.assignment == 0) return;
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

RawRecord raw_record(const rd_kafka_message_t& message) {
  RawRecord record;
  record.position = static_cast<std::uint64_t>(message.offset);
  rd_kafka_timestamp_type_t kind;
  const std::int64_t millis = rd_kafka_message_timestamp(&message, &kind);
  if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && millis > 0) record.arrival = {millis * 1000};
  record.tombstone = message.payload == nullptr;
  if (!record.tombstone) record.data = {static_cast<const char*>(message.payload), message.len};
  return record;
}

}  // namespace

Result<std::unique_ptr<Reader>> Group::reader(unsigned worker) {
  return std::make_unique<LaneReader>(shared_from_this(), worker);
}

void Group::sort_in(WorkerLanes& to, const rd_kafka_message_t& message) {
  Slot* slot = to.find(message);
  if (slot == nullptr || slot->revoked) return;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    slot->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (slot->stalled || !slot->lane.offer(message.offset)) return;
    return to.keep(*slot, raw_record(message), context_.max_record);
  }
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (!slot->stalled) slot->lane.reached(message.offset);
    return;
  }
  const char* text = rd_kafka_message_errstr(&message);
  sort_in(*slot, message.err, text ? text : "");
}

void Group::sort_in(Slot& slot, rd_kafka_resp_err_t code, const std::string& text) {
  if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    slot.stalled = true;
    const std::lock_guard lock(mutex_);
    resets_.push_back(slot.name);
  } else if (is_permanent(code)) {
    fail(to_error(code, fmt::format("reading {}", slot.name)));
  } else if (code != slot.last_error && !is_outage(code)) {
    log(code == RD_KAFKA_RESP_ERR__BAD_MSG ? 2 : 1,
        fmt::format("{} at offset {}: {}", slot.name, slot.lane.next(), text));
    slot.last_error = code;
  }
}

bool Group::finished() {
  if (finished_) return true;
  if (!assigned_ || !rest_is_read_) return false;
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    if (!worker->done || worker->assignment == 0) return false;
  }
  finished_ = true;
  return true;
}

}  // namespace streamd::kafka
