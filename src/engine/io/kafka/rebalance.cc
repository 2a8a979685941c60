// SPDX-License-Identifier: Apache-2.0
// Rebalances of a group, on its control thread: where to start in new partitions, and how to give
// them up.
#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/position.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace streamd::kafka {
namespace {

constexpr int kAskLimitMs = 5000;
constexpr Duration kPause = Duration::from_millis(200);
// Together under a third of the default session time-out: the group waits for us meanwhile.
constexpr Duration kCheckpointLimit = Duration::from_seconds(5);
constexpr int kCheckpointTries = 3;

}  // namespace

void Group::on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return assign(partitions);
  revoke();
}

bool Group::pause() {
  std::this_thread::sleep_for(std::chrono::microseconds(kPause.micros));
  return !closing_;
}

// librdkafka clears the forwarding of the queues only after rd_kafka_assign has returned; what is
// asked of the same thread next comes after that. While the group is being left nothing is placed
// any more, and that thread may end without an answer.
void Group::unassign() {
  rd_kafka_assign(client_->get(), nullptr);
  if (closing_) return;
  rd_kafka_topic_partition_list_t* none = nullptr;
  rd_kafka_assignment(client_->get(), &none);
  if (none) rd_kafka_topic_partition_list_destroy(none);
}

void Group::assign(rd_kafka_topic_partition_list_t* partitions) {
  if (closing_ || finished_ || !find_starts(partitions)) return unassign();
  for (int i = 0; i < partitions->cnt; ++i)
    if (missing_.erase(partitions->elems[i].topic) > 0)
      log(0, fmt::format("healed: topic \"{}\" is there", partitions->elems[i].topic));
  rest_is_read_ = std::all_of(ends_.begin(), ends_.end(), [&](const auto& end) {
    const auto target = parse_partition_name(end.first);
    return rd_kafka_topic_partition_list_find(partitions, target->topic.c_str(),
                                              target->partition) != nullptr;
  });
  place(*partitions);
  take(partitions);
  advice_.assigned(*partitions, client_);
}

// Sets every partition's offset to where reading goes on: the furthest of what the state and the
// group know; else as `from` says.
bool Group::find_starts(rd_kafka_topic_partition_list_t* partitions) {
  if (partitions->cnt == 0) {
    settle_doubts(*partitions);
    return true;
  }
  rd_kafka_resp_err_t code;
  while ((code = rd_kafka_committed(client_->get(), partitions, kAskLimitMs)) !=
         RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (is_permanent(code)) {
      fail(to_error(code, fmt::format("asking for the offsets of group \"{}\"", options_.group)));
      return false;
    }
    health_.suspect(describe(code));
    probe();
    if (!pause()) return false;
  }
  settle_doubts(*partitions);
  const auto fresh = new_list();
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& p = partitions->elems[i];
    const std::string name = partition_name(p.topic, p.partition);
    const bool ignore = context_.fresh && !begun_.contains(name);
    if (p.offset < 0 || ignore) p.offset = RD_KAFKA_OFFSET_INVALID;
    if (const auto known = known_.find(name); known != known_.end()) {
      if (p.offset < 0 && !ignore && known->second.acknowledged > 0) tell_offset_lost(name);
      p.offset = std::max(p.offset, known->second.position);
    }
    if (ignore) add(fresh, p.topic, p.partition, 0);
    begun_.insert(name);
  }
  if (!find_unknown_starts(partitions)) return false;
  // Whoever reads these partitions next must not go on at the earlier run's offsets.
  for (int i = 0; i < fresh->cnt; ++i) {
    auto& p = fresh->elems[i];
    p.offset = rd_kafka_topic_partition_list_find(partitions, p.topic, p.partition)->offset;
  }
  if (fresh->cnt > 0) rd_kafka_commit(client_->get(), fresh.get(), 1);
  return true;
}

