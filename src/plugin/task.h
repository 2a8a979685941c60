// SPDX-License-Identifier: Apache-2.0
// Task: one instance of a plugin's component, as the plugin sees it: what the `void* task` of the
// interface points to. The host table (host_table()) turns its calls into these members. Each kind
// of component overrides what makes sense for it; everything else is misuse, which ends the run.
//
// Called by the thread that works for the instance, from inside a call into the plugin.
#pragma once

#include "engine/core/clock.h"
#include "engine/core/error.h"
#include "plugin/call.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace streamd::plugin {

class Task {
 public:
  // What is around an instance. clock and log may be null (checks, tests).
  struct Surroundings {
    std::string plugin;  // as messages name it: plugin "x" (lib.so)
    std::string node;
    unsigned worker = 0;
    const Clock* clock = nullptr;
    std::function<void(int level, const std::string& text)> log = {};
    std::shared_ptr<CallWatch> watch = nullptr;
  };

  explicit Task(Surroundings around);
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  void log(int level, sd_view text);
  void fail(sd_view message, sd_view hint);
  const std::string& node() const { return around_.node; }
  unsigned worker() const { return around_.worker; }
  std::int64_t wall_clock() const;

  virtual bool stopping() { return false; }
  virtual void problem(std::uint32_t field, sd_view message, sd_view hint);
  virtual void* memory(std::size_t bytes);
  virtual sd_value* column(std::uint32_t output);
  virtual sd_code pass(const std::uint32_t* records, std::size_t count);
  virtual sd_code drop(std::uint32_t reason, std::size_t count);
  virtual sd_code reject(std::size_t record, sd_view code, sd_view reason);
  virtual sd_code emit(const sd_row* rows, std::size_t count);
  virtual sd_code state_get(sd_view key, sd_view* value);
  virtual sd_code state_put(sd_view key, sd_view value);
  virtual sd_code state_erase(sd_view key);
  virtual sd_code timer_set(sd_view key, std::uint32_t timer, std::int64_t at);
  virtual sd_code timer_clear(sd_view key, std::uint32_t timer);
  virtual sd_code record(sd_view data, std::uint64_t position, std::int64_t arrival);
  virtual sd_code position(sd_view text);
  virtual sd_code record_json(const sd_batch* batch, std::size_t record,
                              void (*take)(void* arg, sd_view json), void* arg);
  virtual sd_code record_id(const sd_batch* batch, std::size_t record, char* digits);

  // Makes one call into the plugin. OK: it returned one of `also` or SD_OK. Otherwise the error:
  // for now (SD_RETRY), or for good: SD_FAILED, an exception, a code that is none, misuse of the
  // host's calls, or what judge() finds.
  template <class F>
  Result<sd_code> call(const char* what, std::initializer_list<sd_code> also, F&& f) {
    failure_ = {};
    Returned returned = call_plugin(*place_, what, now(), std::forward<F>(f));
    return judge(what, also, returned);
  }
  // The same for calls that return nothing.
  template <class F>
  Status run(const char* what, F&& f) {
    auto code = call(what, {}, [&] {
      f();
      return SD_OK;
    });
    STREAMD_TRY(code);
    return {};
  }
  // An error of this instance that the engine has found: kind plugin.
  tl::unexpected<Error> broken(const char* what, const std::string& why) const;

 protected:
  std::string take_misuse() { return std::exchange(failure_.misuse, {}); }
  // Notes it; the call that is going on fails for it when it is over. Returns SD_MISUSED.
  sd_code misused(std::string why);

 private:
  Result<sd_code> judge(const char* what, std::initializer_list<sd_code> also, Returned& returned);
  std::int64_t now() const;

  struct Failure {
    std::string message, hint, misuse;
  };
  const Surroundings around_;
  const std::shared_ptr<CallPlace> place_;
  Failure failure_;
};

// The table that plugins get. Static.
const sd_host* host_table();

}  // namespace streamd::plugin
