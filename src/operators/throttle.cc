// SPDX-License-Identifier: Apache-2.0
#include "operators/builtin_operators.h"
#include "operators/keyed_operator.h"
#include "operators/keyed_plan.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

namespace streamd {
namespace {

struct ThrottleConfig {
  std::vector<ExprText> by;
  std::uint64_t rate = 1;
  Duration per = Duration::from_seconds(1);
  std::optional<std::uint64_t> burst;
  std::string as = "held";
  Duration remember = Duration::from_seconds(3600);
  std::uint64_t max_keys = 1'000'000;

  double capacity() const { return static_cast<double>(burst.value_or(rate)); }
  double tokens_in(std::int64_t micros) const {
    return static_cast<double>(micros) * static_cast<double>(rate) /
           static_cast<double>(per.micros);
  }
};

constexpr double kRounding = 1e-9;

// The bucket of a key: what may still pass, and how much was held since something did.
struct Bucket {
  double tokens = 0;
  std::int64_t at = INT64_MIN;  // event time up to which tokens were filled in; min: full
  std::uint64_t held = 0;

  bool take(std::int64_t time, const ThrottleConfig& config) {
    if (at == INT64_MIN)
      tokens = config.capacity();
    else if (time > at)
      tokens = std::min(config.capacity(), tokens + config.tokens_in(saturating_sub(time, at)));
    at = std::max(at, time);
    // Ten tenths are a little less than one.
    if (tokens < 1 - kRounding) return false;
    tokens -= 1;
    return true;
  }

  void encode(std::string& out) const {
    window::put_varint(out, std::bit_cast<std::uint64_t>(tokens));
    window::put_signed(out, at);
    window::put_varint(out, held);
  }
  bool decode(std::string_view in) {
    std::uint64_t bits = 0;
    if (!window::take_varint(in, bits) || !window::take_signed(in, at) ||
        !window::take_varint(in, held) || !in.empty())
      return false;
    tokens = std::bit_cast<double>(bits);
    return tokens >= -kRounding;  // NaN is not
  }
};

struct ThrottleShape {
  ThrottleConfig config;
  AddedColumns added;
};

class Throttle final : public KeyedOperator<Bucket> {
 public:
  Throttle(const ThrottleShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : KeyedOperator(keys, context, shape.config.remember, shape.config.max_keys), shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    auto made = shape_.added.make(in);
    std::size_t throttled = 0;
    begin(in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      Bucket* const bucket = state_of(in, i, out);
      if (bucket == nullptr) continue;
      if (!bucket->take(in.time(i).micros, shape_.config)) {
        ++bucket->held;
        ++throttled;
      } else {
        const std::uint32_t row = in.physical(i);
        (*made.front())[row] =
            Value::int64(static_cast<std::int64_t>(std::exchange(bucket->held, 0)));
        pass(row);
      }
    }
    if (throttled > 0) out.drop(DropReason::throttled, throttled);
    give(in, shape_.added, std::move(made), nullptr, out);
    return {};
  }

 private:
  const ThrottleShape& shape_;
};

class ThrottlePlan final : public KeyedPlan {
 public:
  ThrottlePlan(ThrottleConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    shape_.config = std::move(config);
    shape_.added.add(shape_.config.as, Type::int64);
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
  // Tokens are stored, so rate and burst may change.
  std::string state_signature() const override { return "throttle " + key().text(); }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Throttle>(shape_, keys(), context);
  }

 private:
  Place place_;
  ThrottleShape shape_;
};

Spec<ThrottleConfig> throttle_spec() {
  using C = ThrottleConfig;
  return Spec<C>("throttle")
      .summary(
          "Lets only so many records of each key through in a time, and says how many it held.")
      .details(
          "Each key has a bucket of `burst` tokens; a record takes one, and `rate` of them come "
          "back `per` time, by the records' own time. A record that finds none is counted as "
          "`throttled`. The next one of its key that passes says in the field `held` how many "
          "were held since the one before it, so an alert can tell what it stands for.\n\n"
          "A record that comes out of order finds what is left in the bucket. A key that was quiet "
          "for `remember` is forgotten, with the number of what it had held.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key. None: one for all.",
                      .examples = {"[client_ip]"}})
      .field(&C::rate,
             {.name = "rate", .help = "How many may pass in each `per`.", .examples = {"5"}})
      .field(&C::per, {.name = "per", .help = "The time in which they may.", .examples = {"1m"}})
      .field(&C::burst, {.name = "burst",
                         .help = "How many may pass at once after a quiet time. Default: `rate`.",
                         .examples = {"10"}})
      .field(&C::as, {.name = "as", .help = "Name of the field that says how many were held."})
      .field(&C::remember, {.name = "remember",
                            .help = "How long a quiet key is remembered; at least as long as an "
                                    "empty bucket needs to fill.",
                            .advanced = true})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .rule("rate must be at least 1", [](const C& c) { return c.rate > 0; })
      .rule("per must be longer than 0", [](const C& c) { return c.per.micros > 0; })
      .rule("burst must be at least 1", [](const C& c) { return !c.burst || *c.burst > 0; })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .rule("remember must not be shorter than an empty bucket needs to fill",
            [](const C& c) { return c.tokens_in(c.remember.micros) >= c.capacity(); })
      .example("At most one alert a minute for each client, and five at once",
               "by: [client_ip]\nrate: 1\nper: 1m\nburst: 5\n");
}

}  // namespace

void add_throttle_operator(Registry& registry) {
  registry.add_operator(throttle_spec(),
                        [](ThrottleConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          return std::make_unique<ThrottlePlan>(std::move(config), std::move(key),
                                                                node.place);
                        });
}

}  // namespace streamd
