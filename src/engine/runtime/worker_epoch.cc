// SPDX-License-Identifier: Apache-2.0
// Barriers: how an epoch passes through a worker. The protocol is told in worker.h.
#include "engine/runtime/worker_emitter.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {

void Worker::start_epoch(Epoch epoch) {
  epoch_ = epoch;
  in_epoch_ = true;
  last_epoch_ = run_.checkpoint->last();
  part_ = {};
  note_positions();
  for (auto& node : nodes_) {
    node.passed = false;
    node.sent = false;
    node.prepared = false;
  }
}

void Worker::note_positions() {
  for (auto& source : readers_) {
    source.states.clear();
    source.reader->partitions(source.states);
    source.stale = true;  // the lanes are as of an earlier look
    auto& partitions = part_.partitions[nodes_[source.node].plan->name];
    for (const auto& state : source.states) {
      StoredPartition stored;
      stored.position = state.position;
      const std::string name = source.reader->partition_name(state.partition);
      if (const auto it = source.stored.find(name); it != source.stored.end())
        stored.max_time = it->second.max_time;
      if (const auto it = source.lanes.find(state.partition); it != source.lanes.end())
        stored.max_time = it->second.max_time;
      partitions[name] = std::move(stored);
    }
    std::vector<std::uint32_t> over;
    source.reader->over(over);
    for (const std::uint32_t partition : over)
      part_.over[nodes_[source.node].plan->name].insert(source.reader->partition_name(partition));
  }
}

bool Worker::inputs_passed(std::size_t n) const {
  // Every node may have dead letters, so their sink comes last.
  if (n == run_.dead_letters) {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (i != n && !nodes_[i].passed) return false;
    return true;
  }
  return std::all_of(nodes_[n].plan->inputs.begin(), nodes_[n].plan->inputs.end(),
                     [this](const PlanInput& input) { return nodes_[input.node].passed; });
}

void Worker::pass_barriers() {
  bool moved = true;
  while (moved && !run_.checkpoint->failed()) {
    moved = false;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      Node& node = nodes_[n];
      if (node.passed || !inputs_passed(n)) continue;
      if (n == run_.dead_letters) flush_dead_letters();
      if (node.exchanged) {
        if (!node.sent) {
          node.sent = true;
          ++node.barriers;
          for (unsigned to = 0; to < run_.workers; ++to) {
            if (to == index_) continue;
            Message message;
            message.kind = Message::Kind::barrier;
            message.node = static_cast<std::uint32_t>(n);
            send(to, std::move(message));
          }
        }
        if (node.barriers < run_.workers) continue;
        node.barriers = 0;
      }
      pass(node);
      moved = true;
    }
  }
  if (!std::all_of(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.passed; })) return;
  in_epoch_ = false;
  part_open_ = true;
  std::fill(ring_barriers_.begin(), ring_barriers_.end(), std::size_t{0});
}

void Worker::pass(Node& node) {
  node.passed = true;
  if (node.op && node.plan->op->stateful()) {
    const auto writer = run_.store->writer(node.plan->state_of.front(), part_.state);
    if (auto status = node.op->checkpoint(*writer); !status) fail(node, std::move(status).error());
  }
  if (node.sink)
    if (auto status = node.sink->barrier(epoch_); !status) fail(node, std::move(status).error());
}

// After the barrier: asks the sinks until everything of the epoch is durable, then hands in. After
// the commit: tells them.
void Worker::poll_sinks() {
  if (run_.checkpoint->failed()) return;
  const Epoch done = run_.checkpoint->done();
  if (done > told_) {
    told_ = done;
    for (auto& node : nodes_)
      if (node.sink) node.sink->committed(done);
  }
  if (!part_open_) return;
  for (auto& node : nodes_) {
    if (!node.sink || node.prepared) continue;
    const auto prepared = node.sink->prepared(epoch_);
    if (!sink_works(node, prepared ? Status{} : Status{tl::unexpected(prepared.error())})) return;
    if (!*prepared) return;
    node.prepared = true;
  }
  for (auto& node : nodes_)
    if (node.sink) {
      const bool single = node.plan->sink->placement() == Placement::one;
      auto text = node.sink->state(epoch_);
      if (!text.empty()) part_.sinks[{node.plan->name, single ? 0u : index_}] = std::move(text);
    }
  part_open_ = false;
  run_.checkpoint->hand_in(std::move(part_));
}

}  // namespace streamd
