// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/run.h"

#include "engine/core/check.h"
#include "engine/runtime/control.h"
#include "engine/runtime/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

namespace streamd {
namespace {

constexpr std::size_t kRingMessages = 64;
constexpr Duration kTurn = Duration::from_millis(20);
// While nothing is due and nobody has news.
constexpr Duration kLongestTurn = Duration::from_millis(100);

}  // namespace

Run::Run(const Plan& plan, const RunOptions& options)
    : plan_(plan),
      options_(options),
      health_(options.workers, options.clock->monotonic()),
      log_([this](LogLevel level, const std::string& text) {
        health_.heard(static_cast<int>(level), text, options_.clock->monotonic());
        options_.log(level, text);
      }),
      checkpoint_(options.workers) {}

Run::~Run() {
  context_.abandon = true;
  context_.given_up.request_stop();
  threads_.clear();
  lists_.reset();
  for (auto& worker : workers_) worker->announce_stop();
  for (auto& worker : workers_) worker->close();
  for (auto& source : sources_)
    if (source) source->close();
}

Status Run::open_state() {
  std::random_device entropy;
  const std::uint64_t seed = (std::uint64_t{entropy()} << 32) | entropy();
  Result<std::unique_ptr<StateBackend>> backend = nullptr;
  if (options_.backend) {
    pipeline_dir_ = options_.state_root + "/" + plan_.pipeline;
    backend = options_.backend();
  } else {
    auto dir = StateDir::open(options_.state_root, plan_.pipeline, options_.fresh, *options_.clock,
                              plan_.members);
    if (!dir) return tl::unexpected(std::move(dir).error());
    dir_ = std::make_unique<StateDir>(std::move(*dir));
    for (const auto& archive : dir_->archived_to())
      log_(LogLevel::info, fmt::format("--fresh: earlier state is kept in {}", archive));
    pipeline_dir_ = dir_->path();
    backend = open_rocksdb_backend(dir_->db());
  }
  if (!backend) return tl::unexpected(std::move(backend).error());
  auto store = EpochStore::open(std::move(*backend), options_.hash_seed.value_or(seed));
  if (!store) return tl::unexpected(std::move(store).error());
  store_ = std::move(*store);
  const auto noted = dir_ ? dir_->noted_epoch() : std::nullopt;
  const Epoch found = std::max(store_->last_epoch(), store_->prepared().value_or(0));
  if (noted && *noted > found)
    return fail(
        ErrorKind::state,
        fmt::format("state in {} is damaged: it ends at epoch {}, but epoch {} was committed",
                    pipeline_dir_, found, *noted),
        "restore the whole folder from a backup, or start anew with --fresh (keeps the "
        "damaged state in an archive folder)");
  return {};
}

Status Run::declare_state() {
  std::vector<StateOwner> owners;
  std::map<std::string, std::string> sinks;
  for (const auto& node : plan_.nodes) {
    if (node.op && node.op->stateful())
      owners.push_back({node.state_of, node.op->state_signature()});
    if (node.sink) sinks[node.name] = node.type;
  }
  STREAMD_TRY(store_->declare(owners, options_.reset_state));
  return store_->declare_sinks(sinks, options_.reset_state);
}

// Before any record: a match against a list that is not there yet would be a wrong answer.
Status Run::open_lists() {
  lists_ = std::make_unique<Lists>(plan_, *options_.clock, log_, store_->hash_seed());
  return lists_->load(plan_.pipeline, pipeline_dir_, options_.stop,
                      [this](const std::string& what, const std::function<Status()>& attempt) {
                        return insist(what, attempt);
                      });
}

Status Run::open_sources() {
  sources_.resize(plan_.nodes.size());
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto& node = plan_.nodes[n];
    if (!node.source) continue;
    auto stored = store_->partitions(node.name);
    if (!stored) return tl::unexpected(std::move(stored).error());
    SourceContext context;
    context.node = node.name;
    context.pipeline = plan_.pipeline;
    context.workers = options_.workers;
    context.clock = options_.clock;
    context.shared = &shared_;
    context.uses = node.uses;
    context.fresh = options_.fresh;
    context.max_record = node.common.max_record.bytes;
    for (const auto& [name, partition] : *stored) context.resume_at[name] = partition.position;
    known_positions_[node.name] = context.resume_at;
    // Stepped there is one thread: nobody could wait for another.
    context.checkpoint_now = [this](Duration limit) {
      if (!options_.stepped) return checkpoint_.request(limit);
      wants_epoch_ = true;
      return false;
    };
    context.log = [this, name = node.name](int level, const std::string& text) {
      log_(static_cast<LogLevel>(level), fmt::format("source \"{}\": {}", name, text));
    };
    auto source = node.source->open(std::move(context));
    if (!source)
      return in_context(std::move(source).error(), fmt::format("source \"{}\"", node.name));
    sources_[n] = std::move(*source);
  }
  return {};
}

