// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/lists.h"

#include "engine/api/field_type.h"
#include "engine/core/hash.h"
#include "engine/match/indicator_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace streamd {
namespace {

constexpr Duration kFirstPause = Duration::from_seconds(1);
// A person has to do something first.
constexpr Duration kHopelessPause = Duration::from_seconds(30);
// Lists may change many times a second; nobody looks that often.
constexpr Duration kNoteEvery = Duration::from_seconds(10);
// The clock is injected, so waiting is looking at it.
constexpr Duration kLook = Duration::from_millis(100);

}  // namespace

RunningList::RunningList(const PlanList& list, const Clock& clock, LogFn log, std::uint64_t seed)
    : list_(list),
      clock_(clock),
      log_(std::move(log)),
      seed_(seed),
      dice_(hash_bytes(list.name, seed)) {}

std::string RunningList::told(const std::string& text) const {
  return fmt::format("list \"{}\": {}", list_.name, text);
}

Status RunningList::open(const std::string& pipeline, const std::string& pipeline_dir) {
  ListContext context;
  context.name = list_.name;
  context.pipeline = pipeline;
  context.state_dir = pipeline_dir;
  context.clock = &clock_;
  context.hash_seed = seed_;
  context.log = [this](int level, const std::string& text) {
    log_(static_cast<LogLevel>(level), told(text));
  };
  dir_ = pipeline_dir;
  auto loader = list_.plan->open(std::move(context));
  if (!loader) return in_context(std::move(loader).error(), fmt::format("list \"{}\"", list_.name));
  loader_ = std::move(*loader);
  return {};
}

Status RunningList::load(std::stop_token stop) {
  auto update = loader_->load(stop);
  if (!update) return tl::unexpected(std::move(update).error());
  const auto trouble = std::move(update->trouble);
  STREAMD_TRY(take(std::move(*update)));
  if (trouble) {
    // Out of a copy: it came when an earlier run loaded it.
    if (const auto before = read_list_status(dir_, list_.name)) loaded_ = before->loaded;
    failed(*trouble);
    note_status();
    return {};
  }
  if (current_)
    log_(LogLevel::info,
         told(fmt::format("{} entries, {}", current_->size(), readable_size(current_->bytes()))));
  schedule(list_.plan->refresh());
  note_status();
  return {};
}

// A tenth more or less, so that many processes do not ask at the same moment.
void RunningList::schedule(Duration in) {
  dice_ = mix64(dice_ + 0x9E3779B97F4A7C15ull, 0xD6E8FEB86659FD93ull);
  const auto share = static_cast<std::int64_t>(dice_ % 2001) - 1000;  // of 10 000
  due_ = clock_.monotonic() + in + Duration{in.micros / 10'000 * share};
}

Status RunningList::take(ListUpdate update) {
  if (update.list && current_ && current_->size() >= kShrinkMatters) {
    // What has ended by its own time is not missing.
    const EventTime now = clock_.wall();
    const std::size_t kept = update.list->live(now), before = current_->live(now);
    if (shrinks_too_much(before, kept, list_.plan->max_shrink()))
      return fail_for_now(
          fmt::format("a refresh has {} entries instead of {}, which looks like a broken one", kept,
                      before),
          "if it is right, start again, or set max_shrink: 1");
  }
  if (update.list) {
    if (current_) retired_.push_back(std::move(current_));
    current_ = std::move(update.list);
    list_.slot->put(current_, &clock_);
    loaded_ = clock_.wall();
  }
  if (!update.notice.empty()) log_(LogLevel::info, told(update.notice));
  if (!update.remark.empty()) log_(LogLevel::warning, told(update.remark));
  return {};
}

void RunningList::failed(const Error& error) {
  pause_ = pause_ == Duration{} ? kFirstPause : Duration{pause_.micros * 2};
  pause_ = std::min(pause_, std::max(list_.plan->refresh(), kFirstPause));
  if (error.retry == Retry::never) pause_ = std::max(list_.plan->refresh(), kHopelessPause);
  schedule(pause_);
  if (trouble_ == error.message) return;
  const bool first = trouble_.empty();
  if (first) trouble_since_ = clock_.wall();
  trouble_ = error.message;
  if (!first) return;
  const std::string stays =
      current_ ? fmt::format("; the {} entries of before stay in force", current_->size()) : "";
  log_(LogLevel::warning,
       told(error.message + stays + (error.hint.empty() ? "" : "; " + error.hint)));
}

void RunningList::refresh(std::stop_token stop) {
  auto update = loader_->load(stop);
  if (stop.stop_requested()) return;
  if (!update) return failed(update.error());
  if (update->list) refused_.reset();
  if (auto status = take(std::move(*update)); !status) refused_ = std::move(status).error();
  // As long as nothing else comes, what was refused is still what there is.
  if (refused_) return failed(*refused_);
  if (!trouble_.empty()) log_(LogLevel::info, told("healed"));
  trouble_.clear();
  pause_ = {};
  schedule(list_.plan->refresh());
}

void RunningList::note_status() {
  const ListStatus status{current_ ? current_->size() : 0, loaded_, trouble_,
                          trouble_.empty() ? EventTime{} : trouble_since_};
  if (status == noted_) return;
  const Duration now = clock_.monotonic();
  if (status.trouble == noted_.trouble && now < note_due_) return;
  write_list_status(dir_, list_.name, status);
  noted_ = status;
  note_due_ = now + kNoteEvery;
}

std::optional<Duration> RunningList::turn(std::stop_token stop) {
  if (list_.plan->refresh() == Duration{}) return std::nullopt;
  if (clock_.monotonic() >= due_) {
    refresh(stop);
    note_status();
  }
  std::erase_if(retired_, [](const auto& list) { return list.use_count() == 1; });
  return std::max(due_ - clock_.monotonic(), Duration{});
}

Lists::Lists(const Plan& plan, const Clock& clock, const LogFn& log, std::uint64_t seed) {
  for (const auto& list : plan.lists)
    lists_.push_back(std::make_unique<RunningList>(list, clock, log, seed));
}

Lists::~Lists() = default;

Status Lists::load(const std::string& pipeline, const std::string& pipeline_dir,
                   std::stop_token stop, const Insist& insist) {
  for (auto& list : lists_) {
    STREAMD_TRY(list->open(pipeline, pipeline_dir));
    const std::string what = fmt::format("list \"{}\"", list->name());
    if (auto status = insist(what, [&] { return list->load(stop); }); !status)
      return in_context(std::move(status).error(), what);
  }
  return {};
}

void Lists::start() {
  for (auto& list : lists_)
    threads_.emplace_back([&list = *list](std::stop_token stop) {
      std::mutex mutex;
      std::condition_variable_any wakes;
      while (!stop.stop_requested()) {
        const auto idle = list.turn(stop);
        if (!idle) return;
        std::unique_lock lock(mutex);
        wakes.wait_for(lock, stop, std::chrono::microseconds(std::min(*idle, kLook).micros),
                       [] { return false; });
      }
    });
}

}  // namespace streamd
