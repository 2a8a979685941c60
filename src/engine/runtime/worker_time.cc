// SPDX-License-Identifier: Apache-2.0
// Event time on a worker: lanes to sources, sources to nodes, nodes to nodes on other workers.
#include "engine/runtime/worker_emitter.h"

#include <algorithm>

namespace streamd {
namespace {

// How old the list of partitions may be while records flow.
constexpr Duration kRefresh = Duration::from_millis(20);

}  // namespace

void Worker::update_lanes(SourceReader& source) {
  const Duration now = run_.clock->monotonic();
  if (!source.stale && now - source.refreshed_at < kRefresh) return;
  source.stale = false;
  source.refreshed_at = now;
  source.states.clear();
  source.reader->partitions(source.states);
  source.confirmed_at.reset();
  if (source.pulled_at) source.confirmed_at = source.reader->confirmed_at(*source.pulled_at);
  drop_unlisted(source);
  for (const auto& state : source.states) {
    const bool is_new = source.listed_at.try_emplace(state.partition, now).second;
    if (!is_new || source.lanes.contains(state.partition)) continue;
    // A partition that had records before a restart holds windows back as if it had just had one:
    // that it brings nothing now does not say that it is silent.
    const auto it = source.stored.find(source.reader->partition_name(state.partition));
    if (it == source.stored.end() || it->second.max_time == EventTime::min()) continue;
    add_lane(source, state.partition).last_data = now;
  }
  sort_partitions(source);
}

void Worker::drop_unlisted(SourceReader& source) {
  std::unordered_set<std::uint32_t> listed;
  listed.reserve(source.states.size());
  for (const auto& state : source.states) listed.insert(state.partition);
  std::erase_if(source.lanes, [&](const auto& entry) { return !listed.contains(entry.first); });
  std::erase_if(source.listed_at, [&](const auto& entry) { return !listed.contains(entry.first); });
}

// What lanes_mark, in each turn, need not ask of each partition.
void Worker::sort_partitions(SourceReader& source) {
  source.open_lanes.clear();
  source.unread.clear();
  source.any_silent = false;
  for (const auto& state : source.states) {
    if (const auto it = source.lanes.find(state.partition); it != source.lanes.end()) {
      Lane& lane = it->second;
      lane.idle = is_silent(source, state, lane.last_data);
      if (!state.ended) source.open_lanes.push_back(&lane);
    } else if (state.ended) {
      continue;
    } else if (is_silent(source, state, source.listed_at.at(state.partition))) {
      source.any_silent = true;
    } else {
      source.unread.insert(state.partition);
    }
  }
}

// Since its last record, or since it is known at all.
bool Worker::is_silent(const SourceReader& source, const PartitionState& state, Duration since) {
  return state.caught_up && source.confirmed_at &&
         *source.confirmed_at - since >= source.ingest->idle_after();
}

// The minimum over this worker's lanes that still count.
EventTime Worker::lanes_mark(const SourceReader& source) {
  const Duration delay = source.ingest->max_delay();
  EventTime mark = EventTime::max();
  bool any_idle = source.any_silent;
  for (const Lane* lane : source.open_lanes) {
    if (lane->idle)
      any_idle = true;
    else
      mark = std::min(mark, lane->watermark(delay));
  }
  // Records may be coming whose times nobody knows.
  const bool unread = !source.unread.empty() || (!source.ended && !source.confirmed_at);
  if (unread) return EventTime::min();
  return mark == EventTime::max() && (any_idle || !source.ended) ? kIdleMark : mark;
}

EventTime Worker::source_mark(const SourceReader& source) {
  const Duration confirmed = source.confirmed_at ? *source.confirmed_at : run_.clock->monotonic();
  return run_.source_clocks[source.node]->say(index_, lanes_mark(source), confirmed);
}

EventTime Worker::local_mark(Node& node) {
  EventTime mark = EventTime::max();
  for (const auto& input : node.plan->inputs) {
    mark = std::min(mark, nodes_[input.node].out_mark);
    node.reached = std::max(node.reached, nodes_[input.node].reached);
  }
  return mark;
}

// A worker that hears nothing while another has gone on has not taken in yet what is on its way to
// it, perhaps back to here: nothing goes on before it has.
EventTime Worker::exchanged_mark(const Node& node) {
  const auto says = [&](auto holds) {
    return std::any_of(node.marks.begin(), node.marks.end(), holds);
  };
  if (says([](EventTime m) { return m == kIdleMark; }) &&
      says([](EventTime m) { return m < kIdleMark; }))
    return node.given;
  return *std::min_element(node.marks.begin(), node.marks.end());
}

void Worker::give_mark(Node& node, EventTime mark) {
  if (mark == kIdleMark) {
    node.out_mark = kIdleMark;
    return;
  }
  // Before the end there is the last time that the input has reached. What is known by then is so
  // whether or not the turns of the workers came to say it.
  if (mark == EventTime::max() && node.given < node.reached && node.reached < mark)
    give_mark(node, node.reached);
  if (mark > node.given) {
    node.given = mark;
    if (node.op && !run_.checkpoint->failed())
      if (auto status = node.op->on_watermark(mark, *node.emitter); !status)
        fail(node, std::move(status).error());
    node.counters->watermark.store(mark.micros, std::memory_order_relaxed);
    if (node.op) node.show_keys();
  }
  node.out_mark = node.given;
}

void Worker::advance_marks() {
  // Behind a barrier event time stands still: what it would emit belongs to the next epoch.
  if (in_epoch_) return;
  for (auto& source : readers_) {
    update_lanes(source);
    Node& node = nodes_[source.node];
    const EventTime mark = source_mark(source);
    if (mark == kIdleMark)
      node.out_mark = mark;
    else
      node.out_mark = node.given = std::max(node.given, mark);
    if (mark != kIdleMark)
      node.counters->watermark.store(node.given.micros, std::memory_order_relaxed);
    if (mark == EventTime::max()) node.reached = run_.source_clocks[source.node]->newest();
  }
  bool all_ended = true;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    Node& node = nodes_[n];
    if (node.plan->source || n == run_.dead_letters) continue;
    EventTime mark = local_mark(node);
    if (node.exchanged) {
      if (mark != node.announced) {
        node.announced = node.marks[index_] = mark;
        if (mark < kIdleMark) node.told = std::max(node.told, mark);
        for (unsigned to = 0; to < run_.workers; ++to) {
          if (to == index_) continue;
          Message message;
          message.kind = Message::Kind::watermark;
          message.node = static_cast<std::uint32_t>(n);
          message.mark = mark;
          send(to, std::move(message));
        }
      }
      mark = exchanged_mark(node);
    }
    give_mark(node, mark);
    all_ended = all_ended && node.given == EventTime::max();
  }
  flush_dead_letters();
  if (all_ended) note_end();
}

void Worker::note_end() {
  bool drained = true;
  for (auto& node : nodes_) {
    if (!node.sink) continue;
    const auto done = node.sink->drained();
    if (!sink_works(node, done ? Status{} : Status{tl::unexpected(done.error())})) return;
    drained = drained && *done;
  }
  if (ended() && finished() == drained) return;
  ended_.store(true, std::memory_order_release);
  finished_.store(drained, std::memory_order_release);
  run_.checkpoint->notify();
}

}  // namespace streamd
