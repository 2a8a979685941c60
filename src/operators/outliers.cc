// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "operators/builtin_operators.h"
#include "operators/keyed_operator.h"
#include "operators/keyed_plan.h"
#include "operators/numbers.h"
#include "operators/value_window.h"

#include <cmath>
#include <memory>
#include <utility>

namespace streamd {
namespace {

enum class OutlierMethod { iqr, zscore, bounds };
enum class OutlierAction { mark, drop };

struct OutliersConfig {
  std::string field;
  std::vector<ExprText> by;
  OutlierMethod method = OutlierMethod::iqr;
  std::optional<Duration> window;
  std::optional<double> threshold;
  std::optional<double> low, high;
  std::uint64_t min_samples = 20;
  std::uint64_t max_samples = 256;
  OutlierAction action = OutlierAction::mark;
  std::string as = "outlier";
  std::uint64_t max_keys = 100'000;
};

struct OutliersShape {
  OutliersConfig config;
  double threshold = 0;
  std::optional<std::size_t> field;
  AddedColumns added;  // mark: the mark, low and high; drop: none
};

struct Verdict {
  enum class Kind { unjudged, inside, outside } kind = Kind::unjudged;
  std::optional<Fence> fence;
};

class Outliers final : public KeyedOperator<ValueWindow> {
 public:
  Outliers(const OutliersShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : KeyedOperator(keys, context, shape.config.window.value_or(Duration{}),
                      shape.config.max_keys),
        shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    const bool marks = shape_.config.action == OutlierAction::mark;
    begin(in);
    dropped_ = 0;
    marks_ = shape_.added.make(in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const auto verdict = judge(in, i, out);
      if (!verdict) continue;
      const std::uint32_t row = in.physical(i);
      if (marks)
        mark(row, *verdict);
      else if (verdict->kind == Verdict::Kind::outside) {
        ++dropped_;
        continue;
      }
      pass(row);
    }
    if (dropped_ > 0) out.drop(DropReason::filtered, dropped_);
    give(in, shape_.added, std::move(marks_), nullptr, out);
    return {};
  }

 private:
  // nullopt: the record was rejected or shed.
  std::optional<Verdict> judge(const Batch& in, std::size_t i, Emitter& out) {
    const std::uint32_t row = in.physical(i);
    const Value value = shape_.field ? (*in.column(*shape_.field))[row] : Value::missing();
    if (value.absent()) return Verdict{};
    const auto number = number_of(value);
    if (!number) {
      out.reject(in, i,
                 {"type", "field \"" + shape_.config.field + "\" is no number but " +
                              std::string(kind_name(value.kind()))});
      return std::nullopt;
    }
    const double x = *number;
    if (shape_.config.method == OutlierMethod::bounds) {
      const Fence fence{shape_.config.low.value_or(-HUGE_VAL),
                        shape_.config.high.value_or(HUGE_VAL)};
      return verdict_of(x, fence);
    }
    return judge_by_key(in, i, x, out);
  }

  static Verdict verdict_of(double x, const Fence& fence) {
    const bool inside = std::isfinite(x) && x >= fence.low && x <= fence.high;
    return {inside ? Verdict::Kind::inside : Verdict::Kind::outside, fence};
  }

  std::optional<Verdict> judge_by_key(const Batch& in, std::size_t i, double x, Emitter& out) {
    if (!read_key(in, i, out)) return std::nullopt;
    if (!std::isfinite(x)) return Verdict{Verdict::Kind::outside, std::nullopt};
    ValueWindow* const window = change(in, i);
    if (window == nullptr) return std::nullopt;
    const std::int64_t time = in.time(i).micros;
    const OutliersConfig& config = shape_.config;
    window->advance(time, config.window->micros);
    Verdict verdict;
    if (window->size() >= config.min_samples)
      verdict = verdict_of(x, config.method == OutlierMethod::iqr
                                  ? window->quartile_fence(shape_.threshold)
                                  : window->deviation_fence(shape_.threshold));
    window->add(time, x, config.window->micros, config.max_samples);
    return verdict;
  }

  void mark(std::uint32_t row, const Verdict& verdict) {
    if (verdict.kind == Verdict::Kind::unjudged) return;
    (*marks_[0])[row] = Value::boolean(verdict.kind == Verdict::Kind::outside);
    if (!verdict.fence) return;
    if (std::isfinite(verdict.fence->low)) (*marks_[1])[row] = Value::float64(verdict.fence->low);
    if (std::isfinite(verdict.fence->high)) (*marks_[2])[row] = Value::float64(verdict.fence->high);
  }

  const OutliersShape& shape_;
  AddedColumns::Made marks_;
  std::size_t dropped_ = 0;
};

class OutliersPlan final : public KeyedPlan {
 public:
  OutliersPlan(OutliersConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    shape_.threshold = config.threshold.value_or(config.method == OutlierMethod::iqr ? 1.5 : 3.0);
    shape_.config = std::move(config);
    if (shape_.config.action != OutlierAction::mark) return;
    const std::string& as = shape_.config.as;
    shape_.added.add(as, Type::boolean);
    shape_.added.add(as + "_low", Type::float64);
    shape_.added.add(as + "_high", Type::float64);
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
    shape_.field = in.find(shape_.config.field);
    require_field(in, shape_.config.field, place_, problems);
    return {shape_.added.bind(in, place_, "as", problems), false};
  }
  bool stateful() const override { return shape_.config.method != OutlierMethod::bounds; }
  std::string state_signature() const override {
    return stateful() ? "outliers of " + json_quote(shape_.config.field) + " " + key().text() : "";
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Outliers>(shape_, keys(), context);
  }

