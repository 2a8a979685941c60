// SPDX-License-Identifier: Apache-2.0
// What the fake hosts of operators, sources, sinks and functions have in common: the engine's table
// of calls, each of which is refused where the header says that it makes no sense.
#pragma once

#include "../errors.hpp"
#include "load.hpp"
#include "settings.hpp"
#include "sound.hpp"

#include <algorithm>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <thread>

namespace sd::test {

// The plugin broke a rule of streamd_plugin.h: the engine would end the run and say this.
class Misuse : public std::logic_error {
  using std::logic_error::logic_error;
};

// A record that became a dead letter.
struct Rejected {
  Fields fields;
  std::string code, reason;
};

namespace detail {

enum class During { nothing, check, create, batch, timer, watermark, pull, position, other, call };

class Host {
 public:
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  std::vector<std::string> logged;    // lines of the log
  std::vector<std::string> problems;  // what check() said: "field: message"
  Time clock = at(Duration(0));       // what wall_clock() says
  bool stopping = false;

 protected:
  Host() { fill(); }
  ~Host() = default;

  // Calls the plugin, then tells what it did wrong. `good`: the codes that make sense besides
  // SD_OK. SD_RETRY and SD_FAILED become exceptions.
  template <class Call>
  sd_code enter(During during, const char* name, std::initializer_list<sd_code> good, Call&& call) {
    during_ = during;
    caller_ = std::this_thread::get_id();
    failed_ = false;
    const sd_code code = call();
    during_ = During::nothing;
    if (!misuse_.empty()) throw Misuse(std::exchange(misuse_, {}));
    if (code == SD_OK) return code;
    for (const sd_code one : good)
      if (code == one && code > 0) return code;
    const bool retry = code == SD_RETRY && std::find(good.begin(), good.end(), code) != good.end();
    if (!retry && code != SD_FAILED)
      throw Misuse(std::string(name) + " returned " + std::to_string(code) +
                   ", which means nothing here");
    if (!failed_) throw Misuse(std::string(name) + " failed without saying why: call fail()");
    if (retry) throw Retry(message_, hint_);
    throw Failed(message_, hint_);
  }

  sd_code misuse(const std::string& what) {
    if (misuse_.empty()) misuse_ = what;
    return SD_MISUSED;
  }
  bool in(std::initializer_list<During> calls) const {
    return std::find(calls.begin(), calls.end(), during_) != calls.end() &&
           caller_ == std::this_thread::get_id();
  }
  static Host* of(void* task) { return static_cast<Host*>(task); }
  void* task() { return this; }

  void check_config(sd_check check, const sd_spec& spec) {
    if (check == nullptr) return;
    checked_ = &spec;
    Borrowed memory;
    const sd_value* values = lend_config(memory);
    enter(During::check, "check()", {}, [&] { return check(&table_, task(), values); });
    if (!problems.empty()) throw WrongSettings(problems.front());
  }
  const sd_value* lend_config(Borrowed& memory) const {
    auto* values = memory.array<sd_value>(config_.values.size());
    for (std::size_t i = 0; i < config_.values.size(); ++i)
      values[i] = config_.values[i].lend(memory);
    return values;
  }

  bool sound(const sd_value& value, std::uint32_t declared, const std::string& what) {
    const std::string wrong = wrong_with(value, declared);
    return wrong.empty() || (misuse(what + wrong), false);
  }

  sd_host table_{};
  Config config_;
  Borrowed call_memory_;  // of memory(): until the batch is over
  During during_ = During::nothing;
  std::string node_ = "node";

  virtual sd_value* on_column(std::uint32_t) {
    return misuse("column() is for operators"), nullptr;
  }
  virtual sd_code on_pass(const std::uint32_t*, std::size_t) {
    return misuse("pass() is for operators");
  }
  virtual sd_code on_drop(std::uint32_t, std::size_t) { return misuse("drop() is for operators"); }
  virtual sd_code on_reject(std::size_t, sd_view, sd_view) {
    return misuse("reject() makes no sense here");
  }
  virtual sd_code on_emit(const sd_row*, std::size_t) { return misuse("emit() is for operators"); }
  virtual sd_code on_state_get(std::string_view, sd_view*) { return not_keyed(); }
  virtual sd_code on_state_put(std::string_view, sd_view) { return not_keyed(); }
  virtual sd_code on_state_erase(std::string_view) { return not_keyed(); }
  virtual sd_code on_timer_set(std::string_view, std::uint32_t, std::int64_t) {
    return not_keyed();
  }
  virtual sd_code on_timer_clear(std::string_view, std::uint32_t) { return not_keyed(); }
  virtual sd_code on_record(sd_view, std::uint64_t, std::int64_t) {
    return misuse("record() is for sources");
  }
  virtual sd_code on_position(sd_view) { return misuse("position() is for sources"); }
  virtual sd_code on_json(std::size_t, void (*)(void*, sd_view), void*) {
    return misuse("record_json() is for sinks");
  }
  virtual sd_code on_id(std::size_t, char*) { return misuse("record_id() is for sinks"); }