// Opens the transactional sinks, fences older processes of the same name, and decides whether an
// epoch that was being committed when the last process ended did commit.
Status Run::open_transaction() {
  opened_sinks_.resize(plan_.nodes.size());
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto& node = plan_.nodes[n];
    if (!node.sink || !node.sink->transactional()) continue;
    auto sink = node.sink->open(sink_context(
        node, plan_, pipeline_dir_, sink_owner(n, options_.workers), context_, shared_, ""));
    if (!sink) return in_context(std::move(sink).error(), fmt::format("sink \"{}\"", node.name));
    opened_sinks_[n] = std::move(*sink);
    auto* transaction = opened_sinks_[n]->transaction();
    if (transaction_ && transaction_->name() != transaction->name())
      return fail(ErrorKind::config,
                  fmt::format("exactly-once sinks write to two places ({} and {})",
                              transaction_->name(), transaction->name()),
                  "let all of them use the same brokers, or make one pipeline of each");
    transaction_ = transaction;
  }
  if (!transaction_) return store_->resolve(false);
  Epoch last = 0;
  STREAMD_TRY(insist(transaction_->name(), [&]() -> Status {
    const auto far = transaction_->last_committed();
    if (!far) return tl::unexpected(far.error());
    last = *far;
    return {};
  }));
  if (store_->prepared()) STREAMD_TRY(store_->resolve(last >= *store_->prepared()));
  if (last > store_->last_epoch())
    return fail(
        ErrorKind::state,
        fmt::format("{} has committed epoch {}, but the stored state ends at epoch {}",
                    transaction_->name(), last, store_->last_epoch()),
        "this state folder is older than what was sent: use the newer folder, or start anew "
        "with --fresh");
  return {};
}

Status Run::prepare() {
  STREAMD_CHECK(plan_.dead_letters.has_value(), "a plan that runs has a sink for dead letters");
  STREAMD_TRY(open_state());
  if (options_.observe)
    observer_ = options_.observe({plan_, pipeline_dir_, context_.taps, health_});
  context_.plan = &plan_;
  context_.workers = options_.workers;
  context_.clock = options_.clock;
  context_.log = log_;
  context_.dead_letters = *plan_.dead_letters;
  if (dir_)
    context_.refused =
        std::make_unique<RefusedLetters>(dead_letter_dir(options_.state_root, plan_.pipeline));
  context_.checkpoint = &checkpoint_;
  context_.health = &health_;
  context_.store = store_.get();
  context_.hash_seed = store_->hash_seed();
  context_.stepped = options_.stepped;
  if (options_.on_open) options_.on_open(shared_);
  for (std::size_t i = 0; i < options_.workers * plan_.nodes.size(); ++i)
    context_.counters.push_back(std::make_unique<NodeCounters>());
  for (unsigned from = 0; from < options_.workers; ++from)
    for (unsigned to = 0; to < options_.workers; ++to)
      context_.rings.push_back(from == to ? nullptr : std::make_unique<Ring>(kRingMessages));
  for (const auto& node : plan_.nodes)
    context_.source_clocks.push_back(node.source ? std::make_unique<SourceClock>(options_.workers)
                                                 : nullptr);

  STREAMD_TRY(open_transaction());
  STREAMD_TRY(declare_state());
  STREAMD_TRY(open_lists());
  STREAMD_TRY(open_sources());
  for (unsigned w = 0; w < options_.workers; ++w) {
    workers_.push_back(std::make_unique<Worker>(context_, w));
    STREAMD_TRY(workers_.back()->open(shared_, pipeline_dir_, sources_, opened_sinks_));
  }
  next_epoch_ = store_->last_epoch() + 1;
  report_restored();
  return {};
}

