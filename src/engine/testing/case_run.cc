// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/case_run.h"

#include "engine/core/clock.h"
#include "engine/expr/json_reader.h"
#include "engine/runtime/stepped_run.h"
#include "engine/state/backend.h"
#include "engine/testing/given.h"

#include <algorithm>
#include <set>
#include <utility>

namespace streamd::testing {
namespace {

constexpr std::uint64_t kSeed = 0x5EED;
constexpr Duration kTick = Duration::from_seconds(1);
constexpr std::int64_t kMostTicks = 1000;
// A folder that is not there: nothing of a test is written anywhere.
constexpr const char* kNowhere = "/nonexistent/streamd-test";

// What a disk is to a run: it is there for the next one.
class KeptBackend final : public StateBackend {
 public:
  explicit KeptBackend(std::shared_ptr<StateBackend> kept) : kept_(std::move(kept)) {}
  Result<std::optional<std::string>> get(std::string_view key) override { return kept_->get(key); }
  Status scan(std::string_view from, std::string_view to, const Visit& visit) override {
    return kept_->scan(from, to, visit);
  }
  Status write(const ChangeSet& changes) override { return kept_->write(changes); }

 private:
  std::shared_ptr<StateBackend> kept_;
};

Books books_of(const NodeTotals& totals) {
  return {totals.in,     totals.out,     totals.dead_letters,
          totals.failed, totals.clamped, totals.dropped};
}

template <class Op>
Books combine(Books a, const Books& b, Op op) {
  a.in = op(a.in, b.in);
  a.out = op(a.out, b.out);
  a.dead_letters = op(a.dead_letters, b.dead_letters);
  a.failed = op(a.failed, b.failed);
  a.clamped = op(a.clamped, b.clamped);
  for (std::size_t r = 0; r < kDropReasons; ++r) a.dropped[r] = op(a.dropped[r], b.dropped[r]);
  return a;
}

class Runner {
 public:
  Runner(const TestFile& file, const Case& the_case, Bench& bench)
      : case_(the_case),
        bench_(bench),
        start_(the_case.start.value_or(file.start.value_or(kDefaultStart))),
        clock_(start_),
        disk_(make_memory_backend()),
        answers_(std::make_shared<Answers>()) {
    for (const auto& [node, place, answers] : file.answers) answers_->set(node, place, answers);
  }

  CaseRun run() {
    if (auto status = steps(); !status) result_.error = std::move(status).error();
    if (run_) result_.books = with_shared(now());
    run_.reset();
    result_.unanswered = answers_->take_unanswered();
    result_.answered = answers_->used();
    if (!result_.error) leave();
    return std::move(result_);
  }

 private:
  Status steps() {
    for (const Step& step : case_.steps) STREAMD_TRY(take(step));
    return take(case_);
  }

  Status open() {
    RunOptions options;
    options.state_root = kNowhere;
    options.clock = &clock_;
    options.log = [this](LogLevel level, const std::string& text) {
      if (level != LogLevel::info) result_.warnings.push_back(text);
    };
    options.backend = [this]() -> Result<std::unique_ptr<StateBackend>> {
      return std::make_unique<KeptBackend>(disk_);
    };
    options.hash_seed = kSeed;
    options.on_open = [this](Shared& shared) { StandIn::put(shared, Answers::stand_in(answers_)); };
    auto run = SteppedRun::open(bench_.plan, std::move(options));
    if (!run) return tl::unexpected(std::move(run).error());
    run_ = std::move(*run);
    // A partition that had records before a restart counts as if it had just had one.
    for (auto& [partition, at] : last_given_) at = clock_.monotonic();
    return run_->settle();
  }

  Status take(const Step& step) {
    if (step.restart) {
      run_.reset();
      before_ = committed_;
    }
    // A source asks as soon as it is there.
    for (const auto& [node, place, answers] : step.answers) answers_->set(node, place, answers);
    if (!run_) STREAMD_TRY(open());
    for (const auto& [name, place, entries] : step.lists) swap_list(name, entries);
    for (const auto& [sink, place, times] : step.fails) bench_.recordings[sink]->fails = times;
    STREAMD_TRY(give(step.in));
    if (step.after != Duration{}) {
      STREAMD_TRY(advance(step.after));
      STREAMD_TRY(checkpoint());
    }
    if (step.end) {
      for (auto& [name, script] : bench_.scripts) script->end();
      answers_->end();
      STREAMD_TRY(run_->settle());
    }
    return step.expect.empty() ? Status{} : look(step.expect);
  }

  void swap_list(const std::string& name, const EntryList& entries) {
    *bench_.lists[name] = entries;
    for (const auto& list : bench_.plan.lists)
      if (list.name == name) list.slot->put(build_list(entries, kSeed), &clock_);
  }

  Status give(const NamedList<GivenList>& in) {
    const auto records = records_of(in, bench_.plan, start_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const GivenRecord& record = records[i];
      if (record.at && *record.at > clock_.wall()) STREAMD_TRY(advance(*record.at - clock_.wall()));
      bench_.scripts[record.source]->add(record.data, record.partition, clock_.wall());
      last_given_[{record.source, record.partition}] = clock_.monotonic();
      STREAMD_TRY(run_->settle());
      if (i == (records.size() - 1) / 2) STREAMD_TRY(checkpoint());
    }
    return {};
  }

