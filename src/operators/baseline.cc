// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "operators/builtin_operators.h"
#include "operators/keyed_operator.h"
#include "operators/keyed_plan.h"
#include "operators/numbers.h"
#include "operators/usual.h"
#include "operators/value_window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

namespace streamd {
namespace {

enum class BaselineMethod { ewma, median, seasonal };

constexpr std::int64_t kHour = std::int64_t{3600} * 1'000'000;
constexpr std::size_t kHours = 24;

struct BaselineConfig {
  std::string field;
  std::vector<ExprText> by;
  BaselineMethod method = BaselineMethod::ewma;
  std::optional<Duration> half_life;
  Duration window = Duration::from_seconds(86'400);
  std::uint64_t min_samples = 10;
  std::uint64_t max_samples = 256;
  double least_spread = 0;
  std::optional<double> ignore_above;
  std::string as = "expected";
  Duration forget = Duration::from_seconds(std::int64_t{30} * 86'400);
  std::uint64_t max_keys = 100'000;

  std::int64_t half() const {
    const std::int64_t days = method == BaselineMethod::seasonal ? 7 : 0;
    return half_life.value_or(Duration{days > 0 ? days * 24 * kHour : kHour}).micros;
  }
};

// What is usual for one key, by one of the methods: the others stay empty.
struct Habit {
  std::vector<Usual> usual;  // one, or one for each hour of the day (UTC)
  ValueWindow values;

  void encode(std::string& out) const {
    window::put_varint(out, usual.size());
    for (const Usual& one : usual) one.encode(out);
    values.encode(out);
  }
  bool decode(std::string_view in) {
    std::uint64_t count = 0;
    if (!window::take_varint(in, count) || (count > 1 && count != kHours)) return false;
    usual.resize(count);
    for (Usual& one : usual)
      if (!one.decode(in)) return false;
    return values.decode(in);
  }

  Usual& at(std::int64_t time, BaselineMethod method) {
    usual.resize(method == BaselineMethod::ewma ? 1 : kHours);
    if (usual.size() == 1) return usual.front();
    std::int64_t hour = time / kHour - (time % kHour < 0 ? 1 : 0);
    hour %= static_cast<std::int64_t>(kHours);
    return usual[static_cast<std::size_t>(hour < 0 ? hour + static_cast<std::int64_t>(kHours)
                                                   : hour)];
  }
};

struct BaselineShape {
  BaselineConfig config;
  AddedColumns added;  // expected, deviation
  std::optional<std::size_t> field;
};

class Baseline final : public KeyedOperator<Habit> {
 public:
  Baseline(const BaselineShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : KeyedOperator(keys, context, shape.config.forget, shape.config.max_keys), shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    made_ = shape_.added.make(in);
    begin(in);
    for (std::size_t i = 0; i < in.size(); ++i)
      if (judge(in, i, out)) pass(in.physical(i));
    give(in, shape_.added, std::move(made_), nullptr, out);
    return {};
  }

 private:
  // False: the record was rejected or shed.
  bool judge(const Batch& in, std::size_t i, Emitter& out) {
    const std::uint32_t row = in.physical(i);
    const Value value = shape_.field ? (*in.column(*shape_.field))[row] : Value::missing();
    if (value.absent()) return true;
    const auto x = number_of(value);
    if (!x || !std::isfinite(*x)) {
      out.reject(in, i,
                 {"type", "field \"" + shape_.config.field + "\" is no finite number but " +
                              std::string(kind_name(value.kind()))});
      return false;
    }
    Habit* const habit = state_of(in, i, out);
    if (habit == nullptr) return false;
    const std::int64_t time = in.time(i).micros;
    learn(*habit, time, *x, compare(*habit, time, *x, row));
    return true;
  }

  // How far the value is from what is usual, in spreads; none with too few samples.
  std::optional<double> compare(Habit& habit, std::int64_t time, double x, std::uint32_t row) {
    const BaselineConfig& config = shape_.config;
    std::optional<Centre> centre;
    if (config.method == BaselineMethod::median) {
      habit.values.advance(time, config.window.micros);
      if (habit.values.size() >= config.min_samples) centre = habit.values.robust_centre();
    } else if (const Usual& usual = habit.at(time, config.method);
               usual.samples() >= config.min_samples) {
      centre = usual.centre();
    }
    if (!centre) return std::nullopt;
    (*made_[0])[row] = Value::float64(centre->middle);
    const double spread = std::max(centre->spread, config.least_spread);
    const double apart = x - centre->middle;
    if (spread == 0 && apart != 0) return std::nullopt;  // nothing to measure it by
    const double deviation = apart == 0 ? 0 : apart / spread;
    (*made_[1])[row] = Value::float64(deviation);
    return deviation;
  }

  void learn(Habit& habit, std::int64_t time, double x, std::optional<double> deviation) {
    const BaselineConfig& config = shape_.config;
    if (config.ignore_above && deviation && std::abs(*deviation) > *config.ignore_above) return;
    if (config.method == BaselineMethod::median)
      habit.values.add(time, x, config.window.micros, config.max_samples);
    else
      habit.at(time, config.method).add(time, x, config.half());
  }

  const BaselineShape& shape_;
  AddedColumns::Made made_;
};

class BaselinePlan final : public KeyedPlan {
 public:
  BaselinePlan(BaselineConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    shape_.config = std::move(config);
    shape_.added.add(shape_.config.as, Type::float64);
    shape_.added.add(shape_.config.as + "_deviation", Type::float64);
  }
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    shape_.added.take_from(needs);
    key().fields(needs.fields);
    needs.fields.insert(shape_.config.field);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    bind_key(in, problems);
    require_field(in, shape_.config.field, place_, problems);
    shape_.field = in.find(shape_.config.field);
    return {shape_.added.bind(in, place_, "as", problems), false};
  }
  std::string state_signature() const override {
    constexpr std::array<const char*, 3> names = {"ewma", "median", "seasonal"};
    return std::string("baseline ") + names[static_cast<std::size_t>(shape_.config.method)] +
           " of " + json_quote(shape_.config.field) + " " + key().text();
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Baseline>(shape_, keys(), context);
  }

 private:
  Place place_;
  BaselineShape shape_;
};

}  // namespace

template <>
struct EnumNames<BaselineMethod> {
  static constexpr std::array<std::pair<BaselineMethod, std::string_view>, 3> values = {
      {{BaselineMethod::ewma, "ewma"},
       {BaselineMethod::median, "median"},
       {BaselineMethod::seasonal, "seasonal"}}};
};

namespace {

Spec<BaselineConfig> baseline_spec() {
  using C = BaselineConfig;
  return Spec<C>("baseline")
      .summary("Says what a value usually is for its key, and how far it is from that now.")
      .details(
          "For windows' results above all: how many requests this client usually makes in a "
          "minute. Adds `expected`, and `expected_deviation`: how many usual spreads the value is "
          "above it (below: negative). Both are missing until `min_samples` values of the key "
          "are known; the deviation also while all were the same and `least_spread` is 0. The "
          "value joins the others after it was judged, unless it is further away than "
          "`ignore_above`: so an attack does not become the usual thing.\n\n"
          "`ewma`: mean and standard deviation, where what is `half_life` old counts half (1h). "
          "`seasonal`: the same for each hour of the day (UTC) by itself (half-life 7d). With both "
          "a value whose squared distance from the mean is beyond the range of a double is judged "
          "but does not join. "
          "`median`: the median of the newest `max_samples` values within `window`, and 1.4826 "
          "times the median distance from it, which a few wild values do not move.\n\n"
          "A record without the field, or with null, passes unjudged; with what is no finite "
          "number it becomes a dead letter with code `type`. A key that was quiet for `forget` is "
          "forgotten.")
      .promise("exact, also after a crash")
      .field(&C::field, {.name = "field",
                         .help = "The number to look at.",
                         .required = true,
                         .examples = {"requests"}})
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key. None: one for all.",
                      .examples = {"[client_ip]"}})
      .field(&C::method, {.name = "method", .help = "What the usual is."})
      .field(&C::half_life, {.name = "half_life",
                             .help = "ewma and seasonal: after which time a value counts half. "
                                     "Default: 1h and 7d.",
                             .examples = {"6h"}})
      .field(&C::window, {.name = "window", .help = "median: how far back values count."})
      .field(&C::min_samples,
             {.name = "min_samples", .help = "Values that must be known before one is judged."})
      .field(&C::max_samples, {.name = "max_samples",
                               .help = "median: values held of each key, at most 65536.",
                               .advanced = true})
      .field(&C::least_spread,
             {.name = "least_spread",
              .help = "The spread is never taken for smaller: of keys that hardly change.",
              .examples = {"1"}})
      .field(&C::ignore_above, {.name = "ignore_above",
                                .help = "Values with a larger deviation, up or down, do not join.",
                                .examples = {"4"}})
      .field(&C::as, {.name = "as", .help = "What the names of the fields begin with."})
      .field(&C::forget,
             {.name = "forget", .help = "How long a key may be quiet.", .advanced = true})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .rule("half_life is for ewma and seasonal",
            [](const C& c) { return c.method != BaselineMethod::median || !c.half_life; })
      .rule("window and max_samples are for median",
            [](const C& c) {
              return c.method == BaselineMethod::median ||
                     (c.window == C().window && c.max_samples == C().max_samples);
            })
      .rule("half_life must be longer than 0",
            [](const C& c) { return !c.half_life || c.half_life->micros > 0; })
      .rule("window must be longer than 0", [](const C& c) { return c.window.micros > 0; })
      .rule("forget must be longer than 0", [](const C& c) { return c.forget.micros > 0; })
      .rule("least_spread must not be negative", [](const C& c) { return c.least_spread >= 0; })
      .rule("ignore_above must be above 0",
            [](const C& c) { return !c.ignore_above || *c.ignore_above > 0; })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("min_samples must be at least 1", [](const C& c) { return c.min_samples >= 1; })
      .rule("max_samples must be between min_samples and 65536",
            [](const C& c) {
              return c.method != BaselineMethod::median ||
                     (c.max_samples >= c.min_samples && c.max_samples <= 65536);
            })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("Clients against their own past",
               "field: requests\nby: [client_ip]\nleast_spread: 1\nignore_above: 4\n")
      .example("All traffic against the same hour of other days",
               "field: requests\nmethod: seasonal\nmin_samples: 30\n");
}

}  // namespace

void add_baseline_operator(Registry& registry) {
  registry.add_operator(baseline_spec(),
                        [](BaselineConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          const ConfigNode* field = node.find("field");
                          return std::make_unique<BaselinePlan>(
                              std::move(config), std::move(key),
                              field == nullptr ? node.place : field->place);
                        });
}

}  // namespace streamd
