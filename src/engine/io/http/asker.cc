// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/asker.h"

#include "engine/io/http/pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace streamd::http {
namespace {

// The clock is injected, so waiting is looking at it.
constexpr Duration kLook = Duration::from_millis(20);
// A person has to do something first.
constexpr Duration kHopelessPause = Duration::from_seconds(30);
// A service that fails now and then is not told each time.
constexpr Duration kTellEvery = Duration::from_seconds(60);

// The questions of one call.
struct Job {
  const Asker::Question* question = nullptr;
  std::vector<std::string>* why = nullptr;
  std::stop_token stop;
  std::size_t count = 0, begun = 0, ended = 0;
  Status status;
};

}  // namespace

struct Asker::Inside {
  Inside(AskerOptions o, const Clock& c, Log l, std::uint64_t dice_seed)
      : options(std::move(o)),
        clock(c),
        log(std::move(l)),
        pace(options.per_second),
        backoff(options.retry, random_dice(dice_seed)) {}
  ~Inside() {
    for (auto& thread : threads) thread.request_stop();
    threads.clear();
  }

  enum class Leave { go, failing, stopped };

  void run(const std::stop_token& end) {
    std::unique_lock lock(mutex);
    while (changed.wait(lock, end, [this] { return !jobs.empty(); })) {
      Job& job = *jobs.front();
      jobs.pop_front();
      const std::size_t n = job.begun++;
      // Jobs take turns, so that a large batch does not hold up the small ones of other workers.
      if (job.begun < job.count) jobs.push_back(&job);
      answer(job, n, lock);
      if (++job.ended == job.count) done.notify_all();
    }
  }

  void answer(Job& job, std::size_t n, std::unique_lock<std::mutex>& lock) {
    bool probes = false;
    const Leave leave = wait_for_leave(job.stop, lock, probes);
    if (leave != Leave::go) {
      (*job.why)[n] = leave == Leave::failing ? trouble : "stopped";
      return;
    }
    const std::uint64_t began_in = generation;
    lock.unlock();
    Asked asked = (*job.question)(n, job.stop);
    lock.lock();
    if (probes) {
      probing = false;
      changed.notify_all();
    }
    const bool stopped = job.stop.stop_requested();
    if (asked.error) (*job.why)[n] = asked.error->message;
    // What began before the last turn of things says nothing about now.
    if (stopped || began_in != generation) return;
    if (!asked.error) return worked();
    if (asked.error->retry == Retry::never && !answered_once && job.status)
      job.status = tl::unexpected(*asked.error);
    failed(*asked.error, asked.retry_after);
  }

  Leave wait_for_leave(const std::stop_token& stop, std::unique_lock<std::mutex>& lock,
                       bool& probes) {
    while (!stop.stop_requested()) {
      const Duration now = clock.monotonic();
      if (failing_since && !probing && !backoff.due(now)) return Leave::failing;
      Duration wait = pace.wait(now);
      if (wait == Duration{} && !(failing_since && probing)) {
        probes = probing = failing_since.has_value();
        pace.begun(now);
        return Leave::go;
      }
      if (wait == Duration{}) wait = kLook;
      changed.wait_for(lock, stop, std::chrono::microseconds(std::min(wait, kLook).micros),
                       [] { return false; });
    }
    return Leave::stopped;
  }

  void tell(int level, const std::string& text) const {
    if (log) log(level, text);
  }

  void failed(const Error& error, std::optional<Duration> retry_after) {
    const Duration now = clock.monotonic();
    ++generation;
    if (error.retry == Retry::never)
      retry_after = std::max(retry_after.value_or(Duration{}), kHopelessPause);
    backoff.failed(now, retry_after);
    trouble = error.message;
    if (!failing_since) failing_since = now;
    if (told || (told_at && now - *told_at < kTellEvery)) return;
    told = true;
    told_at = now;
    tell(1, fmt::format("{}; {} until it answers again{}", error.message, options.meanwhile,
                        error.hint.empty() ? "" : fmt::format(" ({})", error.hint)));
  }

  void worked() {
    answered_once = true;
    if (!failing_since) return;
    ++generation;
    backoff.succeeded();
    const Duration lasted = clock.monotonic() - *failing_since;
    failing_since.reset();
    changed.notify_all();
    if (!std::exchange(told, false)) return;
    tell(0, fmt::format("healed: {} answers again after {:.1f} s", options.far_side,
                        static_cast<double>(lasted.micros) / 1e6));
  }

  const AskerOptions options;
  const Clock& clock;
  const Log log;

  std::mutex mutex;
  std::condition_variable_any changed;  // for the threads
  std::condition_variable done;         // for those who wait for answers
  std::deque<Job*> jobs;                // with questions that have not begun
  Pace pace;
  Backoff backoff;
  std::optional<Duration> failing_since;
  bool probing = false;          // while failing: one question is on its way
  std::uint64_t generation = 0;  // of failing and working again
  bool answered_once = false;
  std::string trouble;
  bool told = false;
  std::optional<Duration> told_at;
  std::vector<std::jthread> threads;  // last: they use all of the above
};

Asker::Asker(AskerOptions options, const Clock& clock, Log log, std::uint64_t dice_seed)
    : inside_(std::make_unique<Inside>(std::move(options), clock, std::move(log), dice_seed)) {}
Asker::~Asker() = default;

Status Asker::ask(std::size_t count, const Question& question, const std::stop_token& stop,
                  std::vector<std::string>& why) {
  why.assign(count, {});
  if (count == 0) return {};
  Job job{&question, &why, stop, count, 0, 0, {}};
  Inside& in = *inside_;
  std::unique_lock lock(in.mutex);
  const std::size_t useful = std::min<std::size_t>(count, std::max(1u, in.options.concurrency));
  while (in.threads.size() < useful)
    in.threads.emplace_back([&in](const std::stop_token& end) { in.run(end); });
  in.jobs.push_back(&job);
  in.changed.notify_all();
  in.done.wait(lock, [&job] { return job.ended == job.count; });
  return job.status;
}

}  // namespace streamd::http