// Kafka forgets the offsets of a group that was away for long (offsets.retention.minutes), and
// those of a topic that is deleted. A new topic of that name can't be told from the old one once it
// has grown as long.
void Group::tell_offset_lost(const std::string& name) const {
  const std::int64_t position = known_.at(name).position;
  log(1, fmt::format("{}: group \"{}\" has no offset any more; going on at {} as the stored state "
                     "says. If the topic was deleted and made anew, what it holds before that is "
                     "not read",
                     name, options_.group, position));
}

// What was read and not committed when membership was lost is still ours if the partition is back
// and the group has not gone on meanwhile: an outage looks like that.
void Group::settle_doubts(const rd_kafka_topic_partition_list_t& committed) {
  for (const auto& name : doubtful_) {
    const Known& known = known_[name];
    const rd_kafka_topic_partition_t* here = nullptr;
    for (int i = 0; i < committed.cnt; ++i)
      if (partition_name(committed.elems[i].topic, committed.elems[i].partition) == name)
        here = &committed.elems[i];
    if (here != nullptr && here->offset <= known.acknowledged) continue;
    log(1, fmt::format("{} went to another member before offsets {} to {} were committed{}", name,
                       known.acknowledged, known.position - 1,
                       transactional_ ? "" : ": they are read twice"));
    ownership_ = Ownership::broken;
  }
  doubtful_.clear();
  Ownership doubt = Ownership::in_doubt;
  ownership_.compare_exchange_strong(doubt, Ownership::whole);
}

// Asks for concrete offsets at once: a crash before the first record must not move the start.
bool Group::find_unknown_starts(rd_kafka_topic_partition_list_t* partitions) {
  for (;;) {
    const auto unknown = new_list();
    for (int i = 0; i < partitions->cnt; ++i) {
      const auto& p = partitions->elems[i];
      if (p.offset < 0)
        add(unknown, p.topic, p.partition,
            options_.from_latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING);
    }
    if (unknown->cnt == 0) return true;
    const auto code = rd_kafka_offsets_for_times(client_->get(), unknown.get(), kAskLimitMs);
    for (int i = 0; i < unknown->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      const auto& p = unknown->elems[i];
      if (p.err == RD_KAFKA_RESP_ERR_NO_ERROR && p.offset >= 0)
        rd_kafka_topic_partition_list_find(partitions, p.topic, p.partition)->offset = p.offset;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      health_.suspect(describe(code));
      probe();
      if (!pause()) return false;
    }
    if (closing_) return false;
  }
}

std::unique_ptr<Slot> Group::make_slot(const rd_kafka_topic_partition_t& partition) const {
  const std::string name = partition_name(partition.topic, partition.partition);
  std::optional<std::int64_t> end;
  if (options_.until_end) {
    const auto found = ends_.find(name);
    end = found == ends_.end() ? 0 : found->second;
  }
  const auto known = known_.find(name);
  const bool read_on = known != known_.end() && known->second.position == partition.offset;
  auto slot = std::make_unique<Slot>(Lane(partition.offset, end),
                                     read_on ? known->second.acknowledged : partition.offset);
  slot->topic = partition.topic;
  slot->partition = partition.partition;
  slot->name = name;
  return slot;
}

// librdkafka's queues of the partitions lead into those of the workers.
Group::Queues Group::forward(const rd_kafka_topic_partition_list_t& partitions) {
  Queues queues;
  for (std::size_t w = 0; w < workers_.size(); ++w)
    queues.emplace_back(rd_kafka_queue_new(client_->get()), rd_kafka_queue_destroy);
  forwarded_.clear();
  for (int i = 0; i < partitions.cnt; ++i) {
    const auto& p = partitions.elems[i];
    Queue own(rd_kafka_queue_get_partition(client_->get(), p.topic, p.partition));
    if (own) rd_kafka_queue_forward(own.get(), queues[worker_of(p.partition)].get());
    forwarded_.push_back(std::move(own));
  }
  return queues;
}