void Run::report_restored() {
  warn_of_forgotten_outboxes(plan_, pipeline_dir_, options_.log);
  if (store_->last_epoch() == 0 || store_->is_new()) return;
  std::uint64_t keys = 0;
  for (const auto& node : progress().nodes) keys += node.keys;
  std::size_t partitions = 0;
  for (const auto& [source, positions] : known_positions_) partitions += positions.size();
  log_(LogLevel::info,
       fmt::format("pipeline {}: restored epoch {}: {} keys, positions of {} partitions",
                   plan_.pipeline, store_->last_epoch(), keys, partitions));
}

bool Run::all_ended() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->ended(); });
}

bool Run::all_finished() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->finished(); });
}

// The control thread's life: start epochs, commit them, report, stop.
Status Run::loop() {
  const Clock& clock = *options_.clock;
  started_ = clock.monotonic();
  health_.started(started_);
  lists_->start();
  for (auto& worker : workers_) threads_.emplace_back([&w = *worker] { w.run(); });
  Duration last_epoch = started_, last_report = started_;
  bool last = false, end_seen = false;
  const auto wake = [this] { checkpoint_.notify(); };
  const std::stop_callback on_stop(options_.stop, wake);
  const std::stop_callback on_abandon(options_.abandon, wake);
  for (;;) {
    Duration next = last_epoch + options_.checkpoint_every;
    if (options_.on_progress) next = std::min(next, last_report + options_.progress_every);
    const Duration due_in = next - clock.monotonic();
    checkpoint_.wait(due_in > Duration{} ? std::min(due_in, kLongestTurn) : kTurn);
    if (checkpoint_.failed()) return tl::unexpected(checkpoint_.error());
    if (options_.abandon.stop_requested()) return cut_short();
    const Duration now = clock.monotonic();
    const auto limit = stop_by();
    if (limit && now > *limit) {
      log_(LogLevel::warning,
           "stopping took too long; everything since the last checkpoint will be read again");
      return cut_short();
    }
    const bool ending = stop_wanted() || all_finished();
    bool due = now - last_epoch >= options_.checkpoint_every;
    // There are sinks that send only what is committed.
    if (!ending && !checkpoint_.running() && all_ended() && !std::exchange(end_seen, true))
      due = true;
    if (!checkpoint_.running() && !last && (ending || due || checkpoint_.requested())) {
      last = ending;
      last_epoch = now;
      checkpoint_.start(next_epoch_, last);
    }
    if (auto parts = checkpoint_.take()) {
      STREAMD_TRY(commit(std::move(*parts)));
      if (last) break;
    }
    if (options_.on_progress && now - last_report >= options_.progress_every) {
      last_report = now;
      options_.on_progress(progress());
    }
  }
  threads_.clear();
  return {};
}

Status Run::cut_short() {
  cut_short_ = true;
  return {};
}

Progress Run::progress() const {
  Progress p;
  p.cut_short = cut_short_;
  p.pipeline = plan_.pipeline;
  p.epoch = next_epoch_ - 1;
  p.running = options_.clock->monotonic() - started_;
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto& node = plan_.nodes[n];
    NodeTotals t;
    t.name = node.name;
    t.type = node.type;
    t.kind = node.source ? NodeTotals::Kind::source
             : node.op   ? NodeTotals::Kind::op
                         : NodeTotals::Kind::sink;
    t.makes_results = node.op && !node.op->passes_records();
    for (unsigned w = 0; w < options_.workers; ++w)
      t.add(*context_.counters[w * plan_.nodes.size() + n]);
    p.nodes.push_back(std::move(t));
  }
  return p;
}

std::string dead_letter_dir(const std::string& state_root, const std::string& pipeline) {
  return state_root + "/" + pipeline + "/dead_letters";
}

Result<Progress> run_pipeline(const Plan& plan, const RunOptions& options) {
  Run run(plan, options);
  if (const auto ready = run.prepare(); !ready) {
    // Who stops a run that still waits for a far side loses nothing.
    if (options.stop.stop_requested() && ready.error().retry == Retry::backoff) return Progress{};
    return tl::unexpected(ready.error());
  }
  STREAMD_TRY(run.loop());
  return run.progress();
}

}  // namespace streamd
