// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/worker.h"

#include "engine/core/hash.h"
#include "engine/runtime/worker_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

namespace streamd {
namespace {

constexpr Duration kReadWait = Duration::from_millis(10);
constexpr Duration kFirstBackoff = Duration::from_millis(100);
constexpr Duration kLongestBackoff = Duration::from_seconds(10);
constexpr std::size_t kMessagesPerTurn = 64;

OperatorContext operator_context(const PlanNode& node, unsigned worker, const RunContext& run,
                                 Shared& shared) {
  OperatorContext context{node.name, worker, run.workers, run.hash_seed, run.clock};
  context.log = [&run, name = node.name](int level, const std::string& text) {
    run.log(static_cast<LogLevel>(level), fmt::format("operator \"{}\": {}", name, text));
  };
  context.shared = &shared;
  context.stop = run.given_up.get_token();
  return context;
}

}  // namespace

unsigned sink_owner(std::size_t node, unsigned workers) {
  return static_cast<unsigned>(node % workers);
}

SinkContext sink_context(const PlanNode& node, const Plan& plan, const std::string& pipeline_dir,
                         unsigned worker, const RunContext& run, Shared& shared,
                         std::string restored) {
  SinkContext context;
  context.node = node.name;
  context.pipeline = plan.pipeline;
  context.state_dir = pipeline_dir;
  context.worker = worker;
  context.workers = run.workers;
  context.clock = run.clock;
  context.shared = &shared;
  context.restored = std::move(restored);
  context.log = [&run, name = node.name](int level, const std::string& text) {
    run.log(static_cast<LogLevel>(level), fmt::format("sink \"{}\": {}", name, text));
  };
  // Drawn once per state directory, like an id.
  context.state_id = fmt::format("{:016x}", run.hash_seed);
  return context;
}

Worker::Worker(RunContext& run, unsigned index)
    : run_(run),
      index_(index),
      exchange_(run.workers),
      stash_(run.workers),
      ring_barriers_(run.workers) {}

Worker::~Worker() = default;

Status Worker::open(Shared& shared, const std::string& pipeline_dir,
                    const std::vector<std::unique_ptr<Source>>& sources,
                    std::vector<std::unique_ptr<Sink>>& opened) {
  STREAMD_TRY(open_nodes(shared, pipeline_dir, opened));
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const PlanNode& plan = *nodes_[n].plan;
    for (const auto& input : plan.inputs)
      if (!input.closed)
        edges_of(nodes_[input.node], input.port).push_back({static_cast<std::uint32_t>(n), &input});
    if (plan.kind != PlanNode::Kind::source) continue;
    auto reader = sources[n]->reader(index_);
    if (!reader)
      return in_context(std::move(reader).error(), fmt::format("source \"{}\"", plan.name));
    auto stored = run_.store->partitions(plan.name);
    if (!stored) return tl::unexpected(std::move(stored).error());
    SourceReader entry;
    entry.node = static_cast<std::uint32_t>(n);
    entry.reader = std::move(*reader);
    entry.ingest = std::make_unique<Ingest>(plan, *run_.clock);
    entry.stored = std::move(*stored);
    for (const auto& [name, partition] : entry.stored)
      run_.source_clocks[n]->reach(partition.max_time - entry.ingest->max_delay());
    readers_.push_back(std::move(entry));
  }
  return {};
}

std::vector<std::uint32_t> Worker::sources_of(std::size_t n) const {
  if (nodes_[n].plan->source) return {static_cast<std::uint32_t>(n)};
  std::set<std::uint32_t> all;
  for (const auto& input : nodes_[n].plan->inputs)
    all.insert(nodes_[input.node].sources.begin(), nodes_[input.node].sources.end());
  return {all.begin(), all.end()};
}

Status Worker::open_nodes(Shared& shared, const std::string& pipeline_dir,
                          std::vector<std::unique_ptr<Sink>>& opened) {
  const auto& plan = *run_.plan;
  nodes_.resize(plan.nodes.size());
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    Node& node = nodes_[n];
    node.plan = &plan.nodes[n];
    node.counters = &run_.counter(index_, n);
    node.emitter = std::make_unique<NodeEmitter>(*this, node);
    node.sources = sources_of(n);
    if (node.plan->op) {
      node.exchanged = run_.workers > 1 && node.plan->op->stateful();
      const OperatorContext context = operator_context(*node.plan, index_, run_, shared);
      node.op = node.plan->op->make(context);
      if (node.plan->op->stateful()) STREAMD_TRY(restore_operator(node));
    }
    if (node.plan->sink) STREAMD_TRY(open_sink(n, shared, pipeline_dir, opened));
    if (node.exchanged) {
      ++exchanged_nodes_;
      node.marks.assign(run_.workers, EventTime::min());
    }
  }
  return {};
}

