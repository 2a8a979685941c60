// SPDX-License-Identifier: Apache-2.0
// What a group has read, as offsets: acknowledged by the engine, committed to Kafka by the group
// itself or within a transaction.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/position.h"

#include <fmt/format.h>

namespace streamd::kafka {
namespace {

constexpr int kCloseLimitMs = 3000;

}  // namespace

Status Group::acknowledge(const Positions& positions) {
  note_durable(positions);
  if (!transactional_) commit_acknowledged(0);
  return {};
}

void Group::note_durable(const Positions& positions) {
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (auto& slot : worker->slots) {
      const auto found = positions.find(slot->name);
      if (found == positions.end()) continue;
      const auto offset = parse_position(found->second);
      if (offset && *offset > slot->acknowledged && *offset <= slot->lane.position())
        slot->acknowledged = *offset;
    }
  }
}

// limit_ms 0: does not wait for the answer. A commit that fails is repeated with the next one.
void Group::commit_acknowledged(int limit_ms) {
  const auto list = new_list();
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (auto& slot : worker->slots) {
      if (slot->acknowledged == slot->committed && limit_ms == 0) continue;
      slot->committed = slot->acknowledged;
      add(list, slot->topic, slot->partition, slot->acknowledged);
    }
  }
  if (list->cnt == 0) return;
  if (limit_ms == 0) {
    rd_kafka_commit(client_->get(), list.get(), 1);
    return;
  }
  const Queue answers(rd_kafka_queue_new(client_->get()));
  rd_kafka_commit_queue(client_->get(), list.get(), answers.get(), nullptr, nullptr);
  const EventPtr answer(rd_kafka_queue_poll(answers.get(), limit_ms));
  const auto code = answer ? rd_kafka_event_error(answer.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
    log(1, fmt::format("group \"{}\": the last offsets were not committed: {}", options_.group,
                       describe(code)));
}

void Group::on_committed(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& offsets) {
  for (int i = 0; i < offsets.cnt; ++i) {
    const auto& p = offsets.elems[i];
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && p.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    auto& worker = lanes_of(p.partition);
    const std::lock_guard lock(worker.mutex);
    if (Slot* slot = worker.find(partition_name(p.topic, p.partition))) slot->committed = -1;
  }
}

void Group::close() noexcept {
  if (closing_.exchange(true)) return;
  if (control_.joinable()) {
    control_.request_stop();
    control_.join();
  }
  if (!client_) return;
  advice_.give_up();
  if (!transactional_ && !failed_) commit_acknowledged(kCloseLimitMs);
  rd_kafka_consumer_close(client_->get());
  // Without a rebalance on the way out (no member yet) the slots are still there.
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    worker->end_assignment();
    worker->slots.clear();
  }
  forwarded_.clear();
}

std::string Group::cluster_id(int limit_ms) const {
  char* id = rd_kafka_clusterid(client_->get(), limit_ms);
  std::string text = id ? id : "";
  if (id) rd_kafka_mem_free(client_->get(), id);
  return text;
}

PartitionList Group::offsets_of(const Positions& positions) {
  auto list = new_list();
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (const auto& slot : worker->slots) {
      const auto found = positions.find(slot->name);
      if (found == positions.end()) continue;
      // An earlier offset is of a time before somebody else had the partition.
      if (const auto offset = parse_position(found->second);
          offset && *offset >= slot->acknowledged)
        add(list, slot->topic, slot->partition, *offset);
    }
  }
  return list;
}

GroupMetadata Group::metadata() const {
  return GroupMetadata(rd_kafka_consumer_group_metadata(client_->get()));
}

std::shared_ptr<GroupDirectory> GroupDirectory::of(Shared& shared) {
  return shared.get_or_make<GroupDirectory>("kafka.groups",
                                            [] { return std::make_shared<GroupDirectory>(); });
}

void GroupDirectory::add(const std::string& node, std::weak_ptr<Group> group) {
  const std::lock_guard lock(mutex_);
  groups_[node] = std::move(group);
}

std::map<std::string, std::shared_ptr<Group>> GroupDirectory::all() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<Group>> found;
  for (const auto& [node, weak] : groups_)
    if (auto group = weak.lock()) found[node] = std::move(group);
  return found;
}

}  // namespace streamd::kafka
