// SPDX-License-Identifier: Apache-2.0
// until_end: where the topics ended when the source was opened, and whether all of that is read. On
// the group's control thread.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/position.h"

namespace streamd::kafka {
namespace {

constexpr int kAskLimitMs = 5000;
constexpr Duration kLookAtOthers = Duration::from_millis(500);

}  // namespace

Result<PartitionList> Group::all_partitions() {
  auto list = new_list();
  for (const auto& topic : options_.topics) {
    const auto count = partition_count(client_->get(), topic, kProbeLimitMs);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) {
      missing(topic);
      return PartitionList();
    }
    for (int p = 0; p < *count; ++p) add(list, topic, p, RD_KAFKA_OFFSET_END);
  }
  return list;
}

bool Group::find_ends(const std::stop_token& stop) {
  while (!stop.stop_requested() && !failed_) {
    auto list = all_partitions();
    auto code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!list && list.error().retry == Retry::never) {
      fail(list.error());
    } else if (!list) {
      health_.suspect({});
    } else if (*list) {
      code = rd_kafka_offsets_for_times(client_->get(), list->get(), kAskLimitMs);
      bool known = code == RD_KAFKA_RESP_ERR_NO_ERROR;
      for (int i = 0; i < (*list)->cnt && known; ++i) {
        const auto& p = (*list)->elems[i];
        known = p.err == RD_KAFKA_RESP_ERR_NO_ERROR && p.offset >= 0;
        ends_[partition_name(p.topic, p.partition)] = p.offset;
      }
      if (known) return true;
      health_.suspect(describe(code));
    }
    // Serves error events; there can be no records before the subscription.
    poll(kPollMs);
    if (probe_due()) probe();
  }
  return false;
}

// Partitions that others have, or that a member has who died and is not missed yet. The process is
// needed until all of them are read: if not by them, it will get them.
void Group::look_at_others() {
  const Duration now = context_.clock->monotonic();
  if (now - others_seen_ < kLookAtOthers) return;
  others_seen_ = now;
  const auto rest = new_list();
  for (const auto& [name, end] : ends_) {
    const auto target = parse_partition_name(name);
    auto& worker = lanes_of(target->partition);
    const std::lock_guard lock(worker.mutex);
    if (worker.find(name) == nullptr)
      add(rest, target->topic, target->partition, RD_KAFKA_OFFSET_INVALID);
  }
  if (rest->cnt > 0 &&
      rd_kafka_committed(client_->get(), rest.get(), kProbeLimitMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  for (int i = 0; i < rest->cnt; ++i)
    if (!is_read_by_others(rest->elems[i])) return;
  rest_is_read_ = true;
}

// Where there is nothing to read, nobody may have committed anything.
bool Group::is_read_by_others(const rd_kafka_topic_partition_t& committed) {
  if (committed.err != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  const std::int64_t end = ends_[partition_name(committed.topic, committed.partition)];
  if (end == 0 || committed.offset >= end) return true;
  std::int64_t low = 0, high = 0;
  return rd_kafka_query_watermark_offsets(client_->get(), committed.topic, committed.partition,
                                          &low, &high,
                                          kProbeLimitMs) == RD_KAFKA_RESP_ERR_NO_ERROR &&
         low >= end;
}

}  // namespace streamd::kafka
