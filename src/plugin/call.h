// SPDX-License-Identifier: Apache-2.0
// Calls into plugins, and who is named when one goes wrong. Every call is made through
// Caller::call(): it catches what is thrown, names the plugin when the process crashes inside it,
// and lets the watch see that it does not return.
#pragma once

#include "engine/core/clock.h"
#include "plugin/abi.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace streamd::plugin {

// The plugin and node that a thread is inside of. Lives as long as the instance of the component.
struct CallPlace {
  std::string who;                          // plugin "x" (lib.so), node "y"
  std::string always;                       // what `what` points to where threads share the place
  std::atomic<const char*> what = nullptr;  // the call; null: none is going on
  std::atomic<std::int64_t> since = 0;      // monotonic microseconds
};

// Tells when a call takes long: one for all plugins of a run, with one thread.
class CallWatch {
 public:
  using Log = std::function<void(int level, const std::string& text)>;
  // patience: after which a call is told of; again when it has doubled.
  CallWatch(const Clock& clock, Log log, Duration patience = Duration::from_seconds(10));
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  void add(std::shared_ptr<CallPlace> place);
  // What the thread does once a second.
  void look();

 private:
  struct Watched {
    std::weak_ptr<CallPlace> place;
    std::int64_t told_of = 0;     // `since` of the call that was told of
    std::int64_t told_after = 0;  // how long it had taken then
  };
  void look_at(Watched& watched, CallPlace& place);

  const Clock& clock_;
  const Log log_;
  const Duration patience_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Watched> watched_;
  std::jthread thread_;  // last: ends before what it uses
};

// Makes a crash inside a plugin say whose it is, and then happen as before. Once per process,
// before a plugin is called; it changes the handling of SIGSEGV, SIGBUS, SIGFPE, SIGILL and
// SIGABRT.
void name_crashes();

// Marks the calling thread as inside a plugin for its scope. Calls may be nested. what: null for a
// place that several threads share (it keeps what it has, and nobody watches it).
class Inside {
 public:
  Inside(CallPlace& place, const char* what, std::int64_t now);
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside();

 private:
  CallPlace& place_;
  const bool written_;
  CallPlace* const outer_;
};

struct Returned {
  sd_code code = SD_OK;
  std::string thrown;  // not empty: an exception left the call
};

// now: monotonic microseconds, or 0 where nobody watches.
template <class F>
Returned call_plugin(CallPlace& place, const char* what, std::int64_t now, F&& f) {
  const Inside inside(place, what, now);
  try {
    return {f(), ""};
  } catch (const std::exception& error) {
    return {SD_FAILED, std::string("an exception came out: ") + error.what()};
  } catch (...) {
    return {SD_FAILED, "an exception came out"};
  }
}

}  // namespace streamd::plugin
