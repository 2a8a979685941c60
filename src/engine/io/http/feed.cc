// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/feed.h"

#include "engine/api/nothing_reader.h"
#include "engine/api/stand_in.h"
#include "engine/core/hash.h"
#include "engine/io/http/feed_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

namespace streamd::http {
namespace {

constexpr Duration kCommitWait = Duration::from_millis(500);
constexpr int kQuietTurns = 2;

template <class Number>
bool read_number(std::string_view text, Number& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::uint64_t print_on(std::uint64_t print, const RawRecord& record) {
  return mix64(print ^ record.position, 0x9E3779B97F4A7C15ull) + 1;
}

// The thread that fetches, or the worker in its place. Everything but the queue is its own.
class Feed {
 public:
  Feed(std::unique_ptr<Fetcher> fetcher, FeedOptions options, SourceContext context)
      : options_(std::move(options)),
        context_(std::move(context)),
        stand_in_(StandIn::of(context_.shared)),
        queue_(*context_.clock, options_.queue_bytes, options_.start),
        fetcher_(std::move(fetcher)),
        backoff_(options_.retry,
                 random_dice(hash_bytes(context_.node, static_cast<std::uint64_t>(
                                                           context_.clock->monotonic().micros)))),
        resumed_(FeedPosition::parse(options_.start)),
        last_after_(options_.start) {}
  ~Feed() { stop(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void start() {
    if (!stepped() && !thread_.joinable())
      thread_ = std::jthread([this](std::stop_token s) { run(s); });
  }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  bool stepped() const { return stand_in_ != nullptr; }
  // Instead of the thread: all that is due by now. The worker.
  void step() {
    // Some calls only get ready for the next one, so a single quiet one says nothing.
    int quiet = 0;
    while (!over_ && context_.clock->monotonic() >= rests_until_ && quiet < kQuietTurns) {
      if (!may_step()) return;
      const Duration now = context_.clock->monotonic();
      const Next next = take_turn({});
      over_ = next.over;
      quiet = next.quiet ? quiet + 1 : 0;
      if (next.pause <= Duration{}) continue;
      rests_until_ = now + next.pause;
      stand_in_->rests(context_.node, rests_until_);
    }
    if (over_ || !stand_in_->ended() || !queue_.view().empty) return;
    over_ = true;
    queue_.end();
  }

  FeedQueue& queue() { return queue_; }
  const FeedOptions& options() const { return options_; }

 private:
  struct Next {
    bool over = false;   // nothing is fetched any more
    bool quiet = false;  // it gave nothing, and another call now would not, either
    Duration pause{};
  };

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested() && may_fetch(stop)) {
      const Next next = take_turn(stop);
      if (next.over || (next.pause > Duration{} && !queue_.rest(next.pause, stop))) return;
    }
  }

  Next take_turn(const std::stop_token& stop) {
    FeedBlock block;
    const Duration asked = context_.clock->monotonic();
    auto turn = fetcher_->fetch(block, stop);
    if (stop.stop_requested()) return {.over = true};
    if (!turn) {
      if (turn.error().retry != Retry::never) return {.pause = failed(turn.error())};
      queue_.fail(std::move(turn).error());
      return {.over = true};
    }
    if (turn->what != Turn::What::quiet) worked();
    switch (turn->what) {
      case Turn::What::block: hand_over(std::move(block), turn->more, asked); break;
      case Turn::What::nothing: queue_.nothing(asked); break;
      case Turn::What::quiet: break;
      case Turn::What::end: queue_.end(); return {.over = true};
    }
    return {.quiet = turn->what != Turn::What::block, .pause = turn->pause};
  }

  // One block at a time, so that what is in the queue does not depend on its size.
  bool may_step() {
    if (!queue_.view().empty) return false;
    if (!options_.commit_first || queue_.wait_until_committed(last_after_, Duration{}, {}))
      return true;
    if (context_.checkpoint_now) (void)context_.checkpoint_now(Duration{});
    return false;
  }

  bool may_fetch(const std::stop_token& stop) {
    if (!options_.commit_first) return queue_.wait_for_room(stop);
    if (!queue_.wait_until_read(stop)) return false;
    while (!queue_.wait_until_committed(last_after_, Duration{}, stop)) {
      if (context_.checkpoint_now) (void)context_.checkpoint_now(kCommitWait);
      (void)queue_.wait_until_committed(last_after_, kCommitWait, stop);
      if (stop.stop_requested()) return false;
    }
    return true;
  }

  void log(int level, const std::string& text) const {
    if (context_.log) context_.log(level, text);
  }

  Duration failed(const Error& error) {
    const Duration now = context_.clock->monotonic();
    if (!failing_since_) {
      failing_since_ = now;
      log(1, error.hint.empty() ? fmt::format("{}; trying again", error.message)
                                : fmt::format("{}; trying again ({})", error.message, error.hint));
    }
    well_since_.reset();
    return backoff_.failed(now, fetcher_->asked_wait());
  }

  void worked() {
    if (!failing_since_) return;
    const Duration now = context_.clock->monotonic();
    if (!well_since_) well_since_ = now;
    if (now - *well_since_ < options_.settle) return;
    log(0, fmt::format("healed: {} answers again after {:.1f} s", options_.far_side,
                       static_cast<double>((*well_since_ - *failing_since_).micros) / 1e6));
    failing_since_.reset();
    backoff_.succeeded();
  }

  void hand_over(FeedBlock block, bool more, Duration asked) {
    for (RawRecord& record : block.batch.records) {
      if (!record.fault.empty() || record.data.size() <= context_.max_record) continue;
      record.data = record.data.substr(0, kFaultBytes);
      record.fault = "too-long";
    }
    last_after_ = block.after;
    if (resumed_) leave_out_known(block);
    queue_.push(std::move(block), more, asked);
  }

  // The first block of a run that begins in the middle of one.
  void leave_out_known(FeedBlock& block) {
    const FeedPosition known = *std::exchange(resumed_, std::nullopt);
    auto& records = block.batch.records;
    if (known.records == 0 || block.at != known.own) return;
    std::uint64_t print = 0;
    const std::size_t count = std::min<std::size_t>(known.records, records.size());
    for (std::size_t i = 0; i < count; ++i) print = print_on(print, records[i]);
    if (count < known.records || print != known.print) {
      log(0, fmt::format("{} gives other records than before the restart; all of them are read "
                         "again",
                         options_.far_side));
      return;
    }
    block.at = options_.start;
    records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(count));
  }

  const FeedOptions options_;
  const SourceContext context_;
  const std::shared_ptr<StandIn> stand_in_;
  FeedQueue queue_;
  const std::unique_ptr<Fetcher> fetcher_;
  Backoff backoff_;
  std::optional<FeedPosition> resumed_;
  Position last_after_;
  std::optional<Duration> failing_since_, well_since_;
  Duration rests_until_{};  // without a thread
  bool over_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

class FeedReader final : public Reader {
 public:
  explicit FeedReader(std::shared_ptr<Feed> feed)
      : feed_(std::move(feed)), position_(feed_->options().start) {}

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    Duration wait = limits.max_wait;
    while (next_ == block_.batch.records.size()) {
      if (ended_) return Pull::end;
      if (feed_->stepped()) {
        feed_->step();
        wait = {};
      }
      auto popped = feed_->queue().pop(wait);
      if (!popped) return tl::unexpected(std::move(popped).error());
      if (!*popped) {
        const auto view = feed_->queue().view();
        ended_ = view.ended && view.empty;
        return ended_ ? Pull::end : Pull::idle;
      }
      begin(std::move(**popped));
      wait = {};
    }
    hand_out(limits.max_records, out);
    return Pull::data;
  }

  void partitions(std::vector<PartitionState>& out) override {
    const auto view = feed_->queue().view();
    const bool drained = next_ == block_.batch.records.size() && view.empty;
    confirmed_ = view.confirmed;
    out.push_back({0, position_, drained && view.caught_up, drained && view.ended});
  }
  std::optional<Duration> confirmed_at(Duration) const override { return confirmed_; }
  std::string partition_name(std::uint32_t) const override { return feed_->options().partition; }

 private:
  void begin(FeedBlock block) {
    block_ = std::move(block);
    next_ = 0;
    progress_ = FeedPosition::parse(block_.at);
    if (block_.batch.records.empty()) position_ = block_.after;
  }

  void hand_out(std::size_t max_records, RawBatch& out) {
    auto& records = block_.batch.records;
    const std::size_t count = std::min(max_records, records.size() - next_);
    out.partition = 0;
    out.buffer = block_.batch.buffer;
    out.padding = block_.batch.padding;
    const bool whole = count == records.size();
    if (!whole) {
      const auto from = records.begin() + static_cast<std::ptrdiff_t>(next_);
      out.records.assign(from, from + static_cast<std::ptrdiff_t>(count));
      for (const RawRecord& record : out.records)
        progress_.print = print_on(progress_.print, record);
      progress_.records += count;
      next_ += count;
    } else {
      out.records.swap(records);
      records.clear();
      next_ = 0;
    }
    const bool partly = next_ < records.size() && !block_.at.empty();
    position_ = partly ? progress_.text() : block_.after;
    if (next_ == records.size()) block_.batch.clear(), next_ = 0;
  }

  std::shared_ptr<Feed> feed_;
  FeedBlock block_;
  std::size_t next_ = 0;
  FeedPosition progress_;  // in block_
  Position position_;
  std::optional<Duration> confirmed_;
  bool ended_ = false;
};

class FeedSource final : public Source {
 public:
  explicit FeedSource(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  ~FeedSource() override { feed_->stop(); }
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    if (worker != 0) return std::make_unique<NothingReader>();
    feed_->start();
    return std::make_unique<FeedReader>(feed_);
  }
  Status acknowledge(Epoch, const Positions& positions) override {
    const auto own = positions.find(feed_->options().partition);
    if (own != positions.end()) feed_->queue().committed(own->second);
    return {};
  }
  void close() noexcept override { feed_->stop(); }