// Makes slots before anything may be fetched for them. A slot that is there stays what it is and is
// read anew from its position.
void Group::place(const rd_kafka_topic_partition_list_t& partitions) {
  const auto queues = direct_ ? Queues(workers_.size()) : forward(partitions);
  ++assignments_;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    auto& worker = *workers_[w];
    {
      const std::lock_guard lock(worker.mutex);
      for (int i = 0; i < partitions.cnt; ++i) {
        const auto& p = partitions.elems[i];
        if (worker_of(p.partition) != w) continue;
        std::erase_if(worker.expected, [&](const auto& expected) {
          return expected.first == partition_name(p.topic, p.partition);
        });
        if (worker.find(partition_name(p.topic, p.partition)) != nullptr) continue;
        worker.slots.push_back(make_slot(p));
        worker.slots.back()->number = worker.number_of(worker.slots.back()->name);
      }
      for (auto& slot : worker.slots) slot->fetch_at = slot->lane.next();
      worker.last = nullptr;
      worker.done = false;
      worker.confirmed_at.reset();
      worker.assignment = assignments_;
      worker.direct = direct_;
      worker.queue = queues[w];
    }
    worker.assigned.notify_all();
  }
  health_.ask_anew();
  // Half a session more: the others are asked at their next heartbeats, and come together then.
  if (!assigned_)
    ghosts_until_ =
        (context_.clock->monotonic() + session_timeout()).micros + session_timeout().micros / 2;
  assigned_ = true;
}

// A partition whose offset does not exist can't be moved within an assignment, so all of them are
// taken once more, each at its position.
void Group::take_anew() {
  unassign();
  const auto list = new_list();
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    worker->end_assignment();
    for (auto& slot : worker->slots) {
      add(list, slot->topic, slot->partition, slot->lane.position());
    }
  }
  place(*list);
  take(list.get());
}

// For the group we read them, whoever fetches.
void Group::take(rd_kafka_topic_partition_list_t* partitions) {
  const auto code = rd_kafka_assign(client_->get(), partitions);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail(to_error(code, "taking partitions"));
  if (partitions->cnt == 0) return;
  if (direct_)
    rd_kafka_pause_partitions(client_->get(), partitions);
  else if (paused_)
    rd_kafka_resume_partitions(client_->get(), partitions);
  paused_ = paused_ || direct_;
}

void Group::revoke() {
  const bool lost = rd_kafka_assignment_lost(client_->get()) != 0;
  bool committed = !stop_handing_out();
  if (!closing_ && !lost && !committed) {
    for (int i = 0; i < kCheckpointTries && !committed && !closing_ && !failed_; ++i)
      committed = context_.checkpoint_now(kCheckpointLimit);
    if (committed && !transactional_) commit_acknowledged(kAskLimitMs);
  }
  const auto hold = hold_partitions();
  remember(committed || closing_);
  unassign();
  forwarded_.clear();
}

// True when records were handed out that no checkpoint holds yet.
bool Group::stop_handing_out() {
  bool open = false;
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    worker->confirmed_at.reset();
    worker->forget_fetched();
    for (auto& slot : worker->slots) {
      slot->revoked = true;
      open = open || slot->lane.position() > slot->acknowledged;
    }
  }
  return open;
}

// The slots go away; where they stood is kept for the case that a partition comes back.
void Group::remember(bool committed) {
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (auto& slot : worker->slots) {
      const std::int64_t position = slot->lane.position();
      known_[slot->name] = {position, committed ? position : slot->acknowledged};
      if (committed || position <= slot->acknowledged) continue;
      doubtful_.insert(slot->name);
      Ownership whole = Ownership::whole;
      ownership_.compare_exchange_strong(whole, Ownership::in_doubt);
    }
    worker->end_assignment();
    worker->slots.clear();
  }
}

}  // namespace streamd::kafka
