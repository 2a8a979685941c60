// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/codec/encode.h"
#include "operators/builtin_operators.h"
#include "operators/keyed_operator.h"
#include "operators/keyed_plan.h"
#include "operators/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <utility>

namespace streamd {
namespace {

enum class ScoreEmit { crossing, every };

struct ScoreConfig {
  std::vector<ExprText> by;
  std::string reason = "reason";
  std::string weight = "weight";
  std::string says = "says";
  Duration within = Duration::from_seconds(300);
  double at_least = 1;
  ScoreEmit emit = ScoreEmit::crossing;
  std::string as = "score";
  std::uint64_t max_reasons = 32;
  std::uint64_t max_keys = 1'000'000;
};

// Seven tenths and three times one are a little less than one.
constexpr double kRounding = 1e-9;

// What speaks against one key: the newest of each reason.
struct Suspicion {
  struct Reason {
    std::string name, says;
    double weight = 0;
    std::int64_t time = 0;
  };
  std::vector<Reason> reasons;
  std::int64_t newest = INT64_MIN;

  double score() const {
    double sum = 0;
    for (const Reason& reason : reasons) sum += reason.weight;
    return sum;
  }
  // What is so old at the key's newest time that it no longer counts.
  void forget(std::int64_t time, std::int64_t within) {
    newest = std::max(newest, time);
    const std::int64_t begin = saturating_sub(newest, within);
    std::erase_if(reasons, [&](const Reason& reason) { return reason.time <= begin; });
  }
  // Sorted by weight, then name: what is said does not depend on the order of arrival.
  void add(Reason reason, std::size_t most) {
    for (Reason& known : reasons) {
      if (known.name != reason.name) continue;
      if (known.time <= reason.time) known = std::move(reason);
      return sort();
    }
    reasons.push_back(std::move(reason));
    sort();
    while (reasons.size() > most) reasons.pop_back();
  }

  void encode(std::string& out) const {
    window::put_signed(out, newest);
    window::put_varint(out, reasons.size());
    for (const Reason& reason : reasons) {
      window::put_text(out, reason.name);
      window::put_text(out, reason.says);
      window::put_varint(out, std::bit_cast<std::uint64_t>(reason.weight));
      window::put_signed(out, reason.time);
    }
  }
  bool decode(std::string_view in) {
    std::uint64_t count = 0;
    if (!window::take_signed(in, newest) || !window::take_varint(in, count)) return false;
    for (; count > 0; --count) {
      Reason reason;
      std::string_view name, says;
      std::uint64_t bits = 0;
      if (!window::take_text(in, name) || !window::take_text(in, says) ||
          !window::take_varint(in, bits) || !window::take_signed(in, reason.time))
        return false;
      reason.name = name;
      reason.says = says;
      reason.weight = std::bit_cast<double>(bits);
      if (!std::isfinite(reason.weight)) return false;
      reasons.push_back(std::move(reason));
    }
    return in.empty();
  }

 private:
  void sort() {
    std::sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.name < b.name;
    });
  }
};

struct ScoreShape {
  ScoreConfig config;
  AddedColumns added;  // score, reasons, why
  std::optional<std::size_t> reason, weight, says;
};

class Score final : public KeyedOperator<Suspicion> {
 public:
  Score(const ScoreShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : KeyedOperator(keys, context, shape.config.within, shape.config.max_keys), shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    made_ = shape_.added.make(in);
    arena_ = std::make_shared<Arena>();
    below_ = 0;
    begin(in);
    for (std::size_t i = 0; i < in.size(); ++i)
      if (takes(in, i, out)) pass(in.physical(i));
    if (below_ > 0) out.drop(DropReason::filtered, below_);
    give(in, shape_.added, std::move(made_), std::move(arena_), out);
    return {};
  }

 private:
  // Counts the record's reason; true: it goes on.
  bool takes(const Batch& in, std::size_t i, Emitter& out) {
    auto reason = reason_of(in, i, out);
    if (!reason) return false;
    Suspicion* const suspicion = state_of(in, i, out);
    if (suspicion == nullptr) return false;
    const ScoreConfig& config = shape_.config;
    suspicion->forget(reason->time, config.within.micros);
    const double before = suspicion->score();
    if (reason->time > saturating_sub(suspicion->newest, config.within.micros))
      suspicion->add(std::move(*reason), config.max_reasons);
    const double score = suspicion->score();
    const double least = config.at_least - kRounding;
    const bool passes = score >= least && (config.emit == ScoreEmit::every || before < least);
    if (passes)
      tell(in.physical(i), *suspicion, score);
    else
      ++below_;
    return passes;
  }

  std::optional<Suspicion::Reason> reason_of(const Batch& in, std::size_t i, Emitter& out) {
    const auto field = [&](const std::optional<std::size_t>& column) {
      return column ? in.at(*column, i) : Value::missing();
    };
    const Value name = field(shape_.reason), weight = field(shape_.weight);
    const auto number = number_of(weight);
    if (name.is(Kind::string) && number && std::isfinite(*number)) {
      const Value says = field(shape_.says);
      return Suspicion::Reason{std::string(name.text()),
                               says.is(Kind::string) ? std::string(says.text()) : std::string(),
                               *number, in.time(i).micros};
    }
    const bool is_name = !name.is(Kind::string);
    const std::string& which = is_name ? shape_.config.reason : shape_.config.weight;
    const Value& what = is_name ? name : weight;
    out.reject(in, i,
               {what.absent() ? "missing-field" : "type", fmt::format("field \"{}\" {}", which,
                                                                      what.absent() ? "is missing"
                                                                      : is_name     ? "is no text"
                                                                                : "is no number")});
    return std::nullopt;
  }

