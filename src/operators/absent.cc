// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"
#include "operators/builtin_operators.h"
#include "operators/key_parts.h"
#include "operators/key_states.h"
#include "operators/keyed_plan.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace streamd {
namespace {

struct AbsentConfig {
  std::vector<ExprText> by;
  std::optional<Duration> silence;
  bool back = false;
  std::uint64_t min_records = 1;
  Duration forget = Duration::from_seconds(std::int64_t{7} * 86'400);
  std::uint64_t max_keys = 1'000'000;
};

// What is known of a key. Event time may be behind its records, and others may yet come between
// them, so they are kept as runs: records with no silence among them.
struct Heard {
  struct Run {
    std::int64_t first = 0, last = 0;
    std::uint64_t records = 0;  // at most min_records are counted
  };
  std::vector<Run> runs;      // ascending, a silence between two
  std::int64_t last_run = 0;  // end of the run before, when its silence was told
  bool told = false;
  std::int64_t listed = INT64_MAX;  // when it will be looked at; not stored

  void hear(std::int64_t time, std::int64_t silence, std::uint64_t most) {
    Run run{time, time, 1};
    auto at = runs.begin();
    while (at != runs.end() && saturating_add(at->last, silence) < time) ++at;
    while (at != runs.end() && saturating_sub(at->first, silence) <= time) {
      run = {std::min(run.first, at->first), std::max(run.last, at->last),
             std::min(run.records + at->records, most)};
      time = run.last;
      at = runs.erase(at);
    }
    runs.insert(at, run);
  }
  // What was kept with a shorter silence: between some runs there is none any more.
  void join(std::int64_t silence, std::uint64_t most) {
    std::vector<Run> joined;
    for (const Run& run : runs) {
      if (joined.empty() || saturating_add(joined.back().last, silence) < run.first) {
        joined.push_back(run);
        continue;
      }
      joined.back().last = run.last;
      joined.back().records = std::min(joined.back().records + run.records, most);
    }
    runs = std::move(joined);
  }
  // When event time has passed this, there is something to say. None: INT64_MAX.
  std::int64_t due(std::int64_t silence) const {
    if (runs.empty()) return INT64_MAX;
    return told ? runs.front().first : saturating_add(runs.front().last, silence);
  }

  void encode(std::string& out) const {
    out.push_back(told ? 1 : 0);
    window::put_signed(out, last_run);
    window::put_varint(out, runs.size());
    for (const Run& run : runs) {
      window::put_signed(out, run.first);
      window::put_signed(out, run.last);
      window::put_varint(out, run.records);
    }
  }
  bool decode(std::string_view in) {
    if (in.empty()) return false;
    told = in.front() != 0;
    in.remove_prefix(1);
    std::uint64_t count = 0;
    if (!window::take_signed(in, last_run) || !window::take_varint(in, count)) return false;
    for (; count > 0; --count) {
      Run run;
      if (!window::take_signed(in, run.first) || !window::take_signed(in, run.last) ||
          !window::take_varint(in, run.records))
        return false;
      runs.push_back(run);
    }
    return in.empty();
  }
};

// Rows that tell of keys, while they are collected.
class Tidings {
 public:
  Tidings(std::size_t by, std::string node)
      : by_(by), origin_(std::make_shared<const Origin>(Origin{std::move(node), ""})) {}

  void add(std::string_view key, bool back, std::int64_t last, std::int64_t time) {
    if (!rows_) start();
    rows_->time.push_back({time});
    rows_->floor.push_back(EventTime::min());
    rows_->position.push_back(
        mix64(hash_bytes(key, back ? 1 : 0), static_cast<std::uint64_t>(time)));
    const auto values = decode_key(arena_->copy(key), *arena_);
    for (std::size_t c = 0; c < by_; ++c)
      columns_[c]->push_back(values && c < values->size() ? (*values)[c] : Value::missing());
    columns_[by_]->push_back(Value::string(back ? "back" : "silent"));
    columns_[by_ + 1]->push_back(Value::timestamp({last}));
    const std::int64_t most = INT64_MAX / 1000;
    columns_[by_ + 2]->push_back(
        Value::duration(std::min(saturating_sub(time, last), most) * 1000));
  }
  void flush(Emitter& out) {
    if (!rows_) return;
    Batch batch(std::exchange(rows_, nullptr), {columns_.begin(), columns_.end()}, origin_);
    batch.keep(std::exchange(arena_, nullptr));
    out.emit(batch);
  }