 private:
  sd_code not_keyed() { return misuse("state and timers are for keyed operators"); }

  void fill() {
    sd_host& t = table_;
    t.size = sizeof t;
    t.abi = STREAMD_PLUGIN_ABI;
    t.log = [](void* task, std::int32_t, sd_view text) {
      if (of(task)->usable("log()")) of(task)->logged.emplace_back(sd::text(text));
    };
    t.fail = [](void* task, sd_view message, sd_view hint) {
      Host& h = *of(task);
      if (!h.usable("fail()")) return;
      h.failed_ = true;
      h.message_ = sd::text(message);
      h.hint_ = sd::text(hint);
    };
    t.node = [](void* task) { return of(task)->usable("node()"), view(of(task)->node_); };
    t.worker = [](void* task) { return of(task)->usable("worker()"), std::uint32_t{0}; };
    t.wall_clock = [](void* task) {
      return of(task)->usable("wall_clock()"), of(task)->clock.time_since_epoch().count();
    };
    t.stopping = [](void* task) {
      return of(task)->usable("stopping()"), std::int32_t{of(task)->stopping};
    };
    t.problem = [](void* task, std::uint32_t field, sd_view message, sd_view) {
      Host& h = *of(task);
      if (!h.in({During::check})) return void(h.misuse("problem() outside of check()"));
      if (field >= h.checked_->field_count) return void(h.misuse("problem() of no field"));
      h.problems.push_back(std::string(sd::text(h.checked_->fields[field]->name)) + ": " +
                           std::string(sd::text(message)));
    };
    t.memory = [](void* task, std::size_t bytes) -> void* {
      Host& h = *of(task);
      if (!h.in({During::batch, During::timer, During::watermark, During::call}))
        return h.misuse("memory() outside of operators and functions"), nullptr;
      return bytes > (std::size_t{1} << 30) ? nullptr : h.call_memory_.take(bytes);
    };
    fill_streams();
  }
  void fill_streams() {
    sd_host& t = table_;
    t.column = [](void* task, std::uint32_t output) { return of(task)->on_column(output); };
    t.pass = [](void* task, const std::uint32_t* records, std::size_t count) {
      return of(task)->on_pass(records, count);
    };
    t.drop = [](void* task, std::uint32_t reason, std::size_t count) {
      return of(task)->on_drop(reason, count);
    };
    t.reject = [](void* task, std::size_t record, sd_view code, sd_view reason) {
      return of(task)->on_reject(record, code, reason);
    };
    t.emit = [](void* task, const sd_row* rows, std::size_t count) {
      return of(task)->on_emit(rows, count);
    };
    t.state_get = [](void* task, sd_view key, sd_view* value) {
      return of(task)->on_state_get(sd::text(key), value);
    };
    t.state_put = [](void* task, sd_view key, sd_view value) {
      return of(task)->on_state_put(sd::text(key), value);
    };
    t.state_erase = [](void* task, sd_view key) { return of(task)->on_state_erase(sd::text(key)); };
    t.timer_set = [](void* task, sd_view key, std::uint32_t timer, std::int64_t at) {
      return of(task)->on_timer_set(sd::text(key), timer, at);
    };
    t.timer_clear = [](void* task, sd_view key, std::uint32_t timer) {
      return of(task)->on_timer_clear(sd::text(key), timer);
    };
    t.record = [](void* task, sd_view data, std::uint64_t position, std::int64_t arrival) {
      return of(task)->on_record(data, position, arrival);
    };
    t.position = [](void* task, sd_view position) { return of(task)->on_position(position); };
    t.record_json = [](void* task, const sd_batch*, std::size_t record,
                       void (*take)(void*, sd_view),
                       void* arg) { return of(task)->on_json(record, take, arg); };
    t.record_id = [](void* task, const sd_batch*, std::size_t record, char* digits) {
      return of(task)->on_id(record, digits);
    };
  }
  bool usable(const char* what) {
    if (during_ == During::call)
      return misuse(std::string(what) + " in a function of expressions"), false;
    if (during_ == During::nothing || caller_ != std::this_thread::get_id())
      return misuse(std::string(what) + " outside of a call of the engine"), false;
    return true;
  }

  std::thread::id caller_;
  std::string misuse_, message_, hint_;
  bool failed_ = false;
  const sd_spec* checked_ = nullptr;
};

}  // namespace detail
}  // namespace sd::test