 private:
  std::shared_ptr<Feed> feed_;
};

}  // namespace

FeedPosition FeedPosition::parse(std::string_view text) {
  FeedPosition position;
  const std::size_t plus = text.rfind('+'), tilde = text.rfind('~');
  position.own = text.substr(0, plus);
  if (plus == std::string_view::npos || tilde == std::string_view::npos || tilde < plus)
    return position;
  if (!read_number(text.substr(plus + 1, tilde - plus - 1), position.records, 10) ||
      !read_number(text.substr(tilde + 1), position.print, 16))
    position.records = position.print = 0;
  return position;
}

std::string FeedPosition::text() const {
  return records == 0 ? own : fmt::format("{}+{}~{:x}", own, records, print);
}

Position stored_position(const SourceContext& context, const std::string& partition) {
  const auto found = context.resume_at.find(partition);
  return found == context.resume_at.end() ? Position{} : FeedPosition::parse(found->second).own;
}

void number_by_content(std::uint64_t seed, std::vector<RawRecord>& records) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  order.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].position = hash_bytes(records[i].data, seed);
    order.emplace_back(records[i].position, static_cast<std::uint32_t>(i));
  }
  std::sort(order.begin(), order.end());
  std::uint64_t before = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    before = order[i].first == order[i - 1].first ? before + 1 : 0;
    if (before > 0) records[order[i].second].position = mix64(order[i].first ^ before, seed | 1);
  }
}

std::unique_ptr<Source> open_feed(std::unique_ptr<Fetcher> fetcher, FeedOptions options,
                                  SourceContext context) {
  return std::make_unique<FeedSource>(
      std::make_shared<Feed>(std::move(fetcher), std::move(options), std::move(context)));
}

}  // namespace streamd::http