  // By steps, as time goes by in a run, and exactly to where a partition falls silent or a source
  // asks again.
  Status advance(Duration by) {
    const Duration end = clock_.monotonic() + by;
    const Duration tick{std::max(kTick.micros, by.micros / kMostTicks)};
    while (clock_.monotonic() < end) {
      const Duration now = clock_.monotonic();
      Duration next = std::min(end, now + tick);
      for (const auto& [partition, at] : last_given_) {
        const Duration idle = at + idle_after(partition.first);
        if (idle > now) next = std::min(next, idle);
      }
      for (const auto& [source, until] : answers_->resting())
        if (until > now) next = std::min(next, until);
      clock_.advance(next - now);
      STREAMD_TRY(run_->settle());
    }
    return {};
  }

  Duration idle_after(const std::string& source) const {
    for (const auto& node : bench_.plan.nodes)
      if (node.name == source && node.common.time) return node.common.time->idle_after;
    return TimeConfig{}.idle_after;
  }

  Status checkpoint() {
    STREAMD_TRY(run_->checkpoint());
    committed_ = now();
    return {};
  }

  // Of all runs; what was taken back by a restart does not count.
  AllBooks now() const {
    AllBooks all = before_;
    for (const auto& totals : run_->progress().nodes) {
      Books& books = all[totals.name];
      books = books + books_of(totals);
    }
    return all;
  }

  AllBooks with_shared(AllBooks all) const {
    for (const auto& node : bench_.plan.nodes) {
      if (node.state_of.size() < 2) continue;
      const Books common = all[node.name];
      for (const auto& name : node.state_of) {
        const Books own = all[name];
        all[name] = common;
        all[name].out = own.out;
        all[name].dead_letters += own.dead_letters;
        all[name].failed += own.failed;
      }
    }
    return all;
  }

  // What was looked at is not taken back any more.
  Status look(const NamedList<Expected>& expect) {
    STREAMD_TRY(checkpoint());
    const AllBooks all = with_shared(now());
    for (const auto& [place, name_place, expected] : expect) {
      Look look{place,
                name_place,
                &expected,
                unseen(place, &Recording::rows),
                unseen(place, &Recording::sent),
                {}};
      if (const auto found = all.find(place); found != all.end()) {
        look.books = found->second - seen_books_[place];
        seen_books_[place] = found->second;
      }
      if (expected.dead_letters || expected.failed) excused_.insert(place);
      if (expected.clamped) unclamped_.insert(place);
      result_.looks.push_back(std::move(look));
    }
    return {};
  }

  using Rows = std::vector<std::string>;
  // The rows that nobody has looked at.
  Rows unseen(const std::string& place, Rows Recording::*which) {
    const auto recording = bench_.recordings.find(place);
    if (recording == bench_.recordings.end()) return {};
    const Rows& rows = (*recording->second).*which;
    std::size_t& seen = seen_rows_[&rows];
    Rows fresh(rows.begin() + static_cast<std::ptrdiff_t>(seen), rows.end());
    seen = rows.size();
    return fresh;
  }

  // What is left over: rows at places that the case looks at, dead letters that it knows nothing
  // of.
  void leave() {
    std::map<std::string, Look> last;
    for (const auto& look : result_.looks)
      if (look.expected->looks_at_records()) last[look.place] = look;
    for (auto& [place, look] : last) {
      look.rows = unseen(place, &Recording::rows);
      look.expected = nullptr;
      if (!look.rows.empty()) result_.looks.push_back(look);
    }
    Arena arena;
    for (auto& row : unseen(bench_.dead_letters, &Recording::rows)) {
      const Value node = expr::member(expr::read_json(row, arena), "node");
      if (!node.is(Kind::string) || !excused_.contains(std::string(node.text())))
        result_.leftovers.push_back(std::move(row));
    }
    for (const auto& [name, books] : result_.books)
      if (books.clamped > 0 && !unclamped_.contains(name)) result_.clamped[name] = books.clamped;
  }

  const Case& case_;
  Bench& bench_;
  const EventTime start_;
  ManualClock clock_;
  std::shared_ptr<StateBackend> disk_;
  std::shared_ptr<Answers> answers_;
  std::unique_ptr<SteppedRun> run_;
  std::map<std::pair<std::string, std::string>, Duration> last_given_;  // source, partition
  AllBooks before_;     // of the runs before this one, as far as they count
  AllBooks committed_;  // at the last checkpoint
  AllBooks seen_books_;
  std::map<const Rows*, std::size_t> seen_rows_;
  std::set<std::string> excused_, unclamped_;
  CaseRun result_;
};

}  // namespace

Books operator+(Books a, const Books& b) {
  return combine(a, b, [](std::uint64_t x, std::uint64_t y) { return x + y; });
}
Books operator-(Books a, const Books& b) {
  return combine(a, b, [](std::uint64_t x, std::uint64_t y) { return x - y; });
}

CaseRun run_case(const TestFile& file, const Case& the_case, Bench& bench) {
  return Runner(file, the_case, bench).run();
}

}  // namespace streamd::testing