Status Worker::open_sink(std::size_t n, Shared& shared, const std::string& pipeline_dir,
                         std::vector<std::unique_ptr<Sink>>& opened) {
  Node& node = nodes_[n];
  const bool single = node.plan->sink->placement() == Placement::one;
  node.exchanged = node.gathered = single && run_.workers > 1;
  node.owner = single ? sink_owner(n, run_.workers) : index_;
  if (node.owner != index_) return {};
  if (opened[n]) {
    node.sink = std::move(opened[n]);
    return {};
  }
  // A single instance's state is found again whichever worker owns it now.
  auto stored = run_.store->sink_state(node.plan->name, single ? 0 : index_);
  if (!stored) return tl::unexpected(std::move(stored).error());
  auto sink = node.plan->sink->open(sink_context(*node.plan, *run_.plan, pipeline_dir, index_, run_,
                                                 shared, stored->value_or("")));
  if (!sink)
    return in_context(std::move(sink).error(), fmt::format("sink \"{}\"", node.plan->name));
  node.sink = std::move(*sink);
  return {};
}

Status Worker::restore_operator(Node& node) {
  const unsigned last = index_ == 0 ? kNodeGroup : kKeyGroups - 1;
  auto status = node.op->restore(*run_.store->reader(node.plan->state_of.front(), 0, last));
  if (!status)
    return in_context(std::move(status).error(),
                      fmt::format("state of operator \"{}\"", node.plan->name));
  node.show_keys();
  return {};
}

void Worker::run() {
  while (!run_.is_over()) {
    if (turn()) {
      quiet_since_ = {};
      continue;
    }
    if (last_epoch_ && !part_open_ && told_ >= epoch_) break;
    rest();
  }
}

bool Worker::turn() {
  run_.health->turns(index_, run_.clock->monotonic());
  bool busy = drain_rings();
  const Epoch wanted = run_.checkpoint->wanted();
  if (!in_epoch_ && !part_open_ && wanted > epoch_) {
    start_epoch(wanted);
    busy = true;
  }
  if (may_read()) busy = read_sources() || busy;
  flush_dead_letters();
  advance_marks();
  if (in_epoch_) pass_barriers();
  for (auto& node : nodes_)
    if (node.sink) tick(node);
  poll_sinks();
  return busy;
}

bool Worker::may_read() const {
  if (in_epoch_ || last_epoch_) return false;
  return std::all_of(stash_.begin(), stash_.end(), [](const auto& s) { return s.empty(); });
}

bool Worker::read_sources() {
  bool busy = false;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (read_one(readers_[next_reader_], Duration{})) busy = true;
    next_reader_ = (next_reader_ + 1) % readers_.size();
  }
  return busy;
}

bool Worker::read_one(SourceReader& source, Duration max_wait) {
  if (source.ended) return false;
  const Duration now = run_.clock->monotonic();
  if (source.retry_at > now || is_ahead(source, now)) return false;
  PullLimits limits;
  limits.max_wait = max_wait;
  raw_.clear();
  const auto pulled = source.reader->pull(limits, raw_);
  if (!pulled || *pulled != Pull::data) show_front(source, EventTime::max());
  if (!pulled) {
    reader_failed(source, pulled.error());
    return false;
  }
  source.pulled_at = now;
  Node& node = nodes_[source.node];
  if (source.backoff != Duration{}) {
    source.backoff = {};
    run_.log(LogLevel::info, fmt::format("source \"{}\": healed", node.plan->name));
  }
  const auto gone = [&](DropReason reason, std::uint64_t records) {
    if (records == 0) return;
    NodeCounters::add(node.counters->in, records);
    NodeCounters::add(node.counters->dropped[static_cast<std::size_t>(reason)], records);
  };
  gone(DropReason::expired, raw_.expired);
  gone(DropReason::throttled, raw_.throttled);
  if (*pulled == Pull::end) source.ended = true;
  if (*pulled == Pull::end || tells_news(source, *pulled)) source.stale = true;
  if (raw_.records.empty()) return *pulled == Pull::end;
  Lane& lane = lane_of(source, raw_.partition);
  lane.last_data = now;
  lane.idle = false;
  const Batch batch = source.ingest->decode(raw_, lane, *node.counters, dead_letters_);
  run_.source_clocks[source.node]->reach(lane.watermark(source.ingest->max_delay()));
  if (batch.empty()) return true;
  const EventTime first = batch.rows().time[batch.physical(0)];
  source.pace.read(first);
  if (*pulled == Pull::data) show_front(source, first);
  emit(node, batch, Port::out);
  return true;
}