 private:
  void start() {
    rows_ = std::make_shared<Rows>();
    arena_ = std::make_shared<Arena>();
    columns_.clear();
    for (std::size_t c = 0; c < by_ + 3; ++c) columns_.push_back(std::make_shared<Column>());
  }

  const std::size_t by_;
  const std::shared_ptr<const Origin> origin_;
  std::shared_ptr<Rows> rows_;
  std::shared_ptr<Arena> arena_;
  std::vector<std::shared_ptr<Column>> columns_;
};

class Absent final : public Operator {
 public:
  Absent(const AbsentConfig& config, const KeyColumns& keys, const OperatorContext& context)
      : config_(config),
        seed_(context.hash_seed),
        keys_(keys),
        tidings_(config.by.size(), context.node),
        states_({context.worker, context.workers}, context.hash_seed,
                {saturating_add(config.forget.micros, config.silence->micros),
                 window::Share{context.worker, context.workers}.part_of(config.max_keys)}) {}

  Status restore(StateReader& state) override {
    STREAMD_TRY(states_.restore(state));
    states_.each([this](std::string_view key, Heard& heard) {
      heard.join(config_.silence->micros, config_.min_records);
      list(key, heard);
    });
    return {};
  }

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    std::size_t late = 0, shed = 0;
    keys_.start(in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::int64_t time = in.time(i).micros;
      key_.clear();
      if (time < std::max(in.floor(i).micros, watermark_))
        ++late;
      else if (!keys_.append(in.physical(i), key_))
        out.reject(in, i, keys_.fault());
      else if (!hear(key_hash(in, in.physical(i), key_, seed_), time))
        ++shed;
    }
    if (late > 0) out.drop(DropReason::late, late);
    if (shed > 0) out.drop(DropReason::shed, shed);
    tidings_.flush(out);
    return {};
  }

  // The end of the input is no silence, but those between records are all known then.
  Status on_watermark(EventTime w, Emitter& out) override {
    ended_ = w == EventTime::max();
    watermark_ = w.micros;
    while (!due_.empty() && due_.begin()->first < watermark_) {
      const auto [due, key] = *due_.begin();
      due_.erase(due_.begin());
      look_at(key, due);
    }
    tidings_.flush(out);
    states_.advance(w);
    return {};
  }
  Status checkpoint(StateWriter& state) override {
    states_.checkpoint(state);
    return {};
  }
  std::size_t live_keys() const override { return states_.size(); }

 private:
  // False: there are max_keys others.
  bool hear(std::uint64_t hash, std::int64_t time) {
    Heard* const heard = states_.change(key_, hash, time);
    if (heard == nullptr) return false;
    heard->hear(time, config_.silence->micros, config_.min_records);
    list(key_, *heard);
    return true;
  }
  // A key is listed once, and its place is put right when it is looked at: until then it may move
  // on freely.
  void list(std::string_view key, Heard& heard) {
    const std::int64_t due = heard.due(config_.silence->micros);
    if (due >= heard.listed) return;
    heard.listed = due;
    due_.emplace(due, key);
  }
  void look_at(const std::string& key, std::int64_t due) {
    Heard* const known = states_.find(key);
    if (known == nullptr || known->listed != due) return;
    known->listed = INT64_MAX;
    if (ended_ && !known->told && known->runs.size() == 1) return;
    if (known->due(config_.silence->micros) == due) tell(key, due);
    list(key, *known);
  }
  void tell(const std::string& key, std::int64_t due) {
    Heard& heard = *states_.change(key, hash_key(key, seed_), INT64_MIN);
    if (std::exchange(heard.told, false)) {
      if (config_.back) tidings_.add(key, true, heard.last_run, due);
      heard.runs.front().records = config_.min_records;
      return;
    }
    const Heard::Run run = heard.runs.front();
    heard.runs.erase(heard.runs.begin());
    if (run.records < config_.min_records) return;
    heard.told = true;
    heard.last_run = run.last;
    tidings_.add(key, false, run.last, due);
  }

