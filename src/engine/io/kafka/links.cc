// SPDX-License-Identifier: Apache-2.0
// Connections for workers that fetch by themselves: who leads their partitions, and a connection to
// each of those brokers for each worker. On the group's control thread, but for what the workers
// tell.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace streamd::kafka {
namespace {

constexpr Duration kConnectLimit = Duration::from_seconds(1);
constexpr Duration kAfterFailure = Duration::from_millis(500);
constexpr std::uint64_t kMostBytes = std::uint64_t{2} << 20;

}  // namespace

// An answer that fits the cache is read from it.
FetchLimits Group::fetch_limits() const {
  FetchLimits limits;
  limits.bytes = static_cast<std::int32_t>(
      std::min(kMostBytes, options_.prefetch_bytes / std::max(1u, context_.workers) / 2));
  return limits;
}

void Group::link_lost(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  link_lost_ = reason;
}

void Group::leave_to_librdkafka(const std::string& why) {
  const std::lock_guard lock(mutex_);
  only_librdkafka_ = why;
}

void Group::hear_of_links() {
  std::optional<std::string> lost, leave;
  {
    const std::lock_guard lock(mutex_);
    lost.swap(link_lost_);
    leave.swap(only_librdkafka_);
  }
  if (lost) health_.suspect(*lost);
  if (!leave) return;
  log(0, fmt::format("{}: librdkafka fetches from now on", *leave));
  direct_ = false;
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    // First: an answer that is still on its way would stall them again, and what librdkafka brings
    // then would be dropped.
    worker->end_assignment();
    for (auto& slot : worker->slots) slot->stalled = false;
  }
  take_anew();
}

void Group::serve_links(const std::stop_token& stop) {
  if (!direct_) return;
  hear_of_links();
  const Duration now = context_.clock->monotonic();
  if (!direct_ || now < links_due_) return;
  bool good = find_leaders();
  for (auto& worker : workers_) good = make_links(*worker, stop) && good;
  if (!good) links_due_ = now + kAfterFailure;
}

// False: a partition has no leader that is known.
bool Group::find_leaders() {
  const auto unknown = [this] {
    return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) {
      const std::lock_guard lock(worker->mutex);
      return std::any_of(worker->slots.begin(), worker->slots.end(),
                         [](const auto& slot) { return slot->leader < 0; });
    });
  };
  if (!unknown()) return true;
  const rd_kafka_metadata_t* answer = nullptr;
  const auto code = rd_kafka_metadata(client_->get(), 0, nullptr, &answer, kProbeLimitMs);
  const MetadataPtr metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    health_.suspect(describe(code));
    return false;
  }
  for (int b = 0; b < metadata->broker_cnt; ++b) {
    const auto& broker = metadata->brokers[b];
    brokers_[broker.id] = {broker.host, static_cast<std::uint16_t>(broker.port)};
  }
  for (int t = 0; t < metadata->topic_cnt; ++t) {
    const auto& topic = metadata->topics[t];
    for (int p = 0; p < topic.partition_cnt; ++p) {
      const auto& partition = topic.partitions[p];
      auto& worker = lanes_of(partition.id);
      const std::lock_guard lock(worker.mutex);
      if (Slot* slot = worker.find(topic.topic, partition.id); slot && slot->leader < 0)
        slot->leader = partition.leader;
    }
  }
  return !unknown();
}

// False: a broker does not let us connect. The others' connections are made all the same.
bool Group::make_links(WorkerLanes& lanes, const std::stop_token& stop) {
  std::set<std::int32_t> wanted;
  std::uint64_t assignment = 0;
  {
    const std::lock_guard lock(lanes.mutex);
    assignment = lanes.assignment;
    for (const auto& slot : lanes.slots) wanted.insert(slot->leader);
    for (const auto linked : lanes.linked) wanted.erase(linked);
  }
  bool good = true;
  for (const auto broker : wanted) {
    const auto at = brokers_.find(broker);
    if (at == brokers_.end()) continue;
    const auto& [host, port] = at->second;
    auto link = BrokerLink::connect(broker, host, port, kConnectLimit, stop);
    if (!link && link.error().retry == Retry::never) {
      leave_to_librdkafka(link.error().message);
      return false;
    }
    if (!link) {
      health_.suspect(link.error().message);
      good = false;
      continue;
    }
    {
      const std::lock_guard lock(lanes.mutex);
      if (lanes.assignment != assignment) return false;
      lanes.linked.push_back(broker);
      lanes.links.push_back(std::move(*link));
    }
    lanes.assigned.notify_all();
  }
  return good;
}

}  // namespace streamd::kafka