 private:
  Place place_;
  OutliersShape shape_;
};

}  // namespace

template <>
struct EnumNames<OutlierMethod> {
  static constexpr std::array<std::pair<OutlierMethod, std::string_view>, 3> values = {
      {{OutlierMethod::iqr, "iqr"},
       {OutlierMethod::zscore, "zscore"},
       {OutlierMethod::bounds, "bounds"}}};
};
template <>
struct EnumNames<OutlierAction> {
  static constexpr std::array<std::pair<OutlierAction, std::string_view>, 2> values = {
      {{OutlierAction::mark, "mark"}, {OutlierAction::drop, "drop"}}};
};

namespace {

Spec<OutliersConfig> outliers_spec() {
  using C = OutliersConfig;
  return Spec<C>("outliers")
      .summary("Marks or drops records whose value is far from those before it of the same key.")
      .details(
          "A value is compared with the values of its key in the `window` before it (event time, "
          "ending at the newest record of the key), and joins them then, outlier or not, so that "
          "a new level becomes the usual one. `iqr`: outside of the quartiles by more than "
          "`threshold` (1.5) times their distance. `zscore`: more than `threshold` (3) standard "
          "deviations from the mean. `bounds`: below `low` or above `high`; this one needs no "
          "`window` and keeps no state.\n\n"
          "Quartiles, mean and deviation are exact over the newest `max_samples` values of the "
          "window (quartiles interpolated between neighbours). With fewer than `min_samples` a "
          "record is not judged.\n\n"
          "`mark` adds the fields `outlier` (bool), `outlier_low` and `outlier_high` (the bounds "
          "that held); a record that was not judged has none of them. `drop` counts outliers as "
          "`filtered`. NaN and infinite values are outliers and never join the others. A record "
          "without the field, or with null, passes unjudged; with anything that is no number it "
          "becomes a dead letter with code `type`. A record older than the window is judged but "
          "does not join. With `max_keys` held, records of new keys are counted as `shed`.")
      .promise("exact, also after a crash")
      .field(&C::field, {.name = "field",
                         .help = "The number to look at.",
                         .required = true,
                         .examples = {"request_time"}})
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key. None: one for all.",
                      .examples = {"[host]"}})
      .field(&C::method, {.name = "method", .help = "What an outlier is."})
      .field(&C::window,
             {.name = "window", .help = "How far back values count.", .examples = {"10m"}})
      .field(&C::threshold, {.name = "threshold",
                             .help = "How far is too far. Default: 1.5 for iqr, 3 for zscore.",
                             .examples = {"2.5"}})
      .field(&C::low, {.name = "low", .help = "bounds: the least value.", .examples = {"0"}})
      .field(&C::high, {.name = "high", .help = "bounds: the greatest value.", .examples = {"60"}})
      .field(&C::min_samples,
             {.name = "min_samples", .help = "Values that must be there before one is judged."})
      .field(&C::max_samples,
             {.name = "max_samples",
              .help = "Values held of each key, at most 65536: 24 bytes each, and written at a "
                      "checkpoint when the key has changed.",
              .advanced = true})
      .field(&C::action, {.name = "action", .help = "Mark outliers, or drop them."})
      .field(&C::as, {.name = "as", .help = "Name of the mark."})
      .field(&C::max_keys,
             {.name = "max_keys", .help = "Keys held at once, over all workers.", .advanced = true})
      .rule("iqr and zscore need window",
            [](const C& c) { return c.method == OutlierMethod::bounds || c.window.has_value(); })
      .rule("by is for iqr and zscore",
            [](const C& c) { return c.method != OutlierMethod::bounds || c.by.empty(); })
      .rule("window, threshold, min_samples and max_samples are for iqr and zscore",
            [](const C& c) {
              return c.method != OutlierMethod::bounds ||
                     (!c.window && !c.threshold && c.min_samples == C().min_samples &&
                      c.max_samples == C().max_samples);
            })
      .rule("window must be longer than 0",
            [](const C& c) { return !c.window || c.window->micros > 0; })
      .rule("bounds needs low or high",
            [](const C& c) { return c.method != OutlierMethod::bounds || c.low || c.high; })
      .rule("low and high are for method: bounds",
            [](const C& c) { return c.method == OutlierMethod::bounds || (!c.low && !c.high); })
      .rule("low must not be above high",
            [](const C& c) { return !c.low || !c.high || *c.low <= *c.high; })
      .rule("threshold must be above 0",
            [](const C& c) { return !c.threshold || *c.threshold > 0; })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .rule("min_samples must be at least 2", [](const C& c) { return c.min_samples >= 2; })
      .rule("max_samples must be between min_samples and 65536",
            [](const C& c) { return c.max_samples >= c.min_samples && c.max_samples <= 65536; })
      .example("Slow answers of each host", "field: request_time\nby: [host]\nwindow: 10m\n")
      .example("Impossible ports",
               "field: port\nmethod: bounds\nlow: 1\nhigh: 65535\naction: drop\n");
}

}  // namespace

void add_outliers_operator(Registry& registry) {
  registry.add_operator(outliers_spec(),
                        [](OutliersConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          const ConfigNode* field = node.find("field");
                          return std::make_unique<OutliersPlan>(
                              std::move(config), std::move(key),
                              field == nullptr ? node.place : field->place);
                        });
}

}  // namespace streamd
