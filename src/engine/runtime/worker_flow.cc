// SPDX-License-Identifier: Apache-2.0
// How records get from node to node inside a worker and across workers.
#include "engine/runtime/worker_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace streamd {
namespace {

constexpr auto kSinkPause = std::chrono::milliseconds(50);
// A full ring: the other worker is behind for so many looks, or for longer.
constexpr int kShortWait = 200;
constexpr auto kRingPause = std::chrono::microseconds(100);

std::uint64_t lost(const NodeCounters& counters) {
  std::uint64_t sum = counters.dead_letters.load(std::memory_order_relaxed);
  for (const auto& dropped : counters.dropped) sum += dropped.load(std::memory_order_relaxed);
  return sum;
}

// Brings one input of a node to the node's own schema.
Batch align(const Batch& batch, const PlanInput& input) {
  std::vector<ColumnPtr> columns;
  columns.reserve(input.columns.size());
  ColumnPtr missing;
  for (const int c : input.columns) {
    if (c >= 0) {
      columns.push_back(batch.column(static_cast<std::size_t>(c)));
      continue;
    }
    if (c < -1) {
      columns.push_back(
          std::make_shared<const Column>(batch.physical_rows(), Value::int64(side_of_mark(c))));
      continue;
    }
    if (!missing) missing = std::make_shared<const Column>(batch.physical_rows());
    columns.push_back(missing);
  }
  return batch.with_columns(std::move(columns));
}

Message message_for(std::uint32_t node, Batch batch) {
  Message message;
  message.node = node;
  message.batch = std::move(batch);
  return message;
}

}  // namespace

std::vector<Worker::Edge>& Worker::edges_of(Node& node, Port port) {
  if (!is_route(port)) return port == Port::late ? node.late : node.out;
  const std::size_t n = route_of(port);
  if (n >= node.routes.size()) node.routes.resize(n + 1);
  return node.routes[n];
}

void Worker::emit(Node& from, const Batch& batch, Port port) {
  if (port == Port::late) {
    NodeCounters::add(from.counters->dropped[static_cast<std::size_t>(DropReason::late)],
                      batch.size());
  } else if (!from.plan->source) {
    NodeCounters::add(from.counters->out, batch.size());
  }
  if (run_.taps.any()) run_.taps.offer(number_of(from), port, batch);
  for (const auto& edge : edges_of(from, port))
    deliver(edge.node, edge.input->identity ? batch : align(batch, *edge.input));
}

void Worker::deliver(std::uint32_t n, const Batch& batch) {
  if (batch.key_hashes() != nullptr) return deliver(n, batch.with_key_hashes(nullptr));
  Node& node = nodes_[n];
  if (!node.exchanged) return process(node, batch);
  if (node.gathered && node.owner == index_) return process(node, batch);
  if (node.gathered) return send(node.owner, message_for(n, batch));
  if (!node.op->combines()) return distribute(node, batch);
  if (const Batch rest = combine(node, batch); !rest.empty()) distribute(node, rest);
}

void Worker::distribute(Node& node, const Batch& batch) {
  const auto& parts = node.plan->op->hashes_keys()
                          ? exchange_.cut(batch, *node.plan->op, run_.hash_seed)
                          : exchange_.cut(batch, node.plan->key_columns, run_.hash_seed);
  for (unsigned to = 0; to < run_.workers; ++to)
    if (to != index_ && !parts[to].empty()) send(to, message_for(number_of(node), parts[to]));
  // The local part runs last and from a copy: what it emits may be cut in its turn.
  const Batch own = parts[index_];
  if (!own.empty()) process(node, own);
}

// Who has nothing to read for the node can only be given work by the others.
bool Worker::all_read_for(const Node& node) const {
  for (unsigned worker = 0; worker < run_.workers; ++worker)
    if (std::none_of(node.sources.begin(), node.sources.end(), [&](std::uint32_t source) {
          return run_.source_clocks[source]->reads(worker);
        }))
      return false;
  return true;
}

// What it takes of the batch counts as having come in here.
Batch Worker::combine(Node& node, const Batch& batch) {
  if (run_.is_over()) return {};
  const std::uint32_t before = run_.health->enters(index_, number_of(node));
  Summaries sums(run_.workers);
  Batch rest =
      node.op->combine(batch, node.told, all_read_for(node) ? &sums : nullptr, *node.emitter);
  NodeCounters::add(node.counters->in, batch.size() - rest.size());
  run_.health->enters(index_, before);
  for (unsigned to = 0; to < run_.workers; ++to) {
    if (!sums[to]) continue;
    if (to == index_) {
      take_summary(node, *sums[to]);
      continue;
    }
    Message message;
    message.kind = Message::Kind::summary;
    message.node = number_of(node);
    message.summary = std::move(sums[to]);
    send(to, std::move(message));
  }
  return rest;
}