// After one that was idle, too, partitions are what they were; what else may be new is until when
// that is known.
bool Worker::tells_news(SourceReader& source, Pull pulled) {
  const bool was_idle = std::exchange(source.was_idle, pulled == Pull::idle);
  if (pulled != Pull::idle) return false;
  return !was_idle || source.reader->confirmed_at(*source.pulled_at) != source.confirmed_at;
}

bool Worker::is_ahead(SourceReader& source, Duration now) const {
  if (run_.workers == 1 || run_.stepped) return false;
  return source.pace.must_wait(run_.source_clocks[source.node]->front_of_others(index_), now);
}

// Others wait for this worker to read beyond it.
void Worker::show_front(const SourceReader& source, EventTime time) {
  run_.source_clocks[source.node]->show_front(index_, time);
}

// From its first record on a partition counts by the times of its records.
Lane& Worker::lane_of(SourceReader& source, std::uint32_t partition) {
  if (const auto it = source.lanes.find(partition); it != source.lanes.end()) return it->second;
  Lane& lane = add_lane(source, partition);
  source.open_lanes.push_back(&lane);
  source.unread.erase(partition);
  // Others may have come with it. One that was listed changes nothing about the others, and there
  // may be thousands.
  if (!source.listed_at.contains(partition)) source.stale = true;
  return lane;
}

// With the clock that the partition had when its state was stored, if it had one.
Lane& Worker::add_lane(SourceReader& source, std::uint32_t partition) {
  Lane anew;
  anew.name = source.reader->partition_name(partition);
  anew.origin = std::make_shared<const Origin>(Origin{nodes_[source.node].plan->name, anew.name});
  if (const auto it = source.stored.find(anew.name); it != source.stored.end())
    anew.max_time = it->second.max_time;
  return source.lanes.emplace(partition, std::move(anew)).first->second;
}

void Worker::reader_failed(SourceReader& source, const Error& error) {
  Node& node = nodes_[source.node];
  if (error.retry == Retry::never) return fail(node, error);
  const bool first = source.backoff == Duration{};
  source.backoff =
      first ? kFirstBackoff : Duration{std::min(source.backoff.micros * 2, kLongestBackoff.micros)};
  source.retry_at = run_.clock->monotonic() + source.backoff;
  if (first)
    run_.log(LogLevel::warning,
             fmt::format("source \"{}\": {}; trying again", node.plan->name, error.message));
}

bool Worker::drain_rings() {
  bool busy = false;
  for (unsigned from = 0; from < run_.workers; ++from) {
    if (from == index_) continue;
    for (std::size_t n = 0; n < kMessagesPerTurn; ++n) {
      // All barriers of this epoch came: what follows belongs to the next one.
      if (in_epoch_ && ring_barriers_[from] == exchanged_nodes_) break;
      Message message;
      if (!stash_[from].empty()) {
        message = std::move(stash_[from].front());
        stash_[from].pop_front();
      } else if (!run_.ring(from, index_).pop(message)) {
        break;
      }
      take_message(from, message);
      busy = true;
    }
  }
  return busy;
}

void Worker::take_message(unsigned from, Message& message) {
  Node& node = nodes_[message.node];
  switch (message.kind) {
    case Message::Kind::batch: return process(node, message.batch);
    case Message::Kind::summary: return take_summary(node, *message.summary);
    case Message::Kind::watermark: node.marks[from] = message.mark; return;
    case Message::Kind::barrier:
      ++node.barriers;
      ++ring_barriers_[from];
      return;
  }
}

// Nothing to do: wait where new records would come from, briefly, so that messages, commits and
// stops are seen soon as well.
void Worker::rest() {
  const Duration now = run_.clock->monotonic();
  if (quiet_since_ == Duration{}) quiet_since_ = now;
  if (may_read() && run_.workers == 1)
    for (auto& source : readers_)
      if (!source.ended && source.retry_at <= now) {
        if (read_one(source, kReadWait)) quiet_since_ = {};
        return;
      }
  const bool long_quiet = now.micros - quiet_since_.micros > 50'000;
  std::this_thread::sleep_for(std::chrono::microseconds(long_quiet ? 2000 : 100));
}

void Worker::fail(const Node& node, Error error) {
  const char* kind = node.plan->source ? "source" : node.plan->op ? "operator" : "sink";
  error.message = fmt::format("{} \"{}\": {}", kind, node.plan->name, error.message);
  run_.checkpoint->fail(std::move(error));
}

void Worker::announce_stop() noexcept {
  for (auto& node : nodes_)
    if (node.sink) node.sink->stopping();
}

void Worker::close() noexcept {
  for (auto& source : readers_) source.reader.reset();
  for (auto& node : nodes_)
    if (node.sink) node.sink->close();
}

}  // namespace streamd
