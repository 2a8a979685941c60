// SPDX-License-Identifier: Apache-2.0
#include "plugin/call.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace streamd::plugin {
namespace {

thread_local CallPlace* t_inside = nullptr;

constexpr std::array<std::pair<int, std::string_view>, 5> kCrashes = {{{SIGSEGV, "SIGSEGV"},
                                                                       {SIGBUS, "SIGBUS"},
                                                                       {SIGFPE, "SIGFPE"},
                                                                       {SIGILL, "SIGILL"},
                                                                       {SIGABRT, "SIGABRT"}}};
std::array<struct sigaction, kCrashes.size()>
    g_before;  // written once, before any plugin is called

// A stack of its own for the handler, so that a call without end is told of, too.
class HandlerStack {
 public:
  HandlerStack() {
    stack_t now{};
    if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
    memory_ = std::make_unique_for_overwrite<char[]>(kBytes);
    stack_t own{};
    own.ss_sp = memory_.get();
    own.ss_size = kBytes;
    ::sigaltstack(&own, nullptr);
  }
  HandlerStack(const HandlerStack&) = delete;
  HandlerStack& operator=(const HandlerStack&) = delete;
  ~HandlerStack() {
    if (!memory_) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
  }

 private:
  static constexpr std::size_t kBytes = 64 * 1024;
  std::unique_ptr<char[]> memory_;
};

void write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, text.data(), text.size());
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// Only what a signal handler may do. Returning makes the same thing happen again, to whoever
// handled it before.
void on_crash(int signal, siginfo_t* about, void*) {
  std::size_t which = 0;
  while (which + 1 < kCrashes.size() && kCrashes[which].first != signal) ++which;
  if (const CallPlace* const place = t_inside) {
    const char* const what = place->what.load(std::memory_order_relaxed);
    write_out("\nerror: ");
    write_out(place->who);
    write_out(" crashed in ");
    write_out(what == nullptr ? "a call" : what);
    write_out(" (");
    write_out(kCrashes[which].second);
    write_out(
        ")\n  = help: this is a bug of the plugin: run the pipeline without it, or tell its "
        "author\n");
  }
  ::sigaction(signal, &g_before[which], nullptr);
  if (signal == SIGABRT || about->si_code <= 0) ::raise(signal);  // sent, not run into
}

}  // namespace

void name_crashes() {
  static const bool done = [] {
    for (std::size_t i = 0; i < kCrashes.size(); ++i) {
      struct sigaction action {};
      action.sa_sigaction = on_crash;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      ::sigemptyset(&action.sa_mask);
      ::sigaction(kCrashes[i].first, &action, &g_before[i]);
    }
    return true;
  }();
  static_cast<void>(done);
}

Inside::Inside(CallPlace& place, const char* what, std::int64_t now)
    : place_(place), written_(what != nullptr), outer_(std::exchange(t_inside, &place)) {
  thread_local const HandlerStack stack;
  if (what == nullptr) return;
  place.what.store(what, std::memory_order_relaxed);
  place.since.store(now, std::memory_order_release);
}

Inside::~Inside() {
  t_inside = outer_;
  if (!written_) return;
  place_.since.store(0, std::memory_order_relaxed);
  place_.what.store(nullptr, std::memory_order_release);
}

CallWatch::CallWatch(const Clock& clock, Log log, Duration patience)
    : clock_(clock),
      log_(std::move(log)),
      patience_(patience),
      thread_([this](std::stop_token stop) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, stop, std::chrono::seconds(1), [&] { return false; }) &&
               !stop.stop_requested()) {
          lock.unlock();
          look();
          lock.lock();
        }
      }) {}

void CallWatch::add(std::shared_ptr<CallPlace> place) {
  const std::lock_guard lock(mutex_);
  watched_.push_back({std::move(place)});
}

void CallWatch::look() {
  const std::lock_guard lock(mutex_);
  std::erase_if(watched_, [](const Watched& w) { return w.place.expired(); });
  for (Watched& watched : watched_)
    if (const auto place = watched.place.lock()) look_at(watched, *place);
}

void CallWatch::look_at(Watched& watched, CallPlace& place) {
  const char* const what = place.what.load(std::memory_order_acquire);
  const std::int64_t since = place.since.load(std::memory_order_acquire);
  if (watched.told_of != 0 && watched.told_of != since) {
    log_(0, fmt::format("{} has returned", place.who));
    watched = {watched.place};
  }
  if (what == nullptr || since == 0) return;
  const std::int64_t taken = clock_.monotonic().micros - since;
  const bool again = watched.told_of == since;
  if (taken < (again ? 2 * watched.told_after : patience_.micros)) return;
  watched.told_of = since;
  watched.told_after = taken;
  log_(1, fmt::format("{} has not returned from {} for {} s: the pipeline waits for it", place.who,
                      what, taken / 1'000'000));
}

}  // namespace streamd::plugin