  const AbsentConfig& config_;
  const std::uint64_t seed_;
  KeyReader keys_;
  Tidings tidings_;
  KeyStates<Heard> states_;
  std::set<std::pair<std::int64_t, std::string>> due_;  // when to look at which key
  std::int64_t watermark_ = INT64_MIN;
  bool ended_ = false;
  std::string key_;
};

class AbsentPlan final : public KeyedPlan {
 public:
  AbsentPlan(AbsentConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), config_(std::move(config)), place_(place) {}

  bool passes_records() const override { return false; }
  Needs needs(const Needs&) const override {
    Needs needs;
    key().fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    bind_key(in, problems);
    Schema out;
    for (const auto& part : config_.by) {
      const auto column = in.find(part.text);
      out.fields.push_back({part.text, column ? in.fields[*column].type : Type::any, true});
    }
    for (const Field& field :
         {Field{"state", Type::string, true}, Field{"last_seen", Type::timestamp, true},
          Field{"silent_for", Type::duration, true}}) {
      if (out.find(field.name))
        problems.error("duplicate-name", place_,
                       "\"" + field.name + "\" is a field of the result and cannot be one of by",
                       "Rename it before, with a map.");
      out.fields.push_back(field);
    }
    return {out, false};
  }
  // Times are stored, so `for` may change.
  std::string state_signature() const override { return "absent " + key().text(); }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Absent>(config_, keys(), context);
  }

 private:
  AbsentConfig config_;
  Place place_;
};

Spec<AbsentConfig> absent_spec() {
  using C = AbsentConfig;
  return Spec<C>("absent")
      .summary("Tells of keys that have been silent for a time, and of those that are back.")
      .details(
          "A key that had records and then has none for `for` gives one record: the fields of "
          "`by`, `state` (`silent`), `last_seen` (event time of its newest record) and "
          "`silent_for`. Its event time is the moment at which the silence was long enough. With "
          "`back: true` the first record after that gives one more, with the state `back`, when "
          "event "
          "time has passed it.\n\n"
          "It is told when event time says so, not a clock on the wall: records that are only "
          "delayed make no alert. When all partitions of a source are idle, event time goes on "
          "with the clock (`idle_after`), so the silence of everybody is told too. A key that was "
          "never there is not missed. A bounded input is known until its newest record (less "
          "`max_delay`): silences that were long enough by then are told, its end is none. Late "
          "records count as `late`.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key.",
                      .required = true,
                      .examples = {"[host]"}})
      .field(&C::silence, {.name = "for",
                           .help = "How long a key may be silent.",
                           .required = true,
                           .examples = {"10m"}})
      .field(&C::back, {.name = "back", .help = "Also tell when a key is back."})
      .field(&C::min_records,
             {.name = "min_records", .help = "How many records a key must have had to be missed."})
      .field(&C::forget,
             {.name = "forget", .help = "How long a silent key is remembered.", .advanced = true})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
      .rule("for must be longer than 0",
            [](const C& c) { return !c.silence || c.silence->micros > 0; })
      .rule("min_records must be at least 1", [](const C& c) { return c.min_records > 0; })
      .rule("forget must not be negative", [](const C& c) { return c.forget.micros >= 0; })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("Hosts that stopped logging",
               "by: [host]\nfor: 10m\nback: true\nmin_records: 100\n");
}

}  // namespace

void add_absent_operator(Registry& registry) {
  registry.add_operator(absent_spec(),
                        [](AbsentConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          return std::make_unique<AbsentPlan>(std::move(config), std::move(key),
                                                              node.place);
                        });
}

}  // namespace streamd