  void tell(std::uint32_t row, const Suspicion& suspicion, double score) {
    std::string list = "[", why;
    for (const auto& reason : suspicion.reasons) {
      list += list.size() == 1 ? "{\"reason\":" : ",{\"reason\":";
      append_json_string(reason.name, list);
      list += ",\"weight\":";
      append_json(Value::float64(reason.weight), list);
      if (!reason.says.empty()) {
        list += ",\"says\":";
        append_json_string(reason.says, list);
      }
      list += '}';
      why += fmt::format("{}{} ({})", why.empty() ? "" : "; ", reason.name, reason.weight);
      if (!reason.says.empty()) why += ": " + reason.says;
    }
    list += ']';
    (*made_[0])[row] = Value::float64(score);
    (*made_[1])[row] = Value::json(arena_->copy(list));
    (*made_[2])[row] = Value::string(arena_->copy(why));
  }

  const ScoreShape& shape_;
  AddedColumns::Made made_;
  std::shared_ptr<Arena> arena_;
  std::size_t below_ = 0;
};

class ScorePlan final : public KeyedPlan {
 public:
  ScorePlan(ScoreConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    shape_.config = std::move(config);
    const std::string& as = shape_.config.as;
    shape_.added.add(as, Type::float64);
    shape_.added.add(as + "_reasons", Type::json);
    shape_.added.add(as + "_why", Type::string);
  }
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    shape_.added.take_from(needs);
    key().fields(needs.fields);
    const ScoreConfig& config = shape_.config;
    needs.fields.insert({config.reason, config.weight, config.says});
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    bind_key(in, problems);
    const ScoreConfig& config = shape_.config;
    require_field(in, config.reason, place_, problems);
    require_field(in, config.weight, place_, problems);
    refuse_inside(in, config.says, place_, problems);
    shape_.reason = in.find(config.reason);
    shape_.weight = in.find(config.weight);
    shape_.says = in.find(config.says);
    return {shape_.added.bind(in, place_, "as", problems), false};
  }
  // Weights and times are stored, so limits may change.
  std::string state_signature() const override { return "score " + key().text(); }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Score>(shape_, keys(), context);
  }

 private:
  Place place_;
  ScoreShape shape_;
};

}  // namespace

template <>
struct EnumNames<ScoreEmit> {
  static constexpr std::array<std::pair<ScoreEmit, std::string_view>, 2> values = {
      {{ScoreEmit::crossing, "crossing"}, {ScoreEmit::every, "every"}}};
};

namespace {

Spec<ScoreConfig> score_spec() {
  using C = ScoreConfig;
  return Spec<C>("score")
      .summary("Adds up what several methods say against a key, and tells who has come too far.")
      .details(
          "Each record is a reason: which method found it (`reason`), how much that weighs "
          "(`weight`), and what it says for people (`says`, may be missing). Of each reason the "
          "newest record within `within` of event time counts, once. The record that brings the "
          "sum of a key to `at_least` passes, with `score`, `score_reasons` (JSON: reason, weight "
          "and text of each, the heaviest first) and `score_why` (the same as one text); all "
          "others are counted as `filtered`. When reasons get old and the sum falls below, the "
          "next time it gets there is told again. With `emit: every` each record passes while the "
          "sum is at least that.\n\n"
          "Negative weights speak for a key. A record without a reason or with a weight that is no "
          "number becomes a dead letter.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key.",
                      .required = true,
                      .examples = {"[client_ip]"}})
      .field(&C::reason, {.name = "reason", .help = "Field with the name of the method."})
      .field(&C::weight, {.name = "weight", .help = "Field with its weight."})
      .field(&C::says, {.name = "says", .help = "Field with a text for people."})
      .field(&C::within,
             {.name = "within", .help = "How long a reason counts.", .examples = {"10m"}})
      .field(&C::at_least,
             {.name = "at_least", .help = "The score that is told.", .examples = {"5"}})
      .field(&C::emit, {.name = "emit",
                        .help = "Only the record that crosses at_least, or every one above it."})
      .field(&C::as, {.name = "as", .help = "What the names of the fields begin with."})
      .field(&C::max_reasons, {.name = "max_reasons",
                               .help = "Reasons held of a key; the lightest one goes.",
                               .advanced = true})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
      .rule("within must be longer than 0", [](const C& c) { return c.within.micros > 0; })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("max_reasons must be between 1 and 1000",
            [](const C& c) { return c.max_reasons > 0 && c.max_reasons <= 1000; })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("Clients that two methods agree on", "by: [client_ip]\nwithin: 5m\nat_least: 5\n");
}

}  // namespace

void add_score_operator(Registry& registry) {
  registry.add_operator(score_spec(),
                        [](ScoreConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          return std::make_unique<ScorePlan>(std::move(config), std::move(key),
                                                             node.place);
                        });
}

}  // namespace streamd
