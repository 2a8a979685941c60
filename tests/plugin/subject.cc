// SPDX-License-Identifier: Apache-2.0
#include "tests/plugin/subject.h"

#include "plugin/adapters.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace streamd::test {
namespace {

constexpr sd_view text(std::string_view t) { return {t.data(), t.size()}; }
std::string_view view(sd_view t) { return {t.data, t.size}; }
std::string_view view(const sd_value& v) { return {v.as.s, v.size}; }
sd_value integer(std::int64_t i) {
  sd_value v{SD_INT, 0, {}};
  v.as.i = i;
  return v;
}

constexpr sd_field field(std::uint32_t type, std::uint32_t flags, std::string_view name,
                         std::string_view fallback = "", std::int64_t least = 0,
                         std::int64_t most = 0) {
  return {sizeof(sd_field), type, flags,   0,     text(name), text("Help."),
          text(fallback),   {},   nullptr, least, most};
}

struct Instance {
  const sd_host* host;
  void* task;
  const sd_value* config;
  std::uint64_t at = 0;  // source
};
sd_code make(const sd_host* host, void* task, const sd_value* config, void** self) {
  *self = new Instance{host, task, config};
  return SD_OK;
}
void unmake(void* self) { delete static_cast<Instance*>(self); }

// --- doubled
// --------------------------------------------------------------------------------------

constexpr sd_field kX = field(SD_FIELD_COLUMN, SD_FIELD_REQUIRED, "x");
constexpr sd_field kAs = field(SD_FIELD_STRING, 0, "as", "\"doubled\"");
constexpr sd_field kLimit = field(SD_FIELD_INT, 0, "limit", "1000", 1, 5000);
constexpr const sd_field* kDoubledFields[] = {&kX, &kAs, &kLimit};
constexpr sd_spec kDoubledSpec = {sizeof(sd_spec),
                                  3,
                                  text("doubled"),
                                  text("Doubles a number."),
                                  {},
                                  {},
                                  text("Twice"),
                                  text("x: n"),
                                  kDoubledFields};
constexpr sd_output kDoubledOutput = {sizeof(sd_output), SD_INT, {}, 1, 0};
constexpr const sd_output* kDoubledOutputs[] = {&kDoubledOutput};

sd_code check_doubled(const sd_host* host, void* task, const sd_value* config) {
  if (view(config[1]) == "forbidden")
    host->problem(task, 1, text("as cannot be \"forbidden\""), text("Choose another name."));
  return SD_OK;
}
// Numbers below 0 are rejected, those above the limit filtered, odd ones of 13 dropped as late.
sd_code on_doubled(void* self, const sd_batch* batch) {
  const auto& me = *static_cast<Instance*>(self);
  sd_value* const out = me.host->column(me.task, 0);
  std::vector<std::uint32_t> kept;
  for (std::uint32_t r = 0; r < batch->rows; ++r) {
    const std::size_t entry = batch->index ? batch->index[r] : r;
    const sd_value& x = batch->columns[0][entry];
    if (x.kind != SD_INT || x.as.i < 0) {
      me.host->reject(me.task, r, text("negative"), text("not a natural number"));
    } else if (x.as.i == 13) {
      me.host->drop(me.task, SD_DROP_LATE, 1);
    } else if (x.as.i <= me.config[2].as.i) {
      out[entry] = integer(2 * x.as.i);
      kept.push_back(r);
    }
  }
  return me.host->pass(me.task, kept.data(), kept.size());
}
constexpr sd_operator kDoubled = {
    sizeof(sd_operator), 0,    &kDoubledSpec, kDoubledOutputs, 1,       0,
    check_doubled,       make, on_doubled,    nullptr,         nullptr, unmake};

// --- visits
// ---------------------------------------------------------------------------------------

constexpr sd_field kGap = field(SD_FIELD_DURATION, 0, "gap", "10s");
constexpr const sd_field* kVisitsFields[] = {&kGap};
constexpr sd_spec kVisitsSpec = {sizeof(sd_spec),
                                 1,
                                 text("visits"),
                                 text("Counts visits."),
                                 {},
                                 {},
                                 text("By user"),
                                 text("by: [user]"),
                                 kVisitsFields};
constexpr sd_output kHits = {sizeof(sd_output), SD_INT, text("hits"), -1, 0};
constexpr sd_output kNote = {sizeof(sd_output), SD_STRING, text("note"), -1, 0};
constexpr const sd_output* kVisitsOutputs[] = {&kHits, &kNote};

sd_code on_visits(void* self, const sd_batch* batch) {
  const auto& me = *static_cast<Instance*>(self);
  for (std::size_t r = 0; r < batch->rows; ++r) {
    std::int64_t hits = 0;
    sd_view stored{};
    if (me.host->state_get(me.task, batch->keys[r], &stored) == SD_OK)
      std::memcpy(&hits, stored.data, sizeof hits);
    ++hits;
    const sd_view now{reinterpret_cast<const char*>(&hits), sizeof hits};
    if (me.host->state_put(me.task, batch->keys[r], now) == SD_FULL) {
      me.host->drop(me.task, SD_DROP_SHED, 1);
      continue;
    }
    const std::int64_t time = batch->times[batch->index ? batch->index[r] : r];
    me.host->timer_set(me.task, batch->keys[r], 0, time + me.config[0].as.i / 1000);
  }
  return SD_OK;
}
sd_code end_of_visit(void* self, sd_view key, std::uint32_t, std::int64_t at) {
  const auto& me = *static_cast<Instance*>(self);
  sd_view stored{};
  std::int64_t hits = 0;
  if (me.host->state_get(me.task, key, &stored) != SD_OK) return SD_OK;
  std::memcpy(&hits, stored.data, sizeof hits);
  auto* const note = static_cast<char*>(me.host->memory(me.task, 4));
  std::memcpy(note, "over", 4);
  sd_value values[2] = {integer(hits), {SD_STRING, 4, {}}};
  values[1].as.s = note;
  const sd_row row{at, 0, values, key};
  me.host->emit(me.task, &row, 1);
  return me.host->state_erase(me.task, key);
}
constexpr sd_operator kVisits = {sizeof(sd_operator),
                                 SD_OPERATOR_KEYED | SD_OPERATOR_RESULTS,
                                 &kVisitsSpec,
                                 kVisitsOutputs,
                                 2,
                                 1,
                                 nullptr,
                                 make,
                                 on_visits,
                                 end_of_visit,
                                 nullptr,
                                 unmake};

// --- odd
// ------------------------------------------------------------------------------------------

constexpr sd_field kHow = field(SD_FIELD_STRING, SD_FIELD_REQUIRED, "how");
constexpr const sd_field* kOddFields[] = {&kHow};
constexpr sd_spec kOddSpec = {
    sizeof(sd_spec), 1, text("odd"), text("Does something wrong."), {}, {}, {}, {}, kOddFields};
constexpr sd_output kOddOutput = {sizeof(sd_output), SD_ANY, text("made"), -1, 0};
constexpr const sd_output* kOddOutputs[] = {&kOddOutput};

sd_code on_odd(void* self, const sd_batch* batch) {
  const auto& me = *static_cast<Instance*>(self);
  const std::string_view how = view(me.config[0]);
  const std::uint32_t twice[] = {0, 0};
  sd_value* const out = me.host->column(me.task, 0);
  if (how == "throw") throw std::runtime_error("it broke");
  if (how == "code") return 77;
  if (how == "fail") {
    me.host->fail(me.task, text("the moon\nis full"), text("Wait."));
    return SD_FAILED;
  }
  if (how == "retry") return SD_RETRY;
  if (how == "kind") out[0].kind = 77;
  if (how == "text") out[0] = {SD_STRING, 5, {}};
  if (how == "past") out[batch->entries] = integer(1);
  if (how == "memory") std::memset(me.host->memory(me.task, 16), 1, 17);
  if (how == "huge") me.host->memory(me.task, std::size_t{1} << 40);
  if (how == "column") me.host->column(me.task, 3);
  if (how == "state") me.host->state_erase(me.task, text("x"));
  if (how == "emit") me.host->emit(me.task, nullptr, 0);
  if (how == "many") me.host->drop(me.task, SD_DROP_LATE, batch->rows + 1);
  if (how == "reason") me.host->drop(me.task, 99, 1);
  if (how == "order") return me.host->pass(me.task, twice, 2), SD_OK;
  me.host->pass(me.task, nullptr, 0);
  if (how == "again") me.host->pass(me.task, nullptr, 0);
  if (how == "reject") me.host->reject(me.task, 0, text("late"), text("after pass"));
  return SD_OK;
}
constexpr sd_operator kOdd = {sizeof(sd_operator),
                              0,
                              &kOddSpec,
                              kOddOutputs,
                              1,
                              0,
                              nullptr,
                              make,
                              on_odd,
                              nullptr,
                              nullptr,
                              unmake};

// --- feed, keep
// -----------------------------------------------------------------------------------

constexpr sd_spec kFeedSpec = {
    sizeof(sd_spec), 0, text("feed"), text("Hands out lines."), {}, {}, {}, {}, nullptr};
bool not_ready(const Instance& me) {
  if (subject_world().refusals == 0) return false;
  --subject_world().refusals;
  me.host->fail(me.task, text("nobody is there"), text("Start it."));
  return true;
}
sd_code open_feed(const sd_host* host, void* task, const sd_value* config, sd_view position,
                  void** self) {
  auto* const me = new Instance{host, task, config};
  if (not_ready(*me)) return delete me, SD_RETRY;
  if (position.size > 0) me->at = std::stoull(std::string(view(position)));
  *self = me;
  return SD_OK;
}
sd_code pull_feed(void* self, std::size_t max_records, std::int64_t) {
  auto& me = *static_cast<Instance*>(self);
  const auto& feed = subject_world().feed;
  if (me.at == feed.size()) return subject_world().endless ? SD_IDLE : SD_END;
  for (std::size_t n = 0; n < max_records && me.at < feed.size(); ++n, ++me.at)
    me.host->record(me.task, text(feed[me.at]), me.at, 0);
  return SD_OK;
}
sd_code where_feed(void* self) {
  auto& me = *static_cast<Instance*>(self);
  return me.host->position(me.task, text(std::to_string(me.at)));
}
sd_code thank_feed(void*, sd_view position) {
  subject_world().acknowledged.emplace_back(view(position));
  return SD_OK;
}
void close_instance(void* self) {
  ++subject_world().closed;
  unmake(self);
}
constexpr sd_source kFeed = {sizeof(sd_source), SD_SOURCE_BOUNDED, &kFeedSpec, text("text"),
                             nullptr,           open_feed,         pull_feed,  where_feed,
                             thank_feed,        close_instance};

constexpr sd_field kValue = field(SD_FIELD_COLUMN, SD_FIELD_REQUIRED, "value");
constexpr const sd_field* kKeepFields[] = {&kValue};
constexpr sd_spec kKeepSpec = {
    sizeof(sd_spec), 1, text("keep"), text("Keeps records."), {}, {}, {}, {}, kKeepFields};
sd_code write_keep(void* self, const sd_batch* batch) {
  const auto& me = *static_cast<Instance*>(self);
  if (not_ready(me)) return SD_RETRY;
  for (std::size_t r = 0; r < batch->rows; ++r) {
    const sd_value& value = batch->columns[0][batch->index ? batch->index[r] : r];
    if (value.kind != SD_INT) {
      me.host->reject(me.task, r, text("no-number"), text("the value is no number"));
      continue;
    }
    std::array<char, 32> id{};
    me.host->record_id(me.task, batch, r, id.data());
    std::string line = std::string(id.data(), id.size()) + " " + std::to_string(value.as.i) + " ";
    me.host->record_json(
        me.task, batch, r,
        [](void* to, sd_view json) { static_cast<std::string*>(to)->append(view(json)); }, &line);
    subject_world().written.push_back(line);
  }
  return SD_OK;
}
sd_code flush_keep(void*) {
  subject_world().durable = subject_world().written.size();
  return SD_OK;
}
constexpr sd_sink kKeep = {sizeof(sd_sink), SD_SINK_WHOLE, &kKeepSpec,    nullptr, make,
                           write_keep,      flush_keep,    close_instance};

// --- functions
// ------------------------------------------------------------------------------------

constexpr std::uint32_t kNumbers[] = {1u << SD_INT};
constexpr std::uint32_t kTexts[] = {1u << SD_STRING};
sd_code twice(const sd_host*, void*, const sd_value* args, std::size_t, sd_value* result) {
  if (args[0].as.i == 13) throw std::runtime_error("unlucky");
  *result = integer(static_cast<std::int64_t>(2 * args[0].as.u));
  return SD_OK;
}
sd_code shout(const sd_host* host, void* task, const sd_value* args, std::size_t,
              sd_value* result) {
  if (args[0].size == 0) {
    *result = {SD_ERROR, 7, {}};
    result->as.s = "silence";
    return SD_OK;
  }
  auto* const out = static_cast<char*>(host->memory(task, args[0].size + 1));
  std::memcpy(out, args[0].as.s, args[0].size);
  out[args[0].size] = '!';
  *result = {SD_STRING, args[0].size + 1, {}};
  result->as.s = out;
  return SD_OK;
}
constexpr sd_function kTwice = {
    sizeof(sd_function), 0, text("twice"), text("twice(n): 2 n"), SD_INT, 1, 1, 1, kNumbers, twice};
constexpr sd_function kShout = {sizeof(sd_function),
                                SD_FUNCTION_MEMBER,
                                text("shout"),
                                text("x.shout()"),
                                SD_STRING,
                                1,
                                1,
                                1,
                                kTexts,
                                shout};

constexpr const sd_operator* kOperators[] = {&kDoubled, &kVisits, &kOdd};
constexpr const sd_source* kSources[] = {&kFeed};
constexpr const sd_sink* kSinks[] = {&kKeep};
constexpr const sd_function* kFunctions[] = {&kTwice, &kShout};
constexpr sd_plugin kPlugin = {STREAMD_PLUGIN_ABI,
                               sizeof(sd_plugin),
                               text("subject"),
                               text("1.0.0"),
                               text("For tests."),
                               kOperators,
                               kSources,
                               kSinks,
                               kFunctions,
                               3,
                               1,
                               1,
                               2};

}  // namespace

SubjectWorld& subject_world() {
  static SubjectWorld world;
  return world;
}

plugin::Library subject() { return {"subject.so", "/subject.so", &kPlugin}; }

Registry subject_registry() {
  Registry registry;
  for (const sd_operator* op : kOperators) plugin::add_operator(subject(), *op, registry);
  plugin::add_source(subject(), kFeed, registry);
  plugin::add_sink(subject(), kKeep, registry);
  auto functions = std::make_shared<expr::FunctionScope>();
  for (const sd_function* function : kFunctions)
    plugin::add_function(subject(), *function, *functions);
  registry.set_functions(std::move(functions));
  return registry;
}

}  // namespace streamd::test
