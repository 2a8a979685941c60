// SPDX-License-Identifier: Apache-2.0
#include "plugin/task.h"

#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::plugin {
namespace {

// What plugins say goes to logs and terminals: valid text, on one line, of a bearable length.
std::string readable(sd_view text) {
  constexpr std::size_t kLongest = 2000;
  std::string out;
  append_repaired_utf8(from_abi(text).substr(0, kLongest), out);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 32; }, ' ');
  return out;
}

Task& task_of(void* task) { return *static_cast<Task*>(task); }

constexpr sd_host kHost = {
    sizeof(sd_host),
    STREAMD_PLUGIN_ABI,
    [](void* t, std::int32_t level, sd_view text) { task_of(t).log(level, text); },
    [](void* t, sd_view message, sd_view hint) { task_of(t).fail(message, hint); },
    [](void* t) { return to_abi(std::string_view(task_of(t).node())); },
    [](void* t) -> std::uint32_t { return task_of(t).worker(); },
    [](void* t) { return task_of(t).wall_clock(); },
    [](void* t) -> std::int32_t { return task_of(t).stopping() ? 1 : 0; },
    [](void* t, std::uint32_t f, sd_view message, sd_view hint) {
      task_of(t).problem(f, message, hint);
    },
    [](void* t, std::size_t bytes) { return task_of(t).memory(bytes); },
    [](void* t, std::uint32_t output) { return task_of(t).column(output); },
    [](void* t, const std::uint32_t* records, std::size_t n) {
      return task_of(t).pass(records, n);
    },
    [](void* t, std::uint32_t reason, std::size_t n) { return task_of(t).drop(reason, n); },
    [](void* t, std::size_t record, sd_view code, sd_view reason) {
      return task_of(t).reject(record, code, reason);
    },
    [](void* t, const sd_row* rows, std::size_t n) { return task_of(t).emit(rows, n); },
    [](void* t, sd_view key, sd_view* value) { return task_of(t).state_get(key, value); },
    [](void* t, sd_view key, sd_view value) { return task_of(t).state_put(key, value); },
    [](void* t, sd_view key) { return task_of(t).state_erase(key); },
    [](void* t, sd_view key, std::uint32_t timer, std::int64_t at) {
      return task_of(t).timer_set(key, timer, at);
    },
    [](void* t, sd_view key, std::uint32_t timer) { return task_of(t).timer_clear(key, timer); },
    [](void* t, sd_view data, std::uint64_t position, std::int64_t arrival) {
      return task_of(t).record(data, position, arrival);
    },
    [](void* t, sd_view text) { return task_of(t).position(text); },
    [](void* t, const sd_batch* batch, std::size_t record, void (*take)(void*, sd_view),
       void* arg) { return task_of(t).record_json(batch, record, take, arg); },
    [](void* t, const sd_batch* batch, std::size_t record, char* digits) {
      return task_of(t).record_id(batch, record, digits);
    },
};

}  // namespace

const sd_host* host_table() { return &kHost; }

Task::Task(Surroundings around)
    : around_(std::move(around)), place_(std::make_shared<CallPlace>()) {
  place_->who = around_.node.empty() ? around_.plugin
                                     : fmt::format("{}, node \"{}\"", around_.plugin, around_.node);
  if (around_.watch) around_.watch->add(place_);
}

void Task::log(int level, sd_view text) {
  if (around_.log)
    around_.log(std::clamp(level, SD_LOG_INFO, SD_LOG_ERROR),
                fmt::format("{}: {}", place_->who, readable(text)));
}

void Task::fail(sd_view message, sd_view hint) {
  failure_.message = readable(message);
  failure_.hint = readable(hint);
}

std::int64_t Task::wall_clock() const {
  return around_.clock == nullptr ? 0 : around_.clock->wall().micros;
}

std::int64_t Task::now() const {
  return around_.watch == nullptr ? 0 : around_.clock->monotonic().micros;
}

sd_code Task::misused(std::string why) {
  if (failure_.misuse.empty()) failure_.misuse = std::move(why);
  return SD_MISUSED;
}

tl::unexpected<Error> Task::broken(const char* what, const std::string& why) const {
  return streamd::fail(ErrorKind::plugin, fmt::format("{}: {}(): {}", place_->who, what, why),
                       "This is a bug of the plugin: run the pipeline without it, or tell its "
                       "author.");
}

Result<sd_code> Task::judge(const char* what, std::initializer_list<sd_code> also,
                            Returned& returned) {
  if (!returned.thrown.empty()) return broken(what, returned.thrown);
  if (!failure_.misuse.empty()) return broken(what, failure_.misuse);
  const sd_code code = returned.code;
  if (code == SD_OK || std::find(also.begin(), also.end(), code) != also.end()) return code;
  if (code != SD_RETRY && code != SD_FAILED)
    return broken(what, fmt::format("it returned {}, which means nothing here", code));
  if (failure_.message.empty()) failure_.message = "it failed and did not say why";
  const std::string message = fmt::format("{}: {}", place_->who, failure_.message);
  if (code == SD_RETRY) return fail_for_now(message, failure_.hint);
  return streamd::fail(ErrorKind::plugin, message, failure_.hint);
}

void Task::problem(std::uint32_t, sd_view, sd_view) {
  misused("it called problem(), which belongs into check()");
}
void* Task::memory(std::size_t) {
  misused("it called memory(), which is for operators and functions");
  return nullptr;
}
sd_value* Task::column(std::uint32_t) {
  misused("it called column(), which is for operators that add fields, in on_batch()");
  return nullptr;
}
sd_code Task::pass(const std::uint32_t*, std::size_t) {
  return misused("it called pass(), which is for operators that add fields, in on_batch()");
}
sd_code Task::drop(std::uint32_t, std::size_t) {
  return misused("it called drop(), which is for operators, in on_batch()");
}
sd_code Task::reject(std::size_t, sd_view, sd_view) {
  return misused("it called reject(), which is for on_batch() and write()");
}
sd_code Task::emit(const sd_row*, std::size_t) {
  return misused("it called emit(), which is for operators that make records");
}
sd_code Task::state_get(sd_view, sd_view*) {
  return misused("it called state_get(), which is for keyed operators");
}
sd_code Task::state_put(sd_view, sd_view) {
  return misused("it called state_put(), which is for keyed operators");
}
sd_code Task::state_erase(sd_view) {
  return misused("it called state_erase(), which is for keyed operators");
}
sd_code Task::timer_set(sd_view, std::uint32_t, std::int64_t) {
  return misused("it called timer_set(), which is for keyed operators");
}
sd_code Task::timer_clear(sd_view, std::uint32_t) {
  return misused("it called timer_clear(), which is for keyed operators");
}
sd_code Task::record(sd_view, std::uint64_t, std::int64_t) {
  return misused("it called record(), which is for sources, in pull()");
}
sd_code Task::position(sd_view) {
  return misused("it called position(), which is for sources, in position()");
}
sd_code Task::record_json(const sd_batch*, std::size_t, void (*)(void*, sd_view), void*) {
  return misused("it called record_json(), which is for sinks, in write()");
}
sd_code Task::record_id(const sd_batch*, std::size_t, char*) {
  return misused("it called record_id(), which is for sinks, in write()");
}

}  // namespace streamd::plugin
