// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/link_feed.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <poll.h>
#include <utility>

namespace streamd::kafka {
namespace {

constexpr std::int64_t kLatestMillis = std::numeric_limits<std::int64_t>::max() / 1000;

// The broker leads the partition no more, or not yet: another one is asked as soon as it is known.
bool has_moved(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE: return true;
    default: return false;
  }
}

}  // namespace

void LinkFeed::fill(std::size_t at_most) {
  if (assignment_ != lanes_.assignment) begin_assignment();
  for (auto& link : lanes_.links) lines_.push_back({std::move(link), false});
  lanes_.links.clear();
  if (lanes_.fetched.size() >= at_most) return;
  do {
    if (!walk() && !next_answer()) return;
  } while (lanes_.fetched.size() < at_most && !lanes_.fetched.block_is_full());
}

void LinkFeed::begin_assignment() {
  lines_.clear();
  parts_.clear();
  part_ = 0;
  walking_ = false;
  assignment_ = lanes_.assignment;
}

void LinkFeed::wait(Duration limit) {
  std::vector<pollfd> waiting;
  for (const auto& line : lines_)
    if (line.link->waiting())
      waiting.push_back({line.link->descriptor(),
                         static_cast<short>(line.link->sending() ? POLLIN | POLLOUT : POLLIN), 0});
  if (!waiting.empty()) {
    ::poll(waiting.data(), waiting.size(), static_cast<int>(limit.micros / 1000));
    return;
  }
  std::unique_lock lock(lanes_.mutex);
  if (lanes_.links.empty()) lanes_.assigned.wait_for(lock, std::chrono::microseconds(limit.micros));
}

bool LinkFeed::next_answer() {
  const Duration now = group_.now();
  for (std::size_t i = 0; i < lines_.size();) {
    Line& line = lines_[i];
    if (const auto served = line.link->serve(now); !served) {
      lose(i, served.error().message);
      continue;
    }
    ++i;
    if (line.asked && line.link->waiting()) continue;
    const bool answered = line.asked;
    if (answered && !note(line.link->answer())) {
      lose(i - 1, "a broker's answer is cut short");
      return false;
    }
    ask(line, now);
    if (!answered) continue;
    // The others' turn comes first next time.
    std::rotate(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(i), lines_.end());
    return true;
  }
  return false;
}

// What the answer has of each partition, and where the next one begins. False: it is cut short, and
// nothing of it counts.
bool LinkFeed::note(FetchAnswer answer) {
  parts_.clear();
  part_ = 0;
  FetchedPartition fetched;
  while (answer.next(fetched)) {
    Slot* slot = lanes_.find(fetched.topic, fetched.partition);
    if (slot == nullptr || slot->revoked) continue;
    const std::int64_t behind = RecordBatches::behind(fetched.batches, slot->fetch_at);
    parts_.push_back({slot, slot->fetch_at, behind, std::move(fetched)});
  }
  if (answer.cut()) {
    parts_.clear();
    return false;
  }
  for (const Part& part : parts_) {
    if (part.fetched.error == kNoError)
      part.slot->fetch_at = part.behind;
    else
      note_error(*part.slot, part.fetched.error);
  }
  return true;
}

void LinkFeed::note_error(Slot& slot, std::int16_t error) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  // A topic whose brokers compress it with zstd goes out to newer requests than ours only.
  if (code == RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE) {
    slot.stalled = true;
    return group_.leave_to_librdkafka(slot.name + " is compressed with zstd by its brokers");
  }
  if (!has_moved(code)) group_.sort_in(slot, code, rd_kafka_err2str(code));
  slot.leader = -1;
}

void LinkFeed::ask(Line& line, Duration now) {
  wishes_.clear();
  const auto& slots = lanes_.slots;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = *slots[(turn_ + i) % slots.size()];
    if (slot.leader == line.link->broker() && !slot.stalled && !slot.revoked &&
        slot.lane.wants(slot.fetch_at))
      wishes_.push_back({slot.topic, slot.partition, slot.fetch_at});
  }
  line.asked = !wishes_.empty();
  if (!line.asked) return;
  // A broker fills its answer in the order of the request.
  ++turn_;
  const std::string_view first = wishes_.front().topic;
  std::stable_sort(wishes_.begin(), wishes_.end(), [first](const auto& a, const auto& b) {
    return std::pair(a.topic != first, a.topic) < std::pair(b.topic != first, b.topic);
  });
  line.link->ask(group_.fetch_limits(), wishes_, now);
}

void LinkFeed::lose(std::size_t line, const std::string& why) {
  const std::int32_t broker = lines_[line].link->broker();
  for (auto& slot : lanes_.slots) {
    if (slot->leader != broker) continue;
    slot->leader = -1;
    slot->fetch_at = slot->lane.next();
  }
  std::erase(lanes_.linked, broker);
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line));
  group_.link_lost(why);
}

bool LinkFeed::walk() {
  BatchRecord record;
  for (;;) {
    if (!walking_ && !begin_part()) return false;
    Part& part = parts_[part_];
    switch (batches_.next(record)) {
      case RecordBatches::Step::record: keep(*part.slot, record, {}); return true;
      case RecordBatches::Step::damaged: keep(*part.slot, record, "damaged-batch"); return true;
      case RecordBatches::Step::unsupported:
        part.slot->stalled = true;
        group_.leave_to_librdkafka(part.slot->name + " has records of an older format");
        break;
      case RecordBatches::Step::end: part.slot->lane.walked(part.behind, part.fetched.end); break;
    }
    walking_ = false;
    ++part_;
  }
}

bool LinkFeed::begin_part() {
  for (; part_ < parts_.size(); ++part_) {
    Part& part = parts_[part_];
    if (part.fetched.error != kNoError) continue;
    batches_.begin(part.fetched.batches, part.from, std::move(part.fetched.aborted));
    return walking_ = true;
  }
  return false;
}

void LinkFeed::keep(Slot& slot, const BatchRecord& record, std::string_view fault) {
  if (slot.revoked || slot.stalled || !slot.lane.offer(record.offset)) return;
  slot.last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
  RawRecord raw;
  raw.data = record.value;
  raw.position = static_cast<std::uint64_t>(record.offset);
  if (record.millis > 0 && record.millis < kLatestMillis) raw.arrival = {record.millis * 1000};
  raw.tombstone = record.tombstone;
  raw.fault = fault;
  lanes_.keep(slot, raw, group_.max_record());
}

}  // namespace streamd::kafka