void Worker::take_summary(Node& node, const Summary& summary) {
  if (run_.is_over()) return;
  const std::uint32_t before = run_.health->enters(index_, number_of(node));
  if (auto status = node.op->on_summary(summary, *node.emitter); !status)
    fail(node, std::move(status).error());
  run_.health->enters(index_, before);
}

void Worker::process(Node& node, const Batch& batch) {
  if (run_.is_over()) return;
  NodeCounters::add(node.counters->in, batch.size());
  const std::uint32_t before = run_.health->enters(index_, number_of(node));
  if (node.sink) {
    if (run_.taps.any()) run_.taps.offer(number_of(node), Port::out, batch);
    write(node, batch);
  } else if (auto status = node.op->on_batch(batch, *node.emitter); !status) {
    fail(node, std::move(status).error());
  }
  run_.health->enters(index_, before);
}

bool Worker::sink_works(Node& node, const Status& status) {
  if (status) {
    if (std::exchange(node.waits_for_sink, false))
      run_.log(LogLevel::info, fmt::format("sink \"{}\": healed", node.plan->name));
    return true;
  }
  if (status.error().retry == Retry::never)
    fail(node, status.error());
  else if (!status.error().message.empty() && !std::exchange(node.waits_for_sink, true))
    run_.log(LogLevel::warning,
             fmt::format("sink \"{}\": {}; trying again", node.plan->name, status.error().message));
  return false;
}

void Worker::write(Node& node, const Batch& batch) {
  const auto lost_before = lost(*node.counters);
  while (!sink_works(node, node.sink->write(batch, *node.emitter))) {
    if (run_.is_over()) return;
    if (!run_.stepped) std::this_thread::sleep_for(kSinkPause);
  }
  const std::size_t gone = lost(*node.counters) - lost_before;
  NodeCounters::add(node.counters->out, batch.size() - std::min(gone, batch.size()));
}

// What a sink rejects only now was counted as out when it was written. What it took over from an
// earlier run was not counted yet.
void Worker::tick(Node& node) {
  const auto lost_before = lost(*node.counters);
  sink_works(node, node.sink->tick(*node.emitter));
  const std::uint64_t gone = lost(*node.counters) - lost_before;
  if (gone == 0) return;
  const std::uint64_t out = node.counters->out.load(std::memory_order_relaxed);
  node.counters->out.store(out - std::min(gone, out), std::memory_order_relaxed);
  NodeCounters::add(node.counters->in, gone - std::min(gone, out));
}

// A full ring means that the other worker is behind. It may itself be waiting for us, so its
// messages are taken in meanwhile; since nobody reads sources while messages wait, they are few.
void Worker::send(unsigned to, Message message) {
  Ring& ring = run_.ring(index_, to);
  for (int looks = 0; !ring.push(message); ++looks) {
    if (run_.is_over()) return;
    bool took = false;
    for (unsigned from = 0; from < run_.workers; ++from) {
      Message waiting;
      if (from == index_ || !run_.ring(from, index_).pop(waiting)) continue;
      stash_[from].push_back(std::move(waiting));
      took = true;
    }
    if (took)
      looks = 0;
    else if (looks < kShortWait)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(kRingPause);
  }
}

void Worker::flush_dead_letters() {
  const auto sink = run_.dead_letters;
  if (dead_letters_.empty()) return;
  const Batch batch = dead_letters_.take(nodes_[sink].plan->in);
  if (run_.taps.any()) show_dead_letters(batch);
  deliver(static_cast<std::uint32_t>(sink), batch);
}

// A letter that its own sink refuses would come to it again for ever.
void Worker::refuse(const Node& node, std::string_view letter, const Fault& fault) {
  if (!run_.refused)
    return fail(node, {ErrorKind::external, Retry::never,
                       fmt::format("a dead letter is refused ({}: {})", fault.code, fault.reason),
                       "let dead_letters name a sink that takes anything, such as file"});
  const auto first = run_.refused->add(letter);
  if (!first) return fail(node, first.error());
  if (*first)
    run_.log(LogLevel::error,
             fmt::format("sink \"{}\": refuses dead letters ({}: {}); they are kept in {}",
                         node.plan->name, fault.code, fault.reason, run_.refused->path()));
}

// Each node's own are what leaves it by port `errors`.
void Worker::show_dead_letters(const Batch& batch) {
  const auto column = nodes_[run_.dead_letters].plan->in.find("node");
  if (!column) return;
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    std::vector<std::uint32_t> own;
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (batch.at(*column, i).text() == nodes_[n].plan->name) own.push_back(batch.physical(i));
    if (!own.empty()) run_.taps.offer(n, Port::errors, batch.select(std::move(own)));
  }
}

}  // namespace streamd
