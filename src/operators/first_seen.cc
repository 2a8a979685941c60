// SPDX-License-Identifier: Apache-2.0
#include "operators/builtin_operators.h"
#include "operators/keyed_operator.h"
#include "operators/keyed_plan.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace streamd {
namespace {

enum class FirstSeenAction { mark, keep };

struct FirstSeenConfig {
  std::vector<ExprText> by;
  Duration forget = Duration::from_seconds(std::int64_t{30} * 86'400);
  FirstSeenAction action = FirstSeenAction::mark;
  std::string as = "first_seen";
  std::uint64_t max_keys = 1'000'000;
};

// When a key was there: its first and its newest record.
struct Presence {
  std::int64_t first = INT64_MAX;
  std::int64_t newest = INT64_MIN;

  void encode(std::string& out) const {
    window::put_signed(out, first);
    window::put_signed(out, newest);
  }
  bool decode(std::string_view in) {
    return window::take_signed(in, first) && window::take_signed(in, newest) && in.empty();
  }
};

struct FirstSeenShape {
  FirstSeenConfig config;
  AddedColumns added;  // the mark, first time, time before
};

class FirstSeen final : public KeyedOperator<Presence> {
 public:
  FirstSeen(const FirstSeenShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : KeyedOperator(keys, context, shape.config.forget, shape.config.max_keys), shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    made_ = shape_.added.make(in);
    std::size_t known = 0;
    begin(in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      Presence* const presence = state_of(in, i, out);
      if (presence == nullptr) continue;
      const std::uint32_t row = in.physical(i);
      const bool is_first = note(*presence, row, in.time(i).micros);
      if (is_first || shape_.config.action == FirstSeenAction::mark)
        pass(row);
      else
        ++known;
    }
    if (known > 0) out.drop(DropReason::filtered, known);
    give(in, shape_.added, std::move(made_), nullptr, out);
    return {};
  }

 private:
  // Fills the fields of a record; true: it is the first of its key.
  bool note(Presence& presence, std::uint32_t row, std::int64_t time) {
    const bool is_new = presence.newest == INT64_MIN ||
                        saturating_sub(time, presence.newest) >= shape_.config.forget.micros;
    if (is_new)
      presence.first = time;
    else
      (*made_[2])[row] = Value::timestamp({presence.newest});
    presence.first = std::min(presence.first, time);
    presence.newest = std::max(presence.newest, time);
    (*made_[0])[row] = Value::boolean(is_new);
    (*made_[1])[row] = Value::timestamp({presence.first});
    return is_new;
  }

  const FirstSeenShape& shape_;
  AddedColumns::Made made_;
};

class FirstSeenPlan final : public KeyedPlan {
 public:
  FirstSeenPlan(FirstSeenConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    shape_.config = std::move(config);
    const std::string& as = shape_.config.as;
    shape_.added.add(as, Type::boolean);
    shape_.added.add(as + "_at", Type::timestamp);
    shape_.added.add(as + "_before", Type::timestamp);
  }
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    shape_.added.take_from(needs);
    key().fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    bind_key(in, problems);
    return {shape_.added.bind(in, place_, "as", problems), false};
  }
  // Times are stored, so `forget` may change.
  std::string state_signature() const override { return "first_seen " + key().text(); }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<FirstSeen>(shape_, keys(), context);
  }

 private:
  Place place_;
  FirstSeenShape shape_;
};

}  // namespace

template <>
struct EnumNames<FirstSeenAction> {
  static constexpr std::array<std::pair<FirstSeenAction, std::string_view>, 2> values = {
      {{FirstSeenAction::mark, "mark"}, {FirstSeenAction::keep, "keep"}}};
};

namespace {

Spec<FirstSeenConfig> first_seen_spec() {
  using C = FirstSeenConfig;
  return Spec<C>("first_seen")
      .summary("Tells the first record of each key from those that follow.")
      .details(
          "Adds the fields `first_seen` (true for the first record of its key), `first_seen_at` "
          "(event time of the key's first record) and `first_seen_before` (of the newest one "
          "before this; none for the first). With `action: keep` only first records go on and the "
          "others are counted as `filtered`.\n\n"
          "A key is forgotten when it was quiet for `forget`: then its next record is a first "
          "again. \"First\" is the one that arrives first; a record that arrives later with an "
          "earlier time moves `first_seen_at` back but is no first.\n\n"
          "`dedupe` with `keep: after_silence` also lets only first records through, at a third "
          "of the memory; this one marks them and knows the times.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key.",
                      .required = true,
                      .examples = {"[host, match.value]"}})
      .field(&C::forget,
             {.name = "forget", .help = "How long a key may be quiet.", .examples = {"90d"}})
      .field(&C::action, {.name = "action", .help = "Mark first records, or keep only them."})
      .field(&C::as, {.name = "as", .help = "What the names of the fields begin with."})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
      .rule("forget must be longer than 0", [](const C& c) { return c.forget.micros > 0; })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("The first time a host talks to an address that is listed",
               "by: [host, match.value]\nforget: 90d\naction: keep\n");
}

}  // namespace

void add_first_seen_operator(Registry& registry) {
  registry.add_operator(first_seen_spec(),
                        [](FirstSeenConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          return std::make_unique<FirstSeenPlan>(std::move(config), std::move(key),
                                                                 node.place);
                        });
}

}  // namespace streamd
